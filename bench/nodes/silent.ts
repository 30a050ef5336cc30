// Has an output on which it sends nothing.
import { Node } from "dora-bun"

using node = await Node.init()
console.log(JSON.stringify({ pid: process.pid }))
await node.next()
