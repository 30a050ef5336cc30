// Takes no message, and ends when it is told to: it looks at nothing but its stop.
import { Node } from "../../../src/index.ts"

const node = await Node.init()
process.on("SIGTERM", () => process.exit(0))
setInterval(() => {}, 1000)
void node
