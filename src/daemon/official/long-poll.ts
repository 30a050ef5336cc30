import type { Connection } from "./connection.ts"

/** Who has been answered is left alone this long, unless there is something to tell. */
const REST_NS = 50e6

/**
 * The long poll of one node. Its next request follows each answer at once, but there is nothing to do about it until there
 * are events; so nobody is woken by it, and it is read when it is needed. Who asks for something else there is heard a moment
 * later.
 */
export class LongPoll {
  /** Who waits for events. */
  waiter: Connection | null = null
  /** When who rests is listened to again, in monotonic nanoseconds. */
  restsUntilNs = Number.POSITIVE_INFINITY
  #resting: Connection | null = null

  /** Somebody waits, or will have asked by the time that there is something to tell. */
  get expected(): boolean {
    return this.waiter !== null || this.#resting !== null
  }

  /** Who was answered and is left alone. */
  get resting(): Connection | null {
    return this.#resting
  }

  /** A long poll has come in. @returns false when another one waits */
  wait(connection: Connection): boolean {
    if (this.waiter && this.waiter !== connection) return false
    this.waiter = connection
    this.#wake()
    return true
  }

  /** An answer has been written. */
  answered(connection: Connection, nowNs: number): void {
    this.rest(connection, nowNs + REST_NS)
  }

  /** Somebody, or nobody, is left alone for a while. */
  rest(connection: Connection | null, untilNs: number): void {
    this.#resting = connection
    this.restsUntilNs = connection ? untilNs : Number.POSITIVE_INFINITY
  }

  /** Nothing but the end of this connection is of interest now. */
  rests(connection: Connection): boolean {
    return this.#resting === connection
  }

  /** Whose rest is over is listened to. */
  expire(nowNs: number): void {
    if (this.restsUntilNs <= nowNs) this.#wake()
  }

  /** There is something to tell: whom? Null: nobody has asked yet. */
  find(): Connection | null {
    const resting = this.#resting
    this.#wake()
    // What it reads is the request as a rule, which makes it the waiter.
    resting?.look()
    return this.waiter
  }

  /** A connection is gone. */
  leave(connection: Connection): void {
    if (this.waiter === connection) this.waiter = null
    if (this.#resting === connection) this.#wake()
  }

  reset(): void {
    this.waiter = null
    this.#wake()
  }

  #wake(): void {
    this.rest(null, 0)
  }
}
