import { Node } from "dora-bun"

const LENGTH = 4096
const FACTORS: Record<string, number> = { north: 2, east: 3, south: 5, west: 7 }

using node = await Node.init()
const received: Record<string, number> = {}
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const index = received[event.id] ?? 0
  const expected = (index * LENGTH + (LENGTH * (LENGTH - 1)) / 2) * FACTORS[event.id]!
  const [product] = event.array as Float64Array
  if (event.metadata.parameters.index !== index || product !== expected) {
    throw new Error(`${event.id}: message ${index} should be ${expected}, and is ${product}`)
  }
  received[event.id] = index + 1
}
for (const [input, count] of Object.entries(received).sort()) {
  console.log(`${input}: ${count} results, all in order and right`)
}
