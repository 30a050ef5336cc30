import { Node } from "dora-bun"

const MESSAGES = 200

using node = await Node.init()
for (let i = 0; i < MESSAGES; i++) {
  const noise = (i % 2 === 0 ? 1 : -1) * 10
  const spike = i % 50 === 25 ? 10_000 : 0
  await node.sendOutput("value", Float64Array.of(50 + noise + spike))
}
