// Sends a message on each tick of a timer, as most sources of a dataflow do. The first moment goes out ahead, so that the receiver
// counts from when a tick was due. Ticks that were missed are sent late, not left out.
// Before that come messages as fast as a compiler needs them to get to know the way; they don't count.
//   SIZE bytes, MODE copy|loan, API recv|iterate, PACE_NS, COUNT messages, BURST of the others
import { type Event, Node } from "dora-bun"
import { START_FLOAT } from "../../src/shm/layout.ts"
import { type NodePlan, PLAN_VARIABLE } from "../../src/shm/plan.ts"
import { Inbox } from "../../src/shm/segment.ts"
import { sharedClock } from "./times.ts"

const { SIZE, MODE, API, PACE_NS, COUNT, BURST } = process.env
const size = Number(SIZE)
const paceNs = Number(PACE_NS)
const count = Number(COUNT)
/** Between the end of the burst, its mark and the first tick that counts. */
const AHEAD_NS = 30_000_000
/** So many without a pause, so that the burst has some of both. */
const TOGETHER = 10
const PAUSE_NS = 50_000
const source = new Uint8Array(size).fill(7)
const now = sharedClock()

const { pid, inbox } = JSON.parse(process.env[PLAN_VARIABLE]!) as NodePlan
using node = await Node.init()
/** All timers of a dataflow tick at this moment plus whole periods. */
const start = new Inbox(pid, inbox, -1).floats[START_FLOAT]!
for (let i = 0; i < Number(BURST); i++) {
  if (i % TOGETHER === 0) for (const until = now() + PAUSE_NS; now() < until;);
  send(i)
}
// The last of them are taken before the first moment arrives on its own edge.
Bun.sleepSync(AHEAD_NS / 1e6)
const first = start + Math.ceil((now() + AHEAD_NS - start) / paceNs) * paceNs
node.sendOutputSync("epoch", Float64Array.of(first))
let sent = 0
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

function send(number: number): void {
  if (MODE === "loan") {
    const sample = node.loan("data", { type: Uint8Array, length: size })
    if (size > 0) sample.array[0] = number
    sample.send()
  } else node.sendOutputSync("data", source)
}
