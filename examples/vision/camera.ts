// Plays the frames of frames/ in a circle, one for each tick, as a camera would deliver them.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Node } from "dora-bun"
import { decode } from "jpeg-js"

const FRAMES = 24
const WIDTH = 640
const HEIGHT = 480
const BYTES = WIDTH * HEIGHT * 3

const decoded: Uint8Array[] = []

/** Decodes a frame when it is first needed, so that the camera starts at once. */
function frame(index: number): Uint8Array {
  const known = decoded[index]
  if (known) return known
  const name = `${String(index).padStart(2, "0")}.jpg`
  const file = readFileSync(join(import.meta.dir, "frames", name))
  const image = decode(file, { useTArray: true, formatAsRGBA: false })
  if (image.data.byteLength !== BYTES) throw new Error(`${name} is not ${WIDTH} × ${HEIGHT}`)
  decoded[index] = image.data
  return image.data
}

using node = await Node.init()
let count = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  // Shared memory that is ready to be sent: what is written here is what the others read.
  using image = node.loan("image", { type: Uint8Array, length: BYTES })
  image.array.set(frame(count % FRAMES))
  await image.send({ width: WIDTH, height: HEIGHT, encoding: "rgb8", frame: count })
  count++
}
