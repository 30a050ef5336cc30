// Says what each message holds.
import { Node } from "../../../src/index.ts"
import { say } from "./say.ts"

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const vector = event.value!
  const values = vector.length > 5 ? [vector.length, vector.get(0)] : [...vector]
  const { parameters } = event.metadata
  say({ type: String(vector.type), values: JSON.parse(JSON.stringify(values, plain)), parameters })
}

function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value
}
