// Sends one message of every Arrow type on "types", each with its name and one parameter of every kind.
import { Node } from "dora-bun"
import { arrays } from "./arrow-types.ts"
import { PARAMETERS } from "./say.ts"

using node = await Node.init()
for (const [name, vector] of arrays()) {
  await node.sendOutput("types", vector, { name, ...PARAMETERS })
}
