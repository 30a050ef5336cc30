// Sends COUNT messages of 64 KiB on `out`.
import { Node } from "../../../src/index.ts"
import { fill } from "../message.ts"

using node = await Node.init()
for (let seq = 1; seq <= Number(process.env.COUNT); seq++) {
  await node.sendOutput("out", fill(new Uint32Array(16 * 1024), seq))
}
