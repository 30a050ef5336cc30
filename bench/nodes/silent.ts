// Has an output on which it sends nothing, and leaves after FOR_MS.
import { Node } from "dora-bun"

using node = await Node.init()
console.log(JSON.stringify({ node: node.id }))
await Bun.sleep(Number(process.env.FOR_MS))
