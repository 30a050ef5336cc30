// Finds the disc in each clean picture, and says once a second how well and how late.
import { Node } from "dora-bun"

using node = await Node.init()
let pictures = 0
let worst = 0
let said = performance.now()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { width, frame, center } = event.metadata.parameters as Record<string, number>
  const pixels = event.array as Uint8Array
  let sum = 0
  let count = 0
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i]! < 128) continue
    sum += i % width!
    count++
  }
  // Near the border only a part of the disc is in the picture.
  const whole = center! > 40 && center! < width! - 40
  if (whole) worst = Math.max(worst, Math.abs(sum / count - center!))
  pictures++
  if (performance.now() - said < 1000) continue
  said = performance.now()
  console.log(
    `picture ${frame}: ${pictures} seen, the disc found within ${worst.toFixed(1)} pixels`,
  )
}
console.log(`${pictures} pictures, worst ${worst.toFixed(2)} pixels`)
