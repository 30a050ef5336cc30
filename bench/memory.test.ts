import { expect, test } from "bun:test"
import { residentOf, slopeOf } from "./memory.ts"
import { randomOf } from "./statistics.ts"

const series = (count: number, value: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => [i / 2, value(i)] as const)

test("a straight rise is found as it is", () => {
  const { value, low, high } = slopeOf(series(20, (i) => 1000 + 3 * (i / 2)))
  for (const slope of [value, low, high]) expect(slope).toBeCloseTo(3, 9)
})

/** In how many of 200 series the interval holds the slope that they were made with. */
function covered(noise: (random: () => number) => (i: number) => number, slope: number): number {
  let held = 0
  for (let seed = 1; seed <= 200; seed++) {
    const at = noise(randomOf(seed))
    const { low, high } = slopeOf(series(60, (i) => slope * (i / 2) + at(i)))
    if (low <= slope && slope <= high) held++
  }
  return held / 200
}

test("the interval holds the true slope in about 19 of 20 cases, for independent noise and for waves of garbage", () => {
  const white = covered((random) => () => (random() - 0.5) * 100, 2)
  expect(white).toBeGreaterThan(0.9)
  // Rises until it is collected, at moments that differ.
  const waves = covered((random) => {
    let level = 0
    return () => {
      level = random() < 0.15 ? 0 : level + 10
      return level
    }
  }, 2)
  expect(waves).toBeGreaterThan(0.88)
})

test("a leak stands out from the noise", () => {
  const random = randomOf(7)
  const { low } = slopeOf(series(120, (i) => 50 * (i / 2) + (random() - 0.5) * 200))
  expect(low).toBeGreaterThan(40)
})

test("memory of this process is what it has touched, and nobody's is nothing", () => {
  const before = residentOf(process.pid)!
  const touched = new Uint8Array(64 << 20).fill(1)
  const after = residentOf(process.pid)!
  expect(touched[12_345]).toBe(1)
  const grown = (after.own - before.own) / touched.length
  expect(grown).toBeGreaterThan(0.9)
  expect(grown).toBeLessThan(1.5)
  expect(residentOf(2 ** 30)).toBeNull()
})
