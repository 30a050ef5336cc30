// Sends on what it receives: one link of a chain.
import { Node } from "dora-bun"

using node = await Node.init()
for (let event = node.recv(); event !== null && event.type !== "STOP"; event = node.recv()) {
  if (event.type === "INPUT") node.sendOutputSync(event.id, event.array!)
}
