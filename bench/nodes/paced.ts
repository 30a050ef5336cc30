// Sends messages at exact moments of its own: waits for events until then, as a node does that wants to hear of a stop. The first
// moment goes out ahead, so that the receiver counts from when a message was meant to be sent and not from when this node got to it.
//   SIZE bytes, MODE copy|loan, PACE_NS, COUNT messages; BURST of others before, and PRACTICE_MS of a quicker pace, that don't count
import { Node } from "dora-bun"
import { AHEAD_NS, burst, PRACTICE_PACE_MS, senderOf, settle } from "./stream.ts"
import { sharedClock } from "./times.ts"

const { SIZE, MODE, PACE_NS, COUNT, BURST, PRACTICE_MS } = process.env
const paceNs = Number(PACE_NS)
const count = Number(COUNT)
const now = sharedClock()

using node = await Node.init()
const send = senderOf(node, Number(SIZE), MODE)
burst(Number(BURST), send, now)
const practiceNs = PRACTICE_PACE_MS * 1e6
const begin = now()
// Where each takes longer than this pace, it is the time that ends it.
for (let i = 0; now() - begin < Number(PRACTICE_MS) * 1e6; i++) sendAt(begin + i * practiceNs, i)
settle()
const first = now() + AHEAD_NS
node.sendOutputSync("epoch", Float64Array.of(first))
for (let i = 0; i < count; i++) sendAt(first + i * paceNs, i)

function sendAt(due: number, number: number): void {
  const spare = due - now()
  if (spare > 0) node.recv(spare / 1e6)
  while (now() < due);
  send(number)
}
