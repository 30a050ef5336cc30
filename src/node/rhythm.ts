// When the next message of a steady stream is due. docs/adr/0009-anticipation.md.

/** Streams quicker than this are met by polling anyway. */
const SHORTEST_GAP_NS = 400_000
/** Weight of the newest gap in the running means. */
const WEIGHT = 0.125
/** Gaps before the first forecast. */
const LEARNED = 6
/** Three deviations cover nearly every message of a stream that varies by chance. */
const DEVIATIONS = 3
/** A stream is steady while its spread is a small part of its gap. */
const STEADY_PART = 0.2
const LEAST_SPREAD_NS = 40_000
/** A gap that differs from the mean by more than this part of it is odd. */
const ODD_PART = 0.5
/** So many odd gaps in a row are a new rhythm; fewer are a message that was late or lost. */
const MOST_OUTLIERS = 3
/** A message that is longer under way than this says nothing about the usual way. */
const LONGEST_DELAY_NS = 1_000_000

/** Running mean and deviation of the gaps between the messages of one input. */
export class Rhythm {
  #sentNs = 0
  #gapNs = 0
  #deviationNs = 0
  #delayNs = 0
  #learned = 0
  #outliers = 0

  /** A message arrived. @param sentNs  its stamp @param nowNs  the moment it was taken; both monotonic */
  observe(sentNs: number, nowNs: number): void {
    const gap = sentNs - this.#sentNs
    this.#sentNs = sentNs
    if (gap < SHORTEST_GAP_NS) {
      this.#learned = 0
      return
    }
    this.#delayNs += WEIGHT * (Math.min(nowNs - sentNs, LONGEST_DELAY_NS) - this.#delayNs)
    if (this.#learned === 0) this.#restart(gap)
    else this.#learn(gap)
  }

  #restart(gap: number): void {
    this.#gapNs = gap
    this.#deviationNs = 0
    this.#outliers = 0
    this.#learned = 1
  }

  #learn(gap: number): void {
    const error = gap - this.#gapNs
    // The first gaps of a stream are often odd ones: it begins anew with the next.
    const learning = this.#learned < LEARNED
    if (Math.abs(error) > this.#gapNs * (learning ? STEADY_PART : ODD_PART)) {
      if (learning || ++this.#outliers >= MOST_OUTLIERS) this.#restart(gap)
      return
    }
    this.#outliers = 0
    // The first gaps count alike.
    const weight = Math.max(WEIGHT, 1 / ++this.#learned)
    this.#gapNs += weight * error
    this.#deviationNs += weight * (Math.abs(error) - this.#deviationNs)
  }

  /** Is the next message worth waiting for at {@link dueNs}? */
  get steady(): boolean {
    return this.#learned >= LEARNED && this.spreadNs < STEADY_PART * this.#gapNs
  }

  /** When the next message is expected, in monotonic nanoseconds. */
  get dueNs(): number {
    return this.#sentNs + this.#gapNs + this.#delayNs
  }

  /** How much sooner or later it may come. */
  get spreadNs(): number {
    return Math.max(DEVIATIONS * this.#deviationNs, LEAST_SPREAD_NS)
  }
}
