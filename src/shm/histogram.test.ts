import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import {
  bucketDepth,
  bucketNs,
  bucketOf,
  depthBucketOf,
  LATENCY_ERROR,
  longestQueue,
  quantileNs,
} from "./histogram.ts"
import { DEPTH_BUCKETS, LATENCY_BUCKETS } from "./layout.ts"

const SEED = 20_261_204
const latency = fc.oneof(
  fc.double({ min: 64, max: 1000, noNaN: true }),
  fc.integer({ min: 64, max: 2 ** 31 }),
  fc.integer({ min: 6, max: 37 }).map((exponent) => 2 ** exponent),
  fc.integer({ min: 7, max: 37 }).map((exponent) => 2 ** exponent - 1),
  fc.double({ min: 2 ** 30, max: 2 ** 37, noNaN: true }),
)
const check = { seed: SEED, numRuns: 5000, includeErrorInReport: true }

function counted(samples: number[]): Int32Array {
  const words = new Int32Array(LATENCY_BUCKETS)
  for (const sample of samples) words[bucketOf(sample)]!++
  return words
}

describe("a bucket", () => {
  test("stands for its samples within 3.2 %, from 64 ns to four minutes", () => {
    const property = fc.property(latency, (ns) => {
      const error = Math.abs(bucketNs(bucketOf(ns)) - ns) / ns
      expect(error).toBeLessThanOrEqual(LATENCY_ERROR)
    })
    fc.assert(property, check)
    expect(LATENCY_ERROR).toBeLessThan(0.032)
    expect(bucketOf(240e9)).toBeLessThan(LATENCY_BUCKETS - 1)
  })

  test("of a longer latency is never a lower one", () => {
    const property = fc.property(latency, latency, (a, b) => {
      expect(bucketOf(Math.max(a, b))).toBeGreaterThanOrEqual(bucketOf(Math.min(a, b)))
    })
    fc.assert(property, check)
  })

  test("is used by some latency, each of them", () => {
    const used = new Set(Array.from({ length: LATENCY_BUCKETS }, (_, i) => bucketOf(bucketNs(i))))
    expect(used.size).toBe(LATENCY_BUCKETS)
  })

  test("is the first for what is too short, and for a clock that went wrong", () => {
    for (const ns of [0, 1, 63.9, -5, -1e12, Number.NaN]) expect(bucketOf(ns)).toBe(0)
  })

  test("is the last for what is too long", () => {
    for (const ns of [2 ** 38, 1e15, 2 ** 47, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      expect(bucketOf(ns)).toBe(LATENCY_BUCKETS - 1)
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
      expect(quantileNs(counted(list), q)).toBe(bucketNs(bucketOf(exact)))
    })
    fc.assert(property, { ...check, numRuns: 500 })
  })

  test("of nothing is null, and of one sample that sample", () => {
    expect(quantileNs(counted([]), 0.5)).toBeNull()
    for (const q of [0, 0.5, 1])
      expect(quantileNs(counted([1000]), q)).toBe(bucketNs(bucketOf(1000)))
  })
})

describe("the length of a queue", () => {
  test("is exact up to 16, then the power of two above it", () => {
    for (let depth = 1; depth <= 16; depth++) expect(bucketDepth(depthBucketOf(depth))).toBe(depth)
    for (let depth = 17; depth <= 65_536; depth++) {
      const said = bucketDepth(depthBucketOf(depth))
      if (said < depth || said >= 2 * depth) throw new Error(`${depth} counts as ${said}`)
    }
  })

  test("that can't be counts as the nearest that can", () => {
    for (const depth of [0, -1, -(2 ** 31)]) expect(depthBucketOf(depth)).toBe(0)
    expect(depthBucketOf(2 ** 31 - 1)).toBeLessThan(DEPTH_BUCKETS)
  })

  test("that was the longest is found among the samples", () => {
    const counts = new Int32Array(DEPTH_BUCKETS)
    expect(longestQueue(counts)).toBe(0)
    for (const depth of [1, 9, 3]) counts[depthBucketOf(depth)]!++
    expect(longestQueue(counts)).toBe(9)
  })
})
