// The clock of the data plane: one epoch for every process of a dataflow, and stamps made from it without garbage. Stamps
// are those of core/clock.ts (NTP64, the low four bits of the fraction are a logical counter), as two unsigned words. C code of the
// same thread makes stamps of the same clock: dora_clock in ffi/dora_writer.h.
import { clockNs } from "./libc.ts"
import { addressOf, sharedWords } from "./shared.ts"

const FRACTION_PER_NS = 2 ** 32 / 1e9
const NS_PER_FRACTION = 1e9 / 2 ** 32
/** Stamps that follow each other faster than this share readings of the clock, at most this many one reading. */
const BUSY_GAP_NS = 2000
const BATCH = 16
/** A peer's clock that is further ahead than this is not followed. */
const MAX_DELTA_NS = 5e8
/** How often two clocks are compared. */
const READINGS = 4

/** The state of a clock: the last stamp, how many stamps its reading is good for and how many of them are left … */
const SECONDS_WORD = 0
const FRACTION_WORD = 1
const LEFT_WORD = 2
const BATCH_WORD = 3
/** … the last reading, and the epoch. */
const READ_FLOAT = 2
const STATE_WORDS = 10

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
  /** What C shares: words, then the last reading and the epoch. It stays where it is. */
  readonly #words = sharedWords(STATE_WORDS)
  readonly #readings = new Float64Array(this.#words.buffer)
  readonly #epoch: Epoch
  readonly #offsetNs: number

  constructor(epoch: Epoch) {
    this.#epoch = epoch
    this.#offsetNs = difference(() => clockNs(1) - Bun.nanoseconds())
    this.#words[BATCH_WORD] = 1
    this.#readings.set([0, epoch.seconds, epoch.nanoseconds], READ_FLOAT)
  }

  /** The last stamp: seconds since 1970, as the bits of an unsigned word. */
  get seconds(): number {
    return this.#words[SECONDS_WORD]!
  }

  set seconds(seconds: number) {
    this.#words[SECONDS_WORD] = seconds
  }

  /** The last stamp: 2⁻³² seconds, as the bits of an unsigned word: integers in this range are never boxed. */
  get fraction(): number {
    return this.#words[FRACTION_WORD]!
  }

  set fraction(fraction: number) {
    this.#words[FRACTION_WORD] = fraction
  }

  /** Where C finds its state. */
  get address(): number {
    return addressOf(this.#words)
  }

  /** CLOCK_MONOTONIC in nanoseconds. */
  nowNs(): number {
    return Bun.nanoseconds() + this.#offsetNs
  }

  /** The program slept or did something else: the next stamp reads the clock. */
  idle(): void {
    this.#words[LEFT_WORD] = 0
  }

  /** Advances to a new stamp in `seconds` and `fraction`. */
  stamp(): void {
    const left = this.#words[LEFT_WORD]!
    if (left > 0) {
      this.#words[LEFT_WORD] = left - 1
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
    this.seconds = seconds
    this.fraction = fraction
  }

  /** A stamp as monotonic nanoseconds. */
  monotonicNs(seconds: number, fraction: number): number {
    const { seconds: zero, nanoseconds } = this.#epoch
    return ((seconds >>> 0) - zero) * 1e9 + (fraction >>> 0) * NS_PER_FRACTION - nanoseconds
  }

  #read(): void {
    const now = this.nowNs()
    const busyNs = BUSY_GAP_NS * this.#words[BATCH_WORD]!
    const batch = now - this.#readings[READ_FLOAT]! < busyNs ? BATCH : 1
    this.#words[BATCH_WORD] = batch
    this.#words[LEFT_WORD] = batch - 1
    this.#readings[READ_FLOAT] = now
    const ns = now + this.#epoch.nanoseconds
    const whole = Math.floor(ns / 1e9)
    const seconds = whole + this.#epoch.seconds
    const fraction = Math.floor(((ns - whole * 1e9) * FRACTION_PER_NS) / 16) * 16
    if (this.#isLater(seconds, fraction)) {
      this.seconds = seconds
      this.fraction = fraction
    } else this.#tick()
  }

  #isLater(seconds: number, fraction: number): boolean {
    const last = this.seconds >>> 0
    const second = seconds >>> 0
    return second > last || (second === last && fraction >>> 0 > this.fraction >>> 0)
  }

  #tick(): void {
    const words = this.#words
    const fraction = (words[FRACTION_WORD]! + 1) | 0
    words[FRACTION_WORD] = fraction
    if (fraction === 0) words[SECONDS_WORD] = words[SECONDS_WORD]! + 1
  }
}
