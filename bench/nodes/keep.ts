// Sends or takes messages until it is stopped, at a pace that leaves the machine idle: what is measured is memory.
//   with an output: SIZE bytes, MODE copy|loan, PER_TURN messages every TURN_MS
import { Node } from "dora-bun"

const { SIZE, MODE, PER_TURN, TURN_MS } = process.env
const size = Number(SIZE)
const perTurn = Number(PER_TURN)
const source = new Uint8Array(size).fill(7)

using node = await Node.init()
console.log(JSON.stringify({ pid: process.pid }))
if (node.nodeConfig.outputs.length === 0) {
  let sum = 0
  for await (const event of node) {
    if (event.type === "INPUT") sum += (event.array as Uint8Array)[size - 1]!
  }
  if (Number.isNaN(sum)) throw new Error("a message had no bytes")
} else {
  const start = performance.now()
  for (let turn = 1; ; turn++) {
    for (let i = 0; i < perTurn; i++) await send()
    const event = await node.next(Math.max(1, start + turn * Number(TURN_MS) - performance.now()))
    if (event?.type === "STOP") break
  }
}

function send(): Promise<void> {
  if (MODE !== "loan") return node.sendOutput("data", source)
  const sample = node.loan("data", { type: Uint8Array, length: size })
  sample.array.fill(7)
  return sample.send()
}
