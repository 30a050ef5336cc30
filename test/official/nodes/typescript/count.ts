// Takes the messages of its inputs, DELAY_MS for each, and says what is missing or out of order. RECV=1: blocks the thread.
import { type Event, Node } from "dora-bun"
import { number, say, sayEvent } from "./say.ts"

using node = await Node.init()
const delay = number("DELAY_MS", 0)
let received = 0
let disordered = 0
let bytes = 0
let first = -1n
let last = -(2n ** 63n)
let start = 0
let end = 0

function take(event: Event): void {
  if (event.type !== "INPUT") return sayEvent(event)
  if (received === 0) start = performance.now()
  const values = event.array as BigInt64Array
  if (values[0]! <= last) disordered++
  last = values[0]!
  if (received++ === 0) first = last
  bytes += values.byteLength
  end = performance.now()
  if (delay > 0) Bun.sleepSync(delay)
}

if (number("RECV", 0) === 1) {
  for (let event = node.recv(); event !== null; event = node.recv()) take(event)
} else {
  for await (const event of node) take(event)
}
say({ received, disordered, bytes, first, last, seconds: (end - start) / 1000 })
