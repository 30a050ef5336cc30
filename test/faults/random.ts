/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /**
   * The seed of this run: `FAULT_SEED`, or a new one; it is printed, so that a failure can be replayed.
   *
   * @example FAULT_SEED=1234 bun test test/faults/kill-producer.test.ts
   */
  static forSuite(name: string): Random {
    const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 2 ** 32))
    console.log(`${name}: FAULT_SEED=${seed}`)
    return new Random(seed)
  }

  /** A number from 0 to less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to less than `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }
}
