// Sends as fast as it can: first to warm up, then, after a mark, for as long as is measured. Messages of eight bytes and more
// bear their number.
//   SIZE bytes, MODE copy|loan, WARM_MS, FOR_MS, COUNT at most
import { Node } from "dora-bun"

const { SIZE, MODE, WARM_MS, FOR_MS, COUNT } = process.env
const size = Number(SIZE)
const most = Number(COUNT)
const words = size >= 8 ? new Float64Array(size >> 3) : null
const few = new Uint8Array(size)
const body = words ?? few
/** Looks at the clock: rarely where messages are small. */
const BATCH = size <= 4096 ? 64 : 1
const SETTLE_MS = 5

using node = await Node.init()
let number = 0

async function sendFor(ms: number, limit: number) {
  const start = Bun.nanoseconds()
  let sent = 0
  let now = start
  while (now - start < ms * 1e6 && sent < limit) {
    for (let i = 0; i < BATCH; i++) {
      const room = send()
      if (room) await room
    }
    sent += BATCH
    now = Bun.nanoseconds()
  }
  return { sent, seconds: (now - start) / 1e9 }
}

/** A loan is sent at once or when there is room; a copying send waits here. */
function send(): Promise<void> | null {
  number++
  if (MODE === "loan") {
    if (words === null) return node.loan("data", { type: Uint8Array, length: size }).send()
    const sample = node.loan("data", { type: Float64Array, length: size >> 3 })
    sample.array[0] = number
    return sample.send()
  }
  if (words !== null) words[0] = number
  node.sendOutputSync("data", body)
  return null
}

const warmUp = await sendFor(Number(WARM_MS), most)
// What is queued is taken before the mark, which travels on its own edge.
await Bun.sleep(SETTLE_MS)
node.sendOutputSync("mark", 1)
await Bun.sleep(SETTLE_MS)
const { sent, seconds } = await sendFor(Number(FOR_MS), most)
console.log(JSON.stringify({ sent, seconds, warmUp: warmUp.sent }))
