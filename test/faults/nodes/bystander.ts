// Waits for a message in its loop, while a timer's callback blocks in a send to a slow consumer. Prints how long the
// message was under way.
import { Node } from "../../../src/index.ts"

using node = await Node.init()
// Taken at once; the consumer is then busy with it, the next one fills the queue, and the third has to wait.
setTimeout(() => node.sendOutputSync("out", 1), 100)
setTimeout(() => {
  node.sendOutputSync("out", 2)
  node.sendOutputSync("out", 3)
}, 200)
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const sent = (event.array as Float64Array)[0]!
  console.log(JSON.stringify({ tookMs: Date.now() - sent }))
}
