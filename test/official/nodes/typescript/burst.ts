// Sends COUNT numbered messages of SIZE bytes on "numbers", INTERVAL_MS apart, from FIRST on; leaves with the code EXIT.
import { Node } from "dora-bun"
import { number } from "./say.ts"

using node = await Node.init()
const interval = number("INTERVAL_MS", 0)
const first = number("FIRST", 0)
const values = new BigInt64Array(Math.max(1, Math.ceil(number("SIZE", 8) / 8)))
for (let i = first; i < first + number("COUNT", 100); i++) {
  values[0] = BigInt(i)
  await node.sendOutput("numbers", values)
  if (interval > 0) await Bun.sleep(interval)
}
const code = number("EXIT", 0)
if (code !== 0 && !node.isRestart) throw new Error(`told to fail with ${code}`)
