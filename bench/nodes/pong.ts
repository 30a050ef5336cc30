// Echoes every message: same size, by copy or by loan.
import { Node } from "dora-bun"

const { MODE, API, SIZE } = process.env
const source = new Uint8Array(Number(SIZE)).fill(9)

using node = await Node.init()
let sum = 0

function echo(bytes: Uint8Array): void {
  if (bytes.byteLength > 0) sum += bytes[0]!
  if (MODE === "loan") {
    const sample = node.loan("pong", { type: Uint8Array, length: bytes.byteLength })
    sample.array[0] = 1
    sample.send()
  } else node.sendOutputSync("pong", source)
}

if (API === "recv") {
  for (let event = node.recv(); event?.type === "INPUT"; event = node.recv()) {
    echo(event.array as Uint8Array)
  }
} else {
  for await (const event of node) {
    if (event.type !== "INPUT") break
    echo(event.array as Uint8Array)
  }
}
