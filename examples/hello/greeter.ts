import { Node } from "dora-bun"

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const word = event.value?.get(0) as string
  // A row of a struct column: each key becomes a field.
  await node.sendOutput(
    "greeting",
    [{ word, letters: [...word].length }],
    event.metadata.parameters,
  )
}
