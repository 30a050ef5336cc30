// Takes what comes, and thinks for THINK_MS after each message.
import { Node } from "dora-bun"

const thinkMs = Number(process.env.THINK_MS ?? 0)
using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  console.log(`${event.id} has come`)
  if (thinkMs > 0) await Bun.sleep(thinkMs)
}
