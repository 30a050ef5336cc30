import { Node } from "dora-bun"

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { window, peak, verdict } = event.value!.get(0).toJSON()
  console.log(`window ${window}: peak ${peak.toFixed(3)}, ${verdict}`)
}
