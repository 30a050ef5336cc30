// Takes messages and checks that each is whole and that they come in order; retains some and checks them again when it
// lets go. RECV=sync blocks in recv(). LOSSLESS=1: none may be missing. At the end it prints what it got.
import { type InputEvent, Node } from "../../../src/index.ts"
import { tornAt } from "../message.ts"
import { Random } from "../random.ts"

const random = new Random(Number(process.env.SEED ?? 1))
const lossless = process.env.LOSSLESS === "1"
const MAX_HELD = 4

let last = 0
let received = 0
const held: InputEvent[] = []

using node = await Node.init()
if (process.env.RECV === "sync") {
  for (let event = node.recv(); event; event = node.recv()) {
    if (event.type === "INPUT") take(event)
    else if (event.type === "STOP") break
    else if (event.type === "ERROR") throw event.error
  }
} else {
  for await (const event of node) {
    if (event.type === "INPUT") take(event)
    else if (event.type === "ERROR") throw event.error
  }
}
while (held.length > 0) letGo()
console.log(JSON.stringify({ received, last }))

function take(event: InputEvent): void {
  const seq = check(event)
  if (seq <= last) throw new Error(`message ${seq} after ${last}`)
  if (lossless && seq !== last + 1) throw new Error(`messages ${last + 1} to ${seq - 1} are lost`)
  last = seq
  received++
  if (random.next() < 0.1) {
    event.retain()
    held.push(event)
  }
  if (held.length > MAX_HELD || (held.length > 0 && random.next() < 0.1)) letGo()
}

function letGo(): void {
  const event = held.shift()!
  check(event)
  event.release()
}

function check(event: InputEvent): number {
  const words = event.array as Uint32Array
  const torn = tornAt(words)
  if (torn) throw new Error(`torn: ${torn}`)
  return words[0]!
}
