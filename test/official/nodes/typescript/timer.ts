// Says and counts the ticks of its timers, sends their number on "ticks", and leaves after COUNT of them.
import { Node } from "dora-bun"
import { number, say, sayEvent } from "./say.ts"

using node = await Node.init()
const count = number("COUNT", Number.POSITIVE_INFINITY)
const sends = node.nodeConfig.outputs.length > 0
let seen = 0
for await (const event of node) {
  if (event.type !== "INPUT") {
    sayEvent(event)
    continue
  }
  seen++
  say({ event: "INPUT", id: event.id, length: event.array.length })
  if (sends) await node.sendOutput("ticks", BigInt(seen))
  if (seen === count) break
}
