// For how long to poll before a sleep. docs/adr/0004-waiting.md.

/** A spin, before the event loop gets its turn: as long as it pays. */
const SPIN_NS = 20_000
/** After so many spins in vain it is shorter, */
const FAILED_SPINS = 4
const SHORT_SPIN_NS = 2000
/** but for one time in eight, when it is long enough to see a neighbour wake up. */
const LONG_SPIN_NS = 60_000
const RETRY_MASK = 7

/** Rounds of the event loop, after a spin. */
const ROUNDS_NS = 200_000
/** A message that comes sooner would have come in rounds of a neighbour that was awake. */
const SOON_NS = 300_000
/** After so many that came later there are no rounds, until one comes sooner. */
const FAILED_ROUNDS = 8

/**
 * Polls less where it is in vain. Two nodes that sleep in turns would keep each other asleep, and on one core each would wait until
 * the other has polled to the end: a long spin now and then brings them back.
 */
export class Patience {
  #spins = 0
  #rounds = 0

  /** How long to spin now, in nanoseconds. */
  get spinNs(): number {
    if (this.#spins < FAILED_SPINS) return SPIN_NS
    return (this.#spins & RETRY_MASK) === 0 ? LONG_SPIN_NS : SHORT_SPIN_NS
  }

  /** A spin has ended. @param found  something came */
  spun(found: boolean): void {
    this.#spins = found ? 0 : this.#spins + 1
  }

  /** For how long to look in rounds of the event loop. */
  get roundsNs(): number {
    return this.#rounds < FAILED_ROUNDS ? ROUNDS_NS : 0
  }

  /** Something came after so long, seen in rounds or asleep. */
  waited(ns: number): void {
    this.#rounds = ns < SOON_NS ? 0 : this.#rounds + 1
  }
}
