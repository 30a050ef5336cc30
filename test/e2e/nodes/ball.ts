// Two nodes that throw a ball to each other: `ball serve TIMES`, `ball return TIMES`. Each says how often it has caught it.
import { Node } from "../../../src/index.ts"
import { args, say, what } from "./say.ts"

const ball = Uint8Array.of(1)

using node = await Node.init()
let caught = 0
if (what === "serve") node.sendOutputSync("out", ball)
while (caught < Number(args[0]) && node.recv()?.type === "INPUT") {
  caught++
  node.sendOutputSync("out", ball)
}
say(caught)
