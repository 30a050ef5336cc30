// Answers every message with a small one.
import { Node } from "dora-bun"

const small = Uint8Array.of(1)

using node = await Node.init()
let sum = 0
for (let event = node.recv(); event?.type === "INPUT"; event = node.recv()) {
  sum += (event.array as Uint8Array)[0]!
  node.sendOutputSync("answer", small)
}
