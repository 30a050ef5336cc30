// Sends one message if it has an output, waits for one, and says when it came.
import { Node } from "dora-bun"

using node = await Node.init()
if (node.nodeConfig.outputs.length > 0) node.sendOutputSync("data", Uint8Array.of(1))
for await (const event of node) {
  if (event.type !== "INPUT") continue
  console.log(JSON.stringify({ at: performance.timeOrigin + performance.now() }))
  break
}
