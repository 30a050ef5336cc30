// Ends in the way that it is told, right after a last message.
import { Node } from "../../../src/index.ts"
import { what } from "./say.ts"

const node = await Node.init()
for (let i = 1; i <= 5; i++) void node.sendOutput("out", Uint32Array.of(i))

const ends: Record<string, () => unknown> = {
  close: () => node.close(),
  using: () => {
    using _ = node
  },
  naturally: () => {},
  "after-waiting": () => node.next(30),
  exit: () => process.exit(0),
  throw: () => {
    throw new Error("thrown on purpose")
  },
  reject: () => void Promise.reject(new Error("rejected on purpose")),
  outputs: async () => {
    await node.closeOutputs(["out"])
    await node.closeOutputs(["out"])
    // It goes on as a node without outputs.
    await node.next()
  },
  abort: () => process.abort(),
}
await ends[what]!()
