// Two threads of one Bun process. VARIANT "message": postMessage of a Uint8Array, copied as `node:worker_threads` does it.
// "shared": messages written into a SharedArrayBuffer, both sides spin with Atomics; the least that two threads can do.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { firstSide, otherSide, parseWork, type Work } from "../script.ts"
import { makeLine, sharedPing, sharedPong, sharedSink, sharedSource } from "./shared.ts"

type Data = { work: Work; there: SharedArrayBuffer | null; back: SharedArrayBuffer | null }

const CREDIT = "credit"

if (isMainThread) {
  const work = parseWork(process.argv.slice(2))
  const shared = work.variant === "shared"
  const there = shared ? makeLine(work.size) : null
  const back = shared ? makeLine(work.size) : null
  const data: Data = { work, there, back }
  const worker = new Worker(new URL(import.meta.url), { workerData: data })
  worker.on("error", (error) => {
    console.error(error)
    process.exit(1)
  })
  if (there && back) {
    // The worker says when it runs: spinning here would keep its first messages from being loaded.
    worker.once("message", () => {
      if (work.throughput) sharedSink(work, back)
      else sharedPing(work, there, back)
      process.exit(0)
    })
  } else {
    let received: (bytes: Uint8Array) => void
    worker.on("message", (bytes: Uint8Array) => received(bytes))
    const send = (bytes: Uint8Array) => worker.postMessage(bytes)
    const credit = () => worker.postMessage(CREDIT)
    received = firstSide(work, { send, credit }, () => process.exit(0))
  }
} else {
  const { work, there, back } = workerData as Data
  const port = parentPort!
  if (there && back) {
    port.postMessage("ready")
    if (work.throughput) sharedSource(work, back)
    else sharedPong(work, there, back)
  } else {
    const send = (bytes: Uint8Array) => port.postMessage(bytes)
    const side = otherSide(work, { send, credit: () => {} })
    port.on("message", (sent: Uint8Array | typeof CREDIT) => {
      if (sent === CREDIT) side.credit()
      else side.message(sent)
    })
  }
}
