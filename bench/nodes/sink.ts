// Counts what arrives, and checks its order; prints the figures as one line of JSON.
import { Node } from "dora-bun"

using node = await Node.init()
let received = 0
let disordered = 0
let last = -1
let startNs = 0
let endNs = 0
for (let event = node.recv(); event?.type === "INPUT"; event = node.recv()) {
  const number = (event.array as Float64Array)[0]!
  if (number <= last) disordered++
  last = number
  if (received++ === 0) startNs = Bun.nanoseconds()
}
endNs = Bun.nanoseconds()
console.log(JSON.stringify({ received, disordered, last, seconds: (endNs - startNs) / 1e9 }))
