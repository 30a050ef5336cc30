import { Node } from "dora-bun"

const WORK_MS = 2

using node = await Node.init()
let received = 0
let skipped = 0
let last = -1
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const [index] = event.array as Int32Array
  received++
  skipped += index! - last - 1
  last = index!
  await Bun.sleep(WORK_MS)
}
console.log(`received ${received}, missed ${skipped}, last ${last}`)
