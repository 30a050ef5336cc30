// Waits for events; says at the start who it is.
import { Node } from "../../../src/index.ts"
import { say, what } from "./say.ts"

using node = await Node.init()
say({ pid: process.pid })
if (what === "recv") while (!node.ended) node.recv()
else {
  for await (const event of node) {
    if (event.type === "STOP") say(event.cause)
  }
}
