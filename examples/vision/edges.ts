import { Node } from "dora-bun"
import { sobel } from "./sobel.ts"

using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const width = event.metadata.parameters.width as number
  const height = event.metadata.parameters.height as number
  // `event.array` views the camera's memory; the result is written into memory of our own output.
  using edges = node.loan("image", { type: Uint8Array, length: width * height })
  sobel(event.array as Uint8Array, width, height, edges.array)
  await edges.send({ ...event.metadata.parameters, encoding: "mono8" })
}
