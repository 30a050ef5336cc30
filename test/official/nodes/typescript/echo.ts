// Sends every message back: on the output that is named like the input, with the same parameters.
import { Node } from "dora-bun"
import { sayEvent } from "./say.ts"

using node = await Node.init()
for await (const event of node) {
  if (event.type === "INPUT")
    await node.sendOutput(event.id, event.value, event.metadata.parameters)
  else sayEvent(event)
}
