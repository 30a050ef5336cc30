// What the suite makes of its rounds: medians, and how sure they are.
import type { Interval } from "./result.ts"

/** Resamplings behind an interval: more change its third digit only. */
const RESAMPLES = 2000
const COVERAGE = 0.95
/** Floors within this factor count as the same state of the machine. */
const SAME_FLOOR = 1.3
/** An interval wider than this factor says little about its middle. */
const WIDE = 1.5
/** With fewer rounds than this, the interval of a median covers less than nine cases out of ten. */
export const ENOUGH_ROUNDS = 5

/**
 * The middle value; NaN of nothing.
 *
 * @example median([3, 1, 2]) // 2
 */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Numbers in [0, 1) that are the same for the same seed, so that a result can be computed again from its rounds.
 *
 * @example const random = randomOf(1); random() // always the same
 */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * The median of paired ratios with its 95 % bootstrap interval. Each ratio must come from two takes that stood beside each
 * other, so that what the machine does to both cancels out.
 *
 * @example pairedRatio([2.1, 1.9, 2.0, 2.2, 2.0]) // { value: 2, low: 1.9, high: 2.2 }
 */
export function pairedRatio(ratios: readonly number[], seed = 1): Interval {
  const random = randomOf(seed)
  const draw = () => ratios[Math.floor(random() * ratios.length)]!
  const medians = Array.from({ length: RESAMPLES }, () => median(ratios.map(draw)))
  return { value: median(ratios), ...spread(medians) }
}

/** One round of a row as a comparison needs it: the figure, and the state of the machine at that moment. */
export type Observed = { value: number; floor?: number }

/**
 * By which factor `after` differs from `before`: the median over all pairs of rounds between which the floor had not moved,
 * with its 95 % bootstrap interval; null when there is no such pair. Rounds without a floor fit all.
 *
 * @example compareRounds([{ value: 1 }, { value: 1.1 }], [{ value: 2 }, { value: 2.2 }])?.value // 2
 */
export function compareRounds(
  before: readonly Observed[],
  after: readonly Observed[],
  seed = 1,
): Interval | null {
  const value = median(matchedRatios(before, after))
  if (Number.isNaN(value)) return null
  const random = randomOf(seed)
  const resample = (rounds: readonly Observed[]) =>
    rounds.map(() => rounds[Math.floor(random() * rounds.length)]!)
  const medians: number[] = []
  for (let i = 0; i < RESAMPLES; i++) {
    const drawn = median(matchedRatios(resample(before), resample(after)))
    if (!Number.isNaN(drawn)) medians.push(drawn)
  }
  return { value, ...spread(medians) }
}

function matchedRatios(before: readonly Observed[], after: readonly Observed[]): number[] {
  return before.flatMap((a) =>
    after.filter((b) => sameFloor(a.floor, b.floor)).map((b) => b.value / a.value),
  )
}

/**
 * Was the machine in the same state at two moments, going by their floors? Unknown floors say nothing against it.
 *
 * @example sameFloor(75, 265) // false
 */
export function sameFloor(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return true
  return Math.max(a, b) <= SAME_FLOOR * Math.min(a, b)
}

/**
 * Why an interval is no good ground for a statement, or null when it is one.
 *
 * @example noiseOf({ value: 2, low: 1, high: 4 }, 5) // "rounds lie apart: 1.00 to 4.00"
 */
export function noiseOf(interval: Interval, rounds: number): string | null {
  if (rounds < ENOUGH_ROUNDS) return `only ${rounds} ${rounds === 1 ? "round" : "rounds"}`
  if (interval.high <= WIDE * interval.low) return null
  return `rounds lie apart: ${interval.low.toPrecision(3)} to ${interval.high.toPrecision(3)}`
}

function spread(samples: number[]): { low: number; high: number } {
  samples.sort((a, b) => a - b)
  const at = (q: number) => samples[Math.round(q * (samples.length - 1))]!
  return { low: at((1 - COVERAGE) / 2), high: at((1 + COVERAGE) / 2) }
}
