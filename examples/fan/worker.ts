import { Node } from "dora-bun"

const factor = Number(process.argv[2])

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  let sum = 0
  for (const value of event.array as Int32Array) sum += value
  await node.sendOutput("product", Float64Array.of(sum * factor), event.metadata.parameters)
}
