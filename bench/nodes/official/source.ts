// Sends 4 MB at a steady pace.
import { Node } from "dora-bun"

const size = Number(process.env.SIZE)
using node = await Node.init()
for (let i = 0; i < Number(process.env.COUNT); i++) {
  using sample = node.loan("data", { type: Uint8Array, length: size })
  sample.array.fill(i)
  await sample.send()
  await Bun.sleep(Number(process.env.PACE_NS) / 1e6)
}
await Bun.sleep(300)
