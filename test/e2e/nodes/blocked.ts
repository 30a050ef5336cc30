// Sends to a consumer that makes no room, until it is stopped: `blocked sync` in the call, `blocked async` at an await.
import { DoraError, Node } from "../../../src/index.ts"
import { failure, say, what, word } from "./say.ts"

const node = await Node.init()
let sent = 0
const coming = what === "sync" ? null : node.next()
try {
  for (;;) {
    if (what === "sync") node.sendOutputSync("out", sent)
    else {
      const room = node.sendOutput("out", sent)
      const event = await Promise.race([room, coming])
      // A stop comes while the send waits.
      if (event) {
        say(word(event))
        node.close()
        await room
      }
    }
    sent++
    say({ sent })
  }
} catch (error) {
  say({ sent, code: error instanceof DoraError ? error.code : String(error) })
}
if (what === "sync") say(word(node.recv()))
node.close()
node.close()
const events: unknown[] = [await node.next(), node.recv(), node.tryRecv(), node.drain()]
for await (const event of node) events.push(event)
const loan = () => node.loan("out", { type: Uint8Array, length: 1 })
const uses = [() => node.sendOutputSync("out", 1), loan, () => node.closeOutputs(["out"])]
const codes = await Promise.all(uses.map(async (use) => (await failure(use))[1]))
node.log.warn("closed")
say({ ended: node.ended, events, codes })
