// Sends messages at exact moments: sleeps, and polls the clock from shortly before. The first moment goes out ahead, so that the
// receiver counts from when a message was meant to be sent and not from when this node got to it.
//   SIZE bytes, MODE copy|loan, PACE_NS, COUNT messages, BURST of others before that don't count
import { Node } from "dora-bun"
import { AHEAD_NS, burst, senderOf } from "./stream.ts"
import { sharedClock } from "./times.ts"

const { SIZE, MODE, PACE_NS, COUNT, BURST } = process.env
const paceNs = Number(PACE_NS)
const count = Number(COUNT)
/** A sleep may take this much longer than asked for; afterwards the clock is polled. */
const POLL_NS = 700_000
const now = sharedClock()

using node = await Node.init()
const send = senderOf(node, Number(SIZE), MODE)
burst(Number(BURST), send, now)
const first = now() + AHEAD_NS
node.sendOutputSync("epoch", Float64Array.of(first))
for (let i = 0; i < count; i++) {
  const due = first + i * paceNs
  const spare = due - now() - POLL_NS
  if (spare > 0) Bun.sleepSync(spare / 1e6)
  while (now() < due);
  send(i)
}
