// Sends noisy pictures of a disc that moves from left to right: 320 × 240 pixels, one byte each.
import { Node } from "dora-bun"

const WIDTH = 320
const HEIGHT = 240
const RADIUS = 30

using node = await Node.init()
let frame = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const center = (frame * 4) % WIDTH
  using sample = node.loan("image", { type: Uint8Array, length: WIDTH * HEIGHT })
  const pixels = sample.array
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const inside = (x - center) ** 2 + (y - HEIGHT / 2) ** 2 < RADIUS ** 2
      const noise = Math.random() < 0.1 ? Math.random() * 255 : 0
      pixels[y * WIDTH + x] = inside ? 255 - noise : noise
    }
  }
  await sample.send({ width: WIDTH, height: HEIGHT, frame: frame++, center })
}
