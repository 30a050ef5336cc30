// For how long to poll before a sleep. docs/adr/0004-waiting.md.

/** As long as polling pays. */
const USUAL_NS = 20_000
/** After so many times in vain it is shorter, */
const FAILED = 4
const SHORT_NS = 2000
/** but for one time in eight, when it is long enough to see a neighbour wake up. */
const LONG_NS = 60_000
const RETRY_MASK = 7

/**
 * Polls less where it is in vain. Two nodes that sleep in turns would keep each other asleep, and on one core each would wait until
 * the other has polled to the end: a long try now and then brings them back.
 */
export class Patience {
  #failed = 0

  /** How long to poll now, in nanoseconds. */
  get spinNs(): number {
    if (this.#failed < FAILED) return USUAL_NS
    return (this.#failed & RETRY_MASK) === 0 ? LONG_NS : SHORT_NS
  }

  /** Polling has ended. @param found  something came */
  polled(found: boolean): void {
    this.#failed = found ? 0 : this.#failed + 1
  }
}
