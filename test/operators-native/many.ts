// `many LIBRARY INPUT,… EVENTS`: sends events of these inputs by turns, outputs into a ring whose consumer takes nothing, and prints how
// much memory that has cost.
import { inputEvent, streamOf } from "../support/operators.ts"
import { Rig } from "../support/rig.ts"

const [path, inputs, events] = Bun.argv.slice(2)
using rig = await new Rig({ sink: { queue_size: 10 } }).load(path!)
const { operator } = rig
/** Mostly such as need no chunk of the pool. */
const SIZES = [0, 1, 5000, ...Array.from({ length: 13 }, (_, i) => [8, 100][i % 2]!)]
const kinds = inputs!.split(",").map((id) => {
  return SIZES.map((size) => inputEvent(id, streamOf(new Uint8Array(size).fill(size))))
})
const all = Array.from(
  { length: SIZES.length * kinds.length },
  (_, i) => kinds[i % kinds.length]![Math.floor(i / kinds.length)]!,
)

function run(count: number): void {
  for (let i = 0; i < count; i++) {
    try {
      operator.onEvent(all[i % all.length]!)
    } catch {
      // Some are to fail.
    }
  }
}

const warmUp = Math.floor(Number(events) / 5)
run(warmUp)
Bun.gc(true)
const before = process.memoryUsage.rss()
run(Number(events) - warmUp)
Bun.gc(true)
const grown = process.memoryUsage.rss() - before
operator.drop()
console.log(JSON.stringify({ grown, counts: operator.counts }))
