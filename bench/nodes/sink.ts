// Counts what arrives and checks its order. What counts for the rate lies between the marks of all sources and the last message
// before the first of them has ended. Prints the figures as one line of JSON.
//   MARKS to wait for, SIZE bytes
import { Node } from "dora-bun"

const marks = Number(process.env.MARKS)
/** Looks at the clock: rarely where messages are small. */
const BATCH = Number(process.env.SIZE) <= 4096 ? 64 : 1

using node = await Node.init()
/** Of one source the input need not be looked up. */
const last = new Map<string, number>()
let lastOfOne = 0
let marked = 0
let received = 0
let counted = 0
/** How many were counted when the clock was read last. */
let timed = 0
let disordered = 0
let startNs = 0
let endNs = 0
let ended = false
for (let event = node.recv(); event !== null && event.type !== "STOP"; event = node.recv()) {
  if (event.type === "INPUT_CLOSED" && event.id.startsWith("data")) ended = true
  if (event.type !== "INPUT") continue
  if (marked < marks && event.id.startsWith("mark")) {
    marked++
    continue
  }
  received++
  const { array } = event
  if (array instanceof Float64Array) {
    const number = array[0]!
    if (number <= (marks === 1 ? lastOfOne : (last.get(event.id) ?? 0))) disordered++
    if (marks === 1) lastOfOne = number
    else last.set(event.id, number)
  }
  if (marked < marks || ended) continue
  if (counted++ % BATCH > 0) continue
  endNs = Bun.nanoseconds()
  if (counted === 1) startNs = endNs
  else timed = counted - 1
}
const seconds = (endNs - startNs) / 1e9
console.log(JSON.stringify({ received, counted: timed, disordered, seconds }))
