import { Node } from "dora-bun"

const WORDS = ["hello", "bonjour", "hallo", "こんにちは", "مرحبا"]

using node = await Node.init()
let count = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  await node.sendOutput("speech", WORDS[count % WORDS.length]!, { count })
  // Leaving the loop ends the node; what it has sent still arrives.
  if (++count === 10) break
}
