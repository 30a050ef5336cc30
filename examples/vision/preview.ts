// Draws both pictures in the terminal that `dora run` was started in; prints figures where there is none.
import { Node, type Parameters } from "dora-bun"
import { openScreen } from "./screen.ts"

const DRAW_EVERY_MS = 100
const PRINT_EVERY_MS = 1000

using node = await Node.init()
// `dora run` says which terminal it writes to; a node's own stdout is a pipe into the log.
const terminal = process.env.DORA_BUN_TTY
using screen = terminal ? openScreen(terminal) : null
const seen: Record<string, number> = {}
const latest: Record<string, string> = {}
const drawn: Record<string, number> = {}
let last = performance.now()

for await (const event of node) {
  if (event.type !== "INPUT") continue
  const pixels = event.array as Uint8Array
  const parameters = event.metadata.parameters
  seen[event.id] = (seen[event.id] ?? 0) + 1
  latest[event.id] = describe(pixels, parameters)
  const now = performance.now()
  if (screen) {
    if (now - (drawn[event.id] ?? 0) < DRAW_EVERY_MS) continue
    drawn[event.id] = now
    screen.draw(event.id === "camera" ? 0 : 1, pixels, parameters)
  } else if (now - last >= PRINT_EVERY_MS) {
    last = now
    print()
  }
}
if (!screen) print()

function print(): void {
  for (const [id, text] of Object.entries(latest)) console.log(`${id}: ${seen[id]} seen, ${text}`)
}

function describe(pixels: Uint8Array, parameters: Parameters): string {
  const { width, height, encoding } = parameters as {
    width: number
    height: number
    encoding: string
  }
  const channels = encoding === "rgb8" ? 3 : 1
  const centre = ((height >> 1) * width + (width >> 1)) * channels
  return `${width}×${height} ${encoding}, centre ${pixels.subarray(centre, centre + channels).join(" ")}`
}
