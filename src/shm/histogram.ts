// Latencies by logarithmic bucket: four buckets for each power of two, from 64 ns to about a minute; an error of at most 12 %.
import { HISTOGRAM_BUCKETS } from "./layout.ts"

const SMALLEST_EXPONENT = 6
const BUCKETS_PER_OCTAVE = 4

/** The bucket of a latency in nanoseconds: 0 … HISTOGRAM_BUCKETS − 1. */
export function bucketOf(ns: number): number {
  if (!(ns >= 64)) return 0
  const octave = Math.floor(Math.log2(ns))
  const part = Math.floor((ns / 2 ** octave - 1) * BUCKETS_PER_OCTAVE)
  const bucket = (octave - SMALLEST_EXPONENT) * BUCKETS_PER_OCTAVE + part
  return Math.min(bucket, HISTOGRAM_BUCKETS - 1)
}

/** The middle of a bucket in nanoseconds. */
export function bucketNs(bucket: number): number {
  const octave = 2 ** (Math.floor(bucket / BUCKETS_PER_OCTAVE) + SMALLEST_EXPONENT)
  return octave * (1 + ((bucket % BUCKETS_PER_OCTAVE) + 0.5) / BUCKETS_PER_OCTAVE)
}

/**
 * A quantile of the samples counted in `words[at …]`, in nanoseconds; null without samples.
 *
 * @example quantileNs(words, base + HISTOGRAM_WORD, 0.99)
 */
export function quantileNs(words: Int32Array, at: number, q: number): number | null {
  let total = 0
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) total += words[at + i]!
  if (total === 0) return null
  let left = Math.ceil(total * q)
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
    left -= words[at + i]!
    if (left <= 0) return bucketNs(i)
  }
  return bucketNs(HISTOGRAM_BUCKETS - 1)
}
