import { Node } from "dora-bun"

const MESSAGES = 500
const LENGTH = 1024

using node = await Node.init()
for (let index = 0; index < MESSAGES; index++) {
  // 4 KiB is too large for a slot: all four workers read the same chunk of shared memory.
  using numbers = node.loan("numbers", { type: Int32Array, length: LENGTH })
  for (let i = 0; i < LENGTH; i++) numbers.array[i] = index + i
  await numbers.send({ index })
}
