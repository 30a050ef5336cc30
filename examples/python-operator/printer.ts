// Prints how many peaks were found, beside how many there are.
import { Node } from "dora-bun"

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { periods } = event.metadata.parameters
  const [peaks] = event.array as BigInt64Array
  console.log(`${peaks} peaks in ${periods} periods`)
}
