// Prints the texts that come, as a list, when its inputs have closed. LATE_MS: it looks only after that time.
import { Node } from "../../../src/index.ts"

using node = await Node.init()
const words: string[] = []
await Bun.sleep(Number(process.env.LATE_MS ?? 0))
for await (const event of node) {
  if (event.type !== "INPUT") continue
  words.push(String(event.value?.get(0)).replace(/\.+$/, ""))
}
console.log(JSON.stringify(words))
