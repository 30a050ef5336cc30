import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { bucketNs, bucketOf, quantileNs } from "./histogram.ts"
import { HISTOGRAM_BUCKETS } from "./layout.ts"

const SEED = 20_261_204
const AT = 3
const latency = fc.oneof(
  fc.double({ min: 64, max: 1000, noNaN: true }),
  fc.integer({ min: 64, max: 2 ** 31 }),
  fc.integer({ min: 7, max: 36 }).map((exponent) => 2 ** exponent - 1),
)

function counted(samples: number[]): Int32Array {
  const words = new Int32Array(AT + HISTOGRAM_BUCKETS + 5).fill(-7)
  words.fill(0, AT, AT + HISTOGRAM_BUCKETS)
  for (const sample of samples) words[AT + bucketOf(sample)]!++
  return words
}

describe("a bucket", () => {
  test("stands for its samples within 13 %, from 64 ns to a minute", () => {
    const property = fc.property(latency, (ns) => {
      const error = Math.abs(bucketNs(bucketOf(ns)) - ns) / ns
      expect(error).toBeLessThan(0.13)
    })
    fc.assert(property, { seed: SEED, numRuns: 5000, includeErrorInReport: true })
    expect(bucketOf(60e9)).toBeLessThan(HISTOGRAM_BUCKETS - 1)
  })

  test("of a longer latency is never a lower one", () => {
    const property = fc.property(latency, latency, (a, b) => {
      expect(bucketOf(Math.max(a, b))).toBeGreaterThanOrEqual(bucketOf(Math.min(a, b)))
    })
    fc.assert(property, { seed: SEED, numRuns: 5000, includeErrorInReport: true })
  })

  test("is the first for what is too short, and for a clock that went wrong", () => {
    for (const ns of [0, 1, 63.9, -5, -1e12, Number.NaN]) expect(bucketOf(ns)).toBe(0)
  })

  test("is the last for what is too long", () => {
    for (const ns of [2 ** 38, 1e15, Number.MAX_VALUE]) {
      expect(bucketOf(ns)).toBe(HISTOGRAM_BUCKETS - 1)
    }
  })
})

describe("a quantile", () => {
  test("is the sample at its rank, to the width of a bucket", () => {
    const samples = fc.array(latency, { minLength: 1, maxLength: 300, size: "max" })
    const share = fc.constantFrom(0.001, 0.5, 0.9, 0.99, 1)
    const property = fc.property(samples, share, (list, q) => {
      const sorted = list.toSorted((a, b) => a - b)
      const exact = sorted[Math.ceil(list.length * q) - 1]!
      expect(quantileNs(counted(list), AT, q)).toBe(bucketNs(bucketOf(exact)))
    })
    fc.assert(property, { seed: SEED, numRuns: 500, includeErrorInReport: true })
  })

  test("of nothing is null, and words beside the histogram don't count", () => {
    expect(quantileNs(counted([]), AT, 0.5)).toBeNull()
    expect(quantileNs(counted([1000]), AT, 1)).toBe(bucketNs(bucketOf(1000)))
  })
})
