// Takes a message each LATE_MS.
import { Node } from "../../../src/index.ts"

using node = await Node.init()
for await (const _ of node) await Bun.sleep(Number(process.env.LATE_MS))
