// `mirror ask N` sends a message and waits for its mirror image, N times, and says how often that was not stamped later
// than what it mirrors. `mirror answer` answers at once.
import { Node } from "../../../src/index.ts"
import { args, say, what } from "./say.ts"

using node = await Node.init()
const later: boolean[] = []
const stampOf = (event: { metadata: { timestamp: { seconds: number; fraction: number } } }) => {
  const { seconds, fraction } = event.metadata.timestamp
  return BigInt(seconds) * 2n ** 32n + BigInt(fraction)
}
if (what === "ask") await node.sendOutput("out", 0n)
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const stamp = stampOf(event)
  if (what === "answer") await node.sendOutput("out", stamp)
  else {
    later.push(stamp > (event.array as BigInt64Array)[0]!)
    if (later.length === Number(args[0])) break
    await node.sendOutput("out", 0n)
  }
}
if (what === "ask") say({ messages: later.length, notLater: later.filter((ok) => !ok).length })
