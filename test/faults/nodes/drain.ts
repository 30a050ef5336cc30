// Takes messages of 64 bytes and checks order and every word; LOSSLESS=1: none may be missing. Prints what it got.
import { Node } from "../../../src/index.ts"
import { tornAt } from "../message.ts"

const lossless = process.env.LOSSLESS === "1"
let last = 0
let received = 0

using node = await Node.init()
for (let event = node.recv(); event; event = node.recv()) {
  if (event.type === "STOP") break
  if (event.type === "ERROR") throw event.error
  if (event.type !== "INPUT") continue
  const words = event.array as Uint32Array
  const torn = tornAt(words)
  if (torn) throw new Error(`torn: ${torn}`)
  const seq = words[0]!
  if (seq <= last || (lossless && seq !== last + 1)) throw new Error(`message ${seq} after ${last}`)
  last = seq
  received++
}
console.log(JSON.stringify({ received, last }))
