// One turn of the event loop: how long it may last. docs/adr/0004-waiting.md.
import type { FlowClock } from "../shm/clock.ts"

/** A program's timers, sockets and signals never wait longer than this. */
export const SLICE_NS = 1_000_000
/** Events without a look at the clock: a program may become slow from one to the next. */
const MOST_CREDIT = 32

/** The turn of the event loop under way. */
export class Turn {
  readonly #clock: FlowClock
  #beganNs = 0
  #credit = 0
  #handed = 0

  constructor(clock: FlowClock) {
    this.#clock = clock
  }

  /** When it began, in monotonic nanoseconds. */
  get beganNs(): number {
    return this.#beganNs
  }

  /** Another one begins. */
  begin(nowNs: number): void {
    this.#beganNs = nowNs
    this.#credit = 0
    this.#handed = 1
  }

  /** May one more event be handed out in this turn? */
  mayContinue(): boolean {
    if (this.#credit-- > 0) return true
    const elapsed = this.#clock.nowNs() - this.#beganNs
    if (elapsed >= SLICE_NS) return false
    // Look at the clock again after about a quarter of a slice at the present pace.
    this.#credit = Math.min(
      MOST_CREDIT,
      Math.floor((this.#handed * SLICE_NS) / (4 * Math.max(elapsed, 1))),
    )
    this.#handed += this.#credit + 1
    return true
  }
}

/** Lets the event loop begin another turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
