/**
 * A hybrid logical clock stamp as all dora processes use it (uhlc): Unix time in seconds, the binary fraction of
 * the second in 1/2^32 (its low 4 bits count stamps of the same instant), and 16 bytes that name the clock.
 */
export type Stamp = { seconds: number; fraction: number; id: Uint8Array }

const SECOND = 0x1_0000_0000
/** A peer's clock that is further ahead than this is not followed. */
const MAX_DELTA_MS = 500

/**
 * A hybrid logical clock: its stamps never repeat or run backwards, and follow what was seen from peers.
 *
 * @example const clock = new HybridClock(); clock.merge(request.stamp); const stamp = clock.stamp()
 */
export class HybridClock {
  readonly #id: Uint8Array
  readonly #nowMs: () => number
  #seconds = 0
  #fraction = 0

  /**
   * @param id     16 bytes, not all zero; random when left out
   * @param nowMs  wall clock: milliseconds since 1970, fractions welcome
   */
  constructor(id: Uint8Array = randomId(), nowMs: () => number = Date.now) {
    this.#id = id
    this.#nowMs = nowMs
  }

  /** A stamp later than every stamp given or merged before. */
  stamp(): Stamp {
    const { seconds, fraction } = this.#now()
    const lastFraction = (this.#fraction & ~0xf) >>> 0
    if (later(seconds, fraction, this.#seconds, lastFraction)) this.#set(seconds, fraction)
    else this.#set(this.#seconds, this.#fraction + 1)
    return { seconds: this.#seconds, fraction: this.#fraction, id: this.#id }
  }

  /**
   * Learns a peer's stamp.
   *
   * @returns false when the peer's clock is more than 500 ms ahead: the stamp was ignored, a reason for a warning
   */
  merge(stamp: Stamp): boolean {
    const { seconds, fraction } = this.#now()
    const aheadMs = (stamp.seconds - seconds + (stamp.fraction - fraction) / SECOND) * 1000
    if (aheadMs > MAX_DELTA_MS) return false
    if (later(stamp.seconds, stamp.fraction, this.#seconds, this.#fraction)) {
      this.#set(stamp.seconds, stamp.fraction)
    }
    return true
  }

  #now(): { seconds: number; fraction: number } {
    const ms = this.#nowMs()
    const seconds = Math.floor(ms / 1000)
    return { seconds, fraction: (Math.floor((ms / 1000 - seconds) * SECOND) & ~0xf) >>> 0 }
  }

  #set(seconds: number, fraction: number): void {
    this.#seconds = fraction < SECOND ? seconds : seconds + 1
    this.#fraction = fraction % SECOND
  }
}

/** Is a point in time later than another? */
function later(seconds: number, fraction: number, thanSeconds: number, thanFraction: number) {
  return seconds > thanSeconds || (seconds === thanSeconds && fraction > thanFraction)
}

function randomId(): Uint8Array {
  const id = crypto.getRandomValues(new Uint8Array(16))
  // Old peers refuse an identity of zero.
  id[0]! |= 1
  return id
}
