// The same work as src/sink.rs, on our side of the comparison.
import { Node } from "dora-bun"
import { FlowClock } from "../../../src/shm/clock.ts"
import { monotonicNs, readWork, WARM_UP } from "./work.ts"

const { count, paceNs } = readWork()
const { epoch } = JSON.parse(process.env.DORA_BUN_PLAN ?? "")
using node = await Node.init()
const clock = new FlowClock(epoch)
const warmUp = paceNs > 0 ? Math.min(WARM_UP, count) : 0
const due: number[] = []
const stamped: number[] = []
let start: number | null = null
let received = 0
let first = 0
let last = 0
for (let event = node.recv(); event !== null; event = node.recv()) {
  if (event.type !== "INPUT") continue
  if (start === null) {
    start = (event.array as Float64Array)[0]!
    continue
  }
  last = monotonicNs()
  if (received === 0) first = last
  if (paceNs > 0 && received >= warmUp) {
    due.push(last - (start + received * paceNs))
    const { seconds, fraction } = event.metadata.timestamp
    stamped.push(last - clock.monotonicNs(seconds, fraction))
  }
  received++
}
const seconds = (last - first) / 1e9
console.log(JSON.stringify({ received: received - warmUp, seconds, due, stamped }))
