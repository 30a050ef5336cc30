// Sends numbered messages as fast as it can.
import { Node } from "dora-bun"

const { SIZE, COUNT } = process.env
const count = Number(COUNT)
const body = new Float64Array(Math.max(1, Number(SIZE) >> 3))

using node = await Node.init()
for (let i = 0; i < count; i++) {
  body[0] = i
  node.sendOutputSync("data", body)
}
