// Counts by bucket, so that two readings of them give what happened between. Latencies: sixteen buckets for each power of
// two, from 64 ns to four minutes. Queue lengths: each of the first sixteen has its own, then one for each power of two.
import { DEPTH_BUCKETS, LATENCY_BUCKETS } from "./layout.ts"

const SMALLEST_EXPONENT = 6
const PART_BITS = 4
const PARTS = 1 << PART_BITS
/** What comes before 2³¹ ns, two seconds, is counted in integers; the rest is scaled down by this many bits. */
const SCALED_BITS = 16
const EXACT_DEPTHS = 16

/** The error of {@link bucketNs}: half of a bucket, at the narrow end of its power of two. */
export const LATENCY_ERROR = 0.5 / PARTS

/** The bucket of a latency in nanoseconds: 0 … LATENCY_BUCKETS − 1. */
export function bucketOf(ns: number): number {
  if (!(ns >= 64)) return 0
  if (ns < 0x8000_0000) return bucketOfInteger(ns | 0)
  const rest = ns / 2 ** SCALED_BITS
  if (rest >= 0x8000_0000) return LATENCY_BUCKETS - 1
  return Math.min(bucketOfInteger(rest | 0) + SCALED_BITS * PARTS, LATENCY_BUCKETS - 1)
}

function bucketOfInteger(ns: number): number {
  const exponent = 31 - Math.clz32(ns)
  const part = (ns >> (exponent - PART_BITS)) & (PARTS - 1)
  return ((exponent - SMALLEST_EXPONENT) << PART_BITS) + part
}

/** The middle of a bucket in nanoseconds. */
export function bucketNs(bucket: number): number {
  const octave = 2 ** ((bucket >> PART_BITS) + SMALLEST_EXPONENT)
  return octave * (1 + ((bucket & (PARTS - 1)) + 0.5) / PARTS)
}

/**
 * A quantile of samples by bucket, in nanoseconds; null without samples.
 *
 * @param q  0 … 1; 1 is the largest
 * @example quantileNs(counts, 0.99)
 */
export function quantileNs(counts: ArrayLike<number>, q: number): number | null {
  let total = 0
  for (let i = 0; i < LATENCY_BUCKETS; i++) total += counts[i]!
  if (total === 0) return null
  let left = Math.max(1, Math.ceil(total * q))
  let bucket = -1
  while (left > 0) left -= counts[++bucket]!
  return bucketNs(bucket)
}

/** What was counted between two readings, the earlier one being nothing when it is left out. */
export function countsBetween(now: Int32Array, since?: Int32Array): Float64Array {
  return Float64Array.from(now, (count, i) => (count - (since?.[i] ?? 0)) >>> 0)
}

/** The bucket of the number of messages in a queue: 0 … DEPTH_BUCKETS − 1. */
export function depthBucketOf(depth: number): number {
  if (depth <= EXACT_DEPTHS) return Math.max(depth, 1) - 1
  return Math.min(EXACT_DEPTHS + 27 - Math.clz32(depth - 1), DEPTH_BUCKETS - 1)
}

/** The most messages that a bucket stands for. */
export function bucketDepth(bucket: number): number {
  return bucket < EXACT_DEPTHS ? bucket + 1 : 2 ** (bucket - EXACT_DEPTHS + 5)
}

/** The longest queue of some samples by bucket; 0 without samples. */
export function longestQueue(counts: ArrayLike<number>): number {
  for (let i = DEPTH_BUCKETS - 1; i >= 0; i--) if (counts[i]! > 0) return bucketDepth(i)
  return 0
}
