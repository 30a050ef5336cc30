// Sends RATE messages a second on every output, on an average that holds even when it is late: lent on `lent`, copied
// elsewhere. Ends after COUNT messages, or fails after FAIL_AFTER.
import { Node } from "dora-bun"

const { RATE = "200", SIZE = "64", COUNT, FAIL_AFTER } = process.env
const periodMs = 1000 / Number(RATE)
const last = Number(COUNT ?? Number.POSITIVE_INFINITY)
const body = new Uint8Array(Number(SIZE)).fill(7)

using node = await Node.init()
const outputs = node.nodeConfig.outputs
console.log("this line is for the log and not for the table")
const start = performance.now()
for (let sent = 0; sent < last; sent++) {
  const early = start + sent * periodMs - performance.now()
  const event = await node.next(Math.max(0, early))
  if (event?.type === "STOP") break
  if (sent >= Number(FAIL_AFTER ?? Number.POSITIVE_INFINITY)) throw new Error("as it was told")
  for (const output of outputs) {
    if (output !== "lent") await node.sendOutput(output, body)
    else await node.loan(output, { type: Uint8Array, length: body.length }).send()
  }
}
