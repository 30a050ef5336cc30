// Sends a message; gets stuck in its own code when it is started for the first time, and counts ticks the next time.
import { Node } from "../../../src/index.ts"
import { say, word } from "./say.ts"

using node = await Node.init()
node.sendOutputSync("out", node.restartCount)
if (node.restartCount === 0) for (;;);
for await (const event of node) say(word(event))
