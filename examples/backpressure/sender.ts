import { Node } from "dora-bun"

const MESSAGES = 200

using node = await Node.init()
const start = performance.now()
for (let index = 0; index < MESSAGES; index++) {
  // Under backpressure this promise waits until the queue has room; under drop_oldest it never does.
  await node.sendOutput("count", Int32Array.of(index))
}
console.log(`sent ${MESSAGES} in ${Math.round(performance.now() - start)} ms`)
