// Sends one message of each kind of value, then makes each mistake a user can make, and says which error it was.
import { Float32, makeVector, vectorFromArray } from "apache-arrow"
import { DoraError, Float, Node } from "../../../src/index.ts"
import { say } from "./say.ts"

const node = await Node.init()
const values = [
  Float32Array.of(1.5, 2.5),
  BigInt64Array.of(7n),
  new Uint8Array([1, 2, 3]).buffer,
  Buffer.from("bytes"),
  "text",
  4.5,
  6n,
  true,
  ["a", null, "c"],
  [1, 2, 3],
  [[1], [2, 3]],
  [{ x: 1, name: "n" }],
  makeVector(Float32Array.of(9)),
  vectorFromArray([1, null, 3], new Float32()),
]
for (const value of values) await node.sendOutput("out", value)
node.sendOutputSync("out", "sync", { n: 1, f: new Float(2), s: "x", l: [1, 2], b: true })
{
  using loan = node.loan("out", { type: Float32Array, length: 3000 })
  loan.array.fill(0.5)
  await loan.send({ loaned: true })
  await failing("LOAN_CLOSED", () => loan.send())
}
{
  using unsent = node.loan("out", { type: "int16", length: 8 })
  ;(unsent.array as Int16Array).fill(1)
}

/** Says whether the mistake gives its error. */
async function failing(code: string, mistake: () => unknown): Promise<void> {
  try {
    await mistake()
    say({ code, is: "no error" })
  } catch (error) {
    const { message } = error as Error
    say({ code, is: error instanceof DoraError ? error.code : String(error), message })
  }
}

await failing("NODE_ALREADY_INITIALIZED", () => Node.init())
await failing("UNKNOWN_OUTPUT", () => node.sendOutput("uot", 1))
await failing("UNKNOWN_OUTPUT", () => node.closeOutputs(["nothing"]))
await failing("ARROW_TYPE", () => node.sendOutput("out", [1, "mixed"] as unknown as number[]))
await failing("BAD_PARAMETER", () => node.sendOutput("out", 1, { bad: {} as unknown as string }))
const huge = { type: Uint8Array, length: 256 * 1024 * 1024 + 1 }
await failing("PAYLOAD_TOO_LARGE", () => node.loan("out", huge))
node.sendOutputSync("self", 1)
await failing("SELF_DEADLOCK", () => node.sendOutputSync("self", 2))
const sends: Promise<void>[] = []
for (let i = 0; i < 1024; i++) sends.push(node.sendOutput("self", i))
for (const send of sends) send.catch(() => {})
await failing("TOO_MANY_PENDING_SENDS", () => node.sendOutput("self", 1024))
await node.closeOutputs(["out"])
await failing("OUTPUT_CLOSED", () => node.sendOutput("out", 1))
node.close()
const interrupted = await Promise.allSettled(sends)
say({ interrupted: interrupted.filter((s) => s.status === "rejected").length })
await failing("NODE_CLOSED", () => node.sendOutput("out", 1))
