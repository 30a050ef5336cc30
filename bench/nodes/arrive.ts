// Takes paced messages; prints how long after its intended moment each arrived, and which share of a core that took.
//   API recv|iterate, PACE_NS, COUNT messages, WARM_UP of them that don't count
import { type Event, Node } from "dora-bun"
import { sharedClock, Times } from "./times.ts"

const { API, PACE_NS, COUNT, WARM_UP } = process.env
const paceNs = Number(PACE_NS)
const count = Number(COUNT)
const warmUp = Number(WARM_UP)
const times = new Times(count)
const now = sharedClock()

using node = await Node.init()
let first = 0
let index = 0
let sum = 0
let startNs = 0
let startCpu = process.cpuUsage()
let share = 0

/** False after the last one. The end of the edge of the first moment may be seen before. */
function received(event: Event | null): boolean {
  if (event === null || event.type === "STOP") return false
  if (event.type !== "INPUT") return true
  if (event.id === "epoch") {
    first = (event.array as Float64Array)[0]!
    return true
  }
  const bytes = event.array as Uint8Array
  if (bytes.length > 0) sum += bytes[0]!
  const arrived = now()
  if (first === 0) return true
  if (index === warmUp) {
    startNs = arrived
    startCpu = process.cpuUsage()
  }
  if (index >= warmUp) times.add(arrived - (first + index * paceNs))
  index++
  if (index < count) return true
  const used = process.cpuUsage(startCpu)
  share = ((used.user + used.system) * 1000) / (now() - startNs)
  return false
}

if (API === "recv") while (received(node.recv()));
else {
  for await (const event of node) if (!received(event)) break
}
if (index !== count) throw new Error(`${count} messages were sent, ${index} arrived`)
console.log(JSON.stringify({ ...times.summary(), share, sum }))
