import { Node } from "dora-bun"

const MESSAGES = 500
const LENGTH = 4096

using node = await Node.init()
for (let index = 0; index < MESSAGES; index++) {
  // 16 KiB are too large to travel in a queue: all four workers read the same shared memory.
  using numbers = node.loan("numbers", { type: Int32Array, length: LENGTH })
  for (let i = 0; i < LENGTH; i++) numbers.array[i] = index + i
  await numbers.send({ index })
}
