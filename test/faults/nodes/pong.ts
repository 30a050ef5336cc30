// Answers each message on `in` by the same on `out`, after a random while.
import { Node } from "../../../src/index.ts"
import { Random } from "../random.ts"
import { nextInput, think } from "../turns.ts"

const random = new Random(Number(process.env.SEED) + 1)

using node = await Node.init()
for (let event = await nextInput(node); event; event = await nextInput(node)) {
  think(random)
  await node.sendOutput("out", event.array)
}
