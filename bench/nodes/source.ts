// Sends as fast as it can: first to warm up, then, after a mark, for as long as is measured. Messages of eight bytes and more
// bear their number.
//   SIZE bytes, MODE copy|loan, FOR_MS, COUNT at most
import { Node } from "dora-bun"

const { SIZE, MODE, FOR_MS, COUNT } = process.env
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

function sendFor(ms: number, limit: number): { sent: number; seconds: number } {
  const start = Bun.nanoseconds()
  let sent = 0
  let now = start
  while (now - start < ms * 1e6 && sent < limit) {
    for (let i = 0; i < BATCH; i++) send()
    sent += BATCH
    now = Bun.nanoseconds()
  }
  return { sent, seconds: (now - start) / 1e9 }
}

function send(): void {
  number++
  if (MODE === "loan") {
    if (words === null) node.loan("data", { type: Uint8Array, length: size }).send()
    else {
      const sample = node.loan("data", { type: Float64Array, length: size >> 3 })
      sample.array[0] = number
      sample.send()
    }
  } else {
    if (words !== null) words[0] = number
    node.sendOutputSync("data", body)
  }
}

const warmUp = sendFor(Number(FOR_MS) / 2, most)
// What is queued is taken before the mark, which travels on its own edge.
await Bun.sleep(SETTLE_MS)
node.sendOutputSync("mark", 1)
await Bun.sleep(SETTLE_MS)
const { sent, seconds } = sendFor(Number(FOR_MS), most)
console.log(JSON.stringify({ sent, seconds, warmUp: warmUp.sent }))
