// Sends 1, 2, … N as uint32 on each of its outputs: `count N`. PAUSE_MS between two. `count N sync` blocks instead.
import { Node } from "../../../src/index.ts"
import { args, what } from "./say.ts"

using node = await Node.init()
const outputs = node.nodeConfig.outputs
for (let i = 1; i <= Number(what); i++) {
  for (const output of outputs) {
    const data = Uint32Array.of(i)
    if (args[0] === "sync") node.sendOutputSync(output, data)
    else await node.sendOutput(output, data, { number: i })
  }
  if (process.env.PAUSE_MS) await Bun.sleep(Number(process.env.PAUSE_MS))
}
