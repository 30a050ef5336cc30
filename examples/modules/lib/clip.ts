import { Node } from "dora-bun"

const LIMIT = 100

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const [value = 0] = event.array as Float64Array
  await node.sendOutput("clipped", Float64Array.of(Math.min(value, LIMIT)))
}
