// The clock of the data plane: one epoch for every process of a dataflow, and stamps made from it without garbage. Stamps
// are those of core/clock.ts (NTP64, the low four bits of the fraction are a logical counter), as two unsigned words.
import { clockNs } from "./libc.ts"

const FRACTION_PER_NS = 2 ** 32 / 1e9
const NS_PER_FRACTION = 1e9 / 2 ** 32
/** Stamps that follow each other faster than this share readings of the clock, at most this many one reading. */
const BUSY_GAP_NS = 2000
const BATCH = 16
/** A peer's clock that is further ahead than this is not followed. */
const MAX_DELTA_NS = 5e8
/** How often two clocks are compared. */
const READINGS = 4

/** Real time minus monotonic time. */
export type Epoch = { seconds: number; nanoseconds: number }

/** The epoch of a new dataflow. */
export function readEpoch(): Epoch {
  const seconds = Math.floor(clockNs(0) / 1e9)
  return { seconds, nanoseconds: difference(() => clockNs(0) - seconds * 1e9 - clockNs(1)) }
}

/** A clock minus one that is read after it. An interruption in between makes it too small, so the largest of some counts. */
function difference(read: () => number): number {
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < READINGS; i++) most = Math.max(most, read())
  return Math.round(most)
}

/**
 * Makes stamps that never go back. Reading the clock costs a third of a message's way, so while stamps follow each other
 * closely most of them reuse the last reading and advance the logical counter.
 *
 * @example clock.stamp(); write(clock.seconds, clock.fraction)
 */
export class FlowClock {
  /** The last stamp: seconds since 1970, as the bits of an unsigned word. */
  seconds = 0
  /** The last stamp: 2⁻³² seconds, as the bits of an unsigned word: integers in this range are never boxed. */
  fraction = 0
  readonly #epoch: Epoch
  readonly #offsetNs: number
  #readNs = 0
  /** Stamps made with one reading, and how many of them are left. */
  #batch = 1
  #left = 0

  constructor(epoch: Epoch) {
    this.#epoch = epoch
    this.#offsetNs = difference(() => clockNs(1) - Bun.nanoseconds())
  }

  /** CLOCK_MONOTONIC in nanoseconds. */
  nowNs(): number {
    return Bun.nanoseconds() + this.#offsetNs
  }

  /** The program slept or did something else: the next stamp reads the clock. */
  idle(): void {
    this.#left = 0
  }

  /** Advances to a new stamp in `seconds` and `fraction`. */
  stamp(): void {
    if (this.#left > 0) {
      this.#left--
      this.#tick()
    } else this.#read()
  }

  /** Takes over a peer's stamp, so that later stamps of ours are larger. */
  observe(seconds: number, fraction: number): void {
    if (!this.#isLater(seconds, fraction)) return
    // The clock is read for the first message of a second only: within one nobody can be far ahead.
    if (seconds >>> 0 !== this.seconds >>> 0) {
      if (this.monotonicNs(seconds, fraction) - this.nowNs() > MAX_DELTA_NS) return
    }
    this.seconds = seconds | 0
    this.fraction = fraction | 0
  }

  /** A stamp as monotonic nanoseconds. */
  monotonicNs(seconds: number, fraction: number): number {
    const { seconds: zero, nanoseconds } = this.#epoch
    return ((seconds >>> 0) - zero) * 1e9 + (fraction >>> 0) * NS_PER_FRACTION - nanoseconds
  }

  #read(): void {
    const now = this.nowNs()
    this.#batch = now - this.#readNs < BUSY_GAP_NS * this.#batch ? BATCH : 1
    this.#left = this.#batch - 1
    this.#readNs = now
    const ns = now + this.#epoch.nanoseconds
    const whole = Math.floor(ns / 1e9)
    const seconds = whole + this.#epoch.seconds
    const fraction = Math.floor(((ns - whole * 1e9) * FRACTION_PER_NS) / 16) * 16
    if (this.#isLater(seconds, fraction)) {
      this.seconds = seconds | 0
      this.fraction = fraction | 0
    } else this.#tick()
  }

  #isLater(seconds: number, fraction: number): boolean {
    const last = this.seconds >>> 0
    const second = seconds >>> 0
    return second > last || (second === last && fraction >>> 0 > this.fraction >>> 0)
  }

  #tick(): void {
    this.fraction = (this.fraction + 1) | 0
    if (this.fraction === 0) this.seconds = (this.seconds + 1) | 0
  }
}
