// Times of one take. They are kept raw while they are taken, since a record in a histogram costs as much as half of a hop, and
// go into a histogram afterwards.
import { createHistogram } from "node:perf_hooks"
import { clockNs } from "../../src/shm/libc.ts"

const LONGEST_NS = 3_600_000_000_000
/** Shares of messages at which a distribution is drawn: finer towards the tail, half a decade of it at most eight points. */
export const SHARES = [
  0,
  0.01,
  0.05,
  0.1,
  0.2,
  0.3,
  0.4,
  0.5,
  0.6,
  0.7,
  0.8,
  ...Array.from({ length: 33 }, (_, i) => 1 - 10 ** (-1 - i / 8)),
  1,
]

/** Durations in nanoseconds, as many as fit. */
export class Times {
  readonly #ns: Float64Array
  #count = 0

  constructor(most: number) {
    this.#ns = new Float64Array(most)
  }

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** Is there room for more? */
  get full(): boolean {
    return this.#count === this.#ns.length
  }

  /** Adds one; there must be room. */
  add(ns: number): void {
    this.#ns[this.#count++] = ns
  }

  /** Quantiles by name, and the distribution. */
  summary() {
    const histogram = createHistogram({ lowest: 1, highest: LONGEST_NS, figures: 3 })
    // Clocks of two processes agree to some tens of nanoseconds: what seems negative took next to nothing.
    for (let i = 0; i < this.#count; i++) histogram.record(Math.max(1, Math.round(this.#ns[i]!)))
    const { min, max, mean } = histogram
    // A quantile is the upper end of its bucket.
    const at = (share: number) => Math.min(max, histogram.percentile(Math.max(share * 100, 1e-9)))
    const [p50, p90, p99, p999] = [at(0.5), at(0.9), at(0.99), at(0.999)]
    // A quantile needs messages beyond it.
    const beyond = (share: number) => share === 1 || this.#count * (1 - share) >= 1
    const cdf = SHARES.filter(beyond).map((share) => [share, at(share)])
    return { count: this.#count, min, p50, p90, p95: at(0.95), p99, p999, max, mean, cdf }
  }
}

const COMPARISONS = 200

/** A clock that all processes of the machine agree on (CLOCK_MONOTONIC), as cheap to read as Bun's own. */
export function sharedClock(): () => number {
  // An interruption between the two readings makes a difference too small, so the largest counts.
  let offset = Number.NEGATIVE_INFINITY
  for (let i = 0; i < COMPARISONS; i++) offset = Math.max(offset, clockNs(1) - Bun.nanoseconds())
  return () => Bun.nanoseconds() + offset
}
