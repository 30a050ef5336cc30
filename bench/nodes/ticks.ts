// Sends a message on each tick of a timer, as most sources of a dataflow do. The first moment goes out ahead, so that the receiver
// counts from when a tick was due. Ticks that were missed are sent late, not left out.
//   SIZE bytes, MODE copy|loan, API recv|iterate, PACE_NS, COUNT messages; BURST of others before, and PRACTICE_MS of a quicker pace,
//   that don't count
import { type Event, Node } from "dora-bun"
import { START_FLOAT } from "../../src/shm/layout.ts"
import { type NodePlan, PLAN_VARIABLE } from "../../src/shm/plan.ts"
import { Inbox } from "../../src/shm/segment.ts"
import { AHEAD_NS, burst, PRACTICE_PACE_MS, senderOf, settle } from "./stream.ts"
import { sharedClock } from "./times.ts"

const { SIZE, MODE, API, PACE_NS, COUNT, BURST, PRACTICE_MS } = process.env
const paceNs = Number(PACE_NS)
const count = Number(COUNT)
const now = sharedClock()

const { pid, inbox } = JSON.parse(process.env[PLAN_VARIABLE]!) as NodePlan
using node = await Node.init()
/** All timers of a dataflow tick at this moment plus whole periods. */
const start = new Inbox(pid, inbox, -1).floats[START_FLOAT]!
const send = senderOf(node, Number(SIZE), MODE)
burst(Number(BURST), send, now)
let first = Number.POSITIVE_INFINITY
let sent = 0
for (const until = now() + Number(PRACTICE_MS) * 1e6; now() < until;) {
  ticked(API === "recv" ? node.recv(PRACTICE_PACE_MS) : await node.next(PRACTICE_PACE_MS))
  send(0)
}
settle()
first = start + Math.ceil((now() + AHEAD_NS - start) / paceNs) * paceNs
node.sendOutputSync("epoch", Float64Array.of(first))
if (API === "recv") while (ticked(node.recv()));
else {
  for await (const event of node) if (!ticked(event)) break
}

/** False after the last one. */
function ticked(event: Event | null): boolean {
  if (event?.type !== "INPUT") return false
  for (const moment = now(); sent < count && first + sent * paceNs <= moment;) send(sent++)
  return sent < count
}
