// Sends large messages one after the other, each when the last one was answered; prints how long the copying sends took.
//   SIZE bytes, WARM_UP sends that don't count, COUNT that do
import { Node } from "dora-bun"
import { Times } from "./times.ts"

const { SIZE, WARM_UP, COUNT } = process.env
const source = new Uint8Array(Number(SIZE)).fill(7)
const warmUp = Number(WARM_UP)
const count = Number(COUNT)
const times = new Times(count)

using node = await Node.init()
for (let i = 0; i < warmUp + count; i++) {
  source[0] = i
  const before = Bun.nanoseconds()
  node.sendOutputSync("data", source)
  const after = Bun.nanoseconds()
  if (i >= warmUp) times.add(after - before)
  if (node.recv()?.type !== "INPUT") throw new Error("no answer")
}
console.log(JSON.stringify(times.summary()))
