// Seven messages, the sixth of them small. The third is lent, the others are copied.
import { Node } from "../../../src/index.ts"

using node = await Node.init()
const length = 100_000
for (let i = 1; i <= 7; i++) {
  if (i === 3) {
    using loan = node.loan("out", { type: Uint8Array, length })
    loan.array.fill(i)
    await loan.send({ lent: true })
  } else await node.sendOutput("out", new Uint8Array(i === 6 ? 10 : length).fill(i))
}
