// `many LIBRARY INPUT,… EVENTS`: sends events of these inputs by turns, and prints how much memory that has cost.
import { libraryHost } from "../../src/runtime/library.ts"
import type { LibraryOperator } from "../../src/runtime/library.ts"
import type { Payload } from "../../src/shm/payload.ts"
import { contextOf, inputEvent, streamOf } from "../support/operators.ts"

const [path, inputs, events] = Bun.argv.slice(2)
const target = new Uint8Array(64 * 1024)
const NAMES = ["out", "log"]
const sendPayload = (_: string, payload: Payload) => {
  payload.write(target, 64)
  return Promise.resolve()
}
const operator = (await libraryHost.load(
  contextOf(path!, { names: () => NAMES, sendPayload }),
)) as LibraryOperator
const kinds = inputs!.split(",").map((id) => {
  return [0, 1, 100, 5000].map((size) => inputEvent(id, streamOf(new Uint8Array(size).fill(size))))
})
const all = Array.from(
  { length: 4 * kinds.length },
  (_, i) => kinds[i % kinds.length]![(i >> 2) & 3]!,
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
