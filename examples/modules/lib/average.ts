import { parseArgs } from "node:util"
import { Node } from "dora-bun"

const { values } = parseArgs({ options: { window: { type: "string", default: "8" } } })
const window = Number(values.window)

using node = await Node.init()
const recent: number[] = []
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const [value = 0] = event.array as Float64Array
  recent.push(value)
  if (recent.length > window) recent.shift()
  const sum = recent.reduce((total, one) => total + one, 0)
  await node.sendOutput("smooth", Float64Array.of(sum / recent.length))
}
