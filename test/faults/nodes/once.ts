// Sends the time on `out` after DELAY_MS, and stays for twice as long, so that its end wakes nobody before.
import { Node } from "../../../src/index.ts"

const delayMs = Number(process.env.DELAY_MS)

using node = await Node.init()
await Bun.sleep(delayMs)
await node.sendOutput("out", Float64Array.of(Date.now()))
await Bun.sleep(2 * delayMs)
