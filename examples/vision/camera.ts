// Plays the frames of frames/ in a circle, one for each tick, as a camera would deliver them.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Node } from "dora-bun"
import { decode } from "jpeg-js"

const WIDTH = 640
const HEIGHT = 480
const BYTES = WIDTH * HEIGHT * 3

/** Decoded before the node joins: the dataflow starts when its camera is ready. */
const frames = readFrames(join(import.meta.dir, "frames"))

using node = await Node.init()
let count = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  // Shared memory that is ready to be sent: what is written here is what the others read.
  using image = node.loan("image", { type: Uint8Array, length: BYTES })
  image.array.set(frames[count % frames.length]!)
  await image.send({ width: WIDTH, height: HEIGHT, encoding: "rgb8", frame: count })
  count++
}

function readFrames(folder: string): Uint8Array[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".jpg"))
  return names.sort().map((name) => {
    const file = readFileSync(join(folder, name))
    const { data } = decode(file, { useTArray: true, formatAsRGBA: false })
    if (data.byteLength !== BYTES) throw new Error(`${name} is not ${WIDTH} × ${HEIGHT}`)
    return data
  })
}
