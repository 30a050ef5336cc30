// Sends COUNT messages of 64 bytes on `out` as fast as it can.
import { Node } from "../../../src/index.ts"
import { fill } from "../message.ts"

const count = Number(process.env.COUNT)
const words = new Uint32Array(16)

using node = await Node.init()
for (let seq = 1; seq <= count; seq++) node.sendOutputSync("out", fill(words, seq))
