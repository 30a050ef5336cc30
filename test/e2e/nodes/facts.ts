// Says what a node knows of itself, and what comes with a message.
import { Node } from "../../../src/index.ts"
import { say } from "./say.ts"

using node = await Node.init()
const { id, dataflowId, nodeConfig, dataflowDescriptor, restartCount, isRestart, ended } = node
say({ id, dataflowId, nodeConfig, dataflowDescriptor, restartCount, isRestart, ended })
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { timestamp, date, parameters } = event.metadata
  say({ timestamp, late: Date.now() - date.getTime(), parameters })
}
say({ ended: node.ended, after: [await node.next(), node.recv(), node.tryRecv(), node.drain()] })
