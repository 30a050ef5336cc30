import { Node } from "dora-bun"

using node = await Node.init()
const ranges = new Map<string, { count: number; least: number; most: number }>()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const [value = 0] = event.array as Float64Array
  const range = ranges.get(event.id) ?? { count: 0, least: value, most: value }
  ranges.set(event.id, {
    count: range.count + 1,
    least: Math.min(range.least, value),
    most: Math.max(range.most, value),
  })
}
for (const [input, { count, least, most }] of [...ranges].sort()) {
  console.log(`${input}: ${count} values from ${least.toFixed(1)} to ${most.toFixed(1)}`)
}
