// Waits for a message that never comes; says which process it is.
import { Node } from "dora-bun"

using node = await Node.init()
console.log(JSON.stringify({ pid: process.pid }))
await node.next()
