// One line a second: how bright the pictures are, how many come, and how old they are on arrival.
import { type InputEvent, Node } from "dora-bun"

const EVERY_MS = 1000

type Window = { count: number; brightness: number; latencyMs: number }

using node = await Node.init()
const windows = new Map<string, Window>()
let began = performance.now()

for await (const event of node) {
  if (event.type !== "INPUT") continue
  const window = windows.get(event.id) ?? { count: 0, brightness: 0, latencyMs: 0 }
  windows.set(event.id, window)
  window.count++
  window.latencyMs += latencyMs(event)
  window.brightness = mean(event.array as Uint8Array)
  if (performance.now() - began >= EVERY_MS) print()
}
print()

function print(): void {
  const seconds = (performance.now() - began) / 1000
  began = performance.now()
  const texts = [...windows].map(([id, { count, brightness, latencyMs }]) => {
    const latency = count > 0 ? `, ${(latencyMs / count).toFixed(2)} ms old` : ""
    return `${id} ${(count / seconds).toFixed(1)}/s, mean ${brightness.toFixed(1)}${latency}`
  })
  if (texts.length > 0) console.log(texts.join(" · "))
  windows.clear()
}

/** Since the message was sent. */
function latencyMs(event: InputEvent): number {
  const { seconds, fraction } = event.metadata.timestamp
  const sentMs = seconds * 1000 + (fraction / 2 ** 32) * 1000
  return performance.timeOrigin + performance.now() - sentMs
}

function mean(pixels: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < pixels.length; i++) sum += pixels[i]!
  return sum / pixels.length
}
