// Sends a message of bytes on "bytes" at each input, COUNT in all.
import { Node } from "dora-bun"
import { message } from "./message.ts"
import { number, sayEvent, sayPid } from "./say.ts"

using node = await Node.init()
const count = number("COUNT", 12)
let n = 0
for await (const event of node) {
  if (event.type !== "INPUT") {
    sayEvent(event)
    continue
  }
  await node.sendOutput("bytes", message(n), { n })
  if (n === 0) sayPid()
  if (++n === count) break
}
