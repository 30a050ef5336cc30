// Sends messages at exact moments: sleeps, and polls the clock from shortly before. The first moment goes out ahead, so that the
// receiver counts from when a message was meant to be sent and not from when this node got to it.
// Before that come messages as fast as a compiler needs them to get to know the way; they don't count.
//   SIZE bytes, MODE copy|loan, PACE_NS, COUNT messages, BURST of the others
import { Node } from "dora-bun"
import { sharedClock } from "./times.ts"

const { SIZE, MODE, PACE_NS, COUNT, BURST } = process.env
const size = Number(SIZE)
const paceNs = Number(PACE_NS)
const count = Number(COUNT)
const burst = Number(BURST)
/** So many without a pause, so that the burst has some of both. */
const TOGETHER = 10
const PAUSE_NS = 50_000
const AHEAD_NS = 30_000_000
/** A sleep may take this much longer than asked for; afterwards the clock is polled. */
const POLL_NS = 700_000
const source = new Uint8Array(size).fill(7)
const now = sharedClock()

using node = await Node.init()
for (let i = 0; i < burst; i++) {
  if (i % TOGETHER === 0) pollUntil(now() + PAUSE_NS)
  send(i)
}
// The last of them are taken before the first moment arrives on its own edge.
Bun.sleepSync(AHEAD_NS / 1e6)
const first = now() + AHEAD_NS
node.sendOutputSync("epoch", Float64Array.of(first))
for (let i = 0; i < count; i++) {
  const due = first + i * paceNs
  const spare = due - now() - POLL_NS
  if (spare > 0) Bun.sleepSync(spare / 1e6)
  pollUntil(due)
  send(i)
}

function pollUntil(moment: number): void {
  while (now() < moment);
}

function send(number: number): void {
  if (MODE === "loan") {
    const sample = node.loan("data", { type: Uint8Array, length: size })
    if (size > 0) sample.array[0] = number
    sample.send()
  } else node.sendOutputSync("data", source)
}
