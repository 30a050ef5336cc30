// Counts what arrives and checks its order. What counts for the rate lies between the marks of all sources and the last message
// before the first of them has ended. Prints the figures as one line of JSON.
//   MARKS to wait for
import { Node } from "dora-bun"

const marks = Number(process.env.MARKS)

using node = await Node.init()
const last = new Map<string, number>()
let marked = 0
let received = 0
let counted = 0
let disordered = 0
let startNs = 0
let endNs = 0
let ended = false
for (let event = node.recv(); event !== null && event.type !== "STOP"; event = node.recv()) {
  if (event.type === "INPUT_CLOSED" && event.id.startsWith("data")) ended = true
  if (event.type !== "INPUT") continue
  if (event.id.startsWith("mark")) {
    marked++
    continue
  }
  received++
  const { id, array } = event
  if (array instanceof Float64Array) {
    const number = array[0]!
    if (number <= (last.get(id) ?? 0)) disordered++
    last.set(id, number)
  }
  if (marked < marks || ended) continue
  endNs = Bun.nanoseconds()
  if (counted++ === 0) startNs = endNs
}
console.log(JSON.stringify({ received, counted, disordered, seconds: (endNs - startNs) / 1e9 }))
