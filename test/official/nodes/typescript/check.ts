// Compares what arrives on each input with what "bytes" sends. With GAPS some may be missing, and the numbers may begin again.
import { Node } from "dora-bun"
import { numberOf } from "./message.ts"
import { say, sayEvent, sayPid } from "./say.ts"

using node = await Node.init()
const gaps = process.env.GAPS !== undefined
const inputs: Record<string, { last: number; right: number }> = {}
let begun = false
for await (const event of node) {
  if (event.type !== "INPUT") {
    sayEvent(event)
    continue
  }
  if (!begun) sayPid()
  begun = true
  const data = event.array as Uint8Array
  if (gaps && data.length === 0) continue
  const input = (inputs[event.id] ??= { last: -1, right: 0 })
  const n = numberOf(data, input.last + 1)
  if (n < 0 || (!gaps && n !== input.last + 1)) {
    say({ wrong: `${event.id}: ${data.length} bytes, number ${n} after ${input.last}` })
    process.exitCode = 1
    continue
  }
  if (gaps && (input.last < 0 || n <= input.last)) say({ began: n })
  input.last = n
  input.right++
}
say({ right: Object.fromEntries(Object.entries(inputs).map(([id, { right }]) => [id, right])) })
