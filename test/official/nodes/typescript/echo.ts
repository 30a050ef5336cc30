// Sends every message back: on the output that is named like the input, with the same parameters.
import { Node } from "dora-bun"
import { sayEvent, sayPid } from "./say.ts"

using node = await Node.init()
let begun = false
for await (const event of node) {
  if (event.type !== "INPUT") {
    sayEvent(event)
    continue
  }
  await node.sendOutput(event.id, event.value, event.metadata.parameters)
  if (!begun) sayPid()
  begun = true
}
