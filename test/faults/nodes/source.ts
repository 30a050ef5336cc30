// Sends messages of mixed sizes on `out`: COUNT of them, or as many as fit into DURATION_MS.
import { Node } from "../../../src/index.ts"
import { fill } from "../message.ts"
import { Random } from "../random.ts"

const count = Number(process.env.COUNT ?? Number.POSITIVE_INFINITY)
const durationMs = Number(process.env.DURATION_MS ?? Number.POSITIVE_INFINITY)
const random = new Random(Number(process.env.SEED ?? 1))
/** Most messages go through slots, some through chunks, few are big. */
const SMALL_WORDS = 180
const LARGE_WORDS = 8 * 1024
const BIG_WORDS = 256 * 1024

using node = await Node.init()
const until = performance.now() + durationMs
for (let seq = 1; seq <= count && performance.now() < until; seq++) {
  await node.sendOutput("out", fill(new Uint32Array(lengthOfNext()), seq))
  // Sockets, signals and timers get their turn.
  if (seq % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
}

function lengthOfNext(): number {
  const kind = random.next()
  const most = kind < 0.7 ? SMALL_WORDS : kind < 0.99 ? LARGE_WORDS : BIG_WORDS
  return random.between(1, most)
}
