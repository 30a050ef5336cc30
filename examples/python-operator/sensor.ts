// Sends twenty windows of a sine with noise on it; each window holds one period more than the one before.
import { Node } from "dora-bun"

const SAMPLES = 2000
const WINDOWS = 20

/** The same noise in every run. */
function noise(i: number): number {
  return (((i * 7919) % 101) / 101 - 0.5) * 0.4
}

using node = await Node.init()
for (let periods = 1; periods <= WINDOWS; periods++) {
  const turn = (2 * Math.PI * periods) / SAMPLES
  const window = Float32Array.from({ length: SAMPLES }, (_, i) => Math.sin(i * turn) + noise(i))
  await node.sendOutput("window", window, { periods })
}
