// A sine that grows from window to window, with a spike on every eighth sample.
import { Node } from "dora-bun"

const WINDOWS = 20
const SAMPLES = 64

using node = await Node.init()
const window = new Float32Array(SAMPLES)
for (let number = 1; number <= WINDOWS; number++) {
  for (let i = 0; i < SAMPLES; i++) {
    window[i] = (number * Math.sin(i / 10)) / WINDOWS + (i % 8 === 0 ? 0.5 : 0)
  }
  await node.sendOutput("window", window)
}
