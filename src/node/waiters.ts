import { type Forecast, NO_FORECAST, together } from "./anticipation.ts"
import type { Waiter } from "./waiter.ts"

/** Everybody in this process who waits, in the order in which they came. */
export class Waiters {
  readonly #list: Waiter[] = []

  get any(): boolean {
    return this.#list.length > 0
  }

  add(waiter: Waiter): void {
    this.#list.push(waiter)
  }

  remove(waiter: Waiter): void {
    const at = this.#list.indexOf(waiter)
    if (at >= 0) this.#list.splice(at, 1)
  }

  /** Lets every one try once; who succeeds waits no longer. Did any? */
  serve(): boolean {
    const list = this.#list
    // Mostly there is one.
    if (list.length === 1) return this.#serveOne(list[0]!)
    let served = false
    let turnGiven = false
    for (const waiter of [...list]) {
      if (waiter.inTurn && turnGiven) continue
      turnGiven ||= waiter.inTurn === true
      if (list.includes(waiter) && this.#serveOne(waiter)) served = true
    }
    return served
  }

  #serveOne(waiter: Waiter): boolean {
    if (!waiter.attempt()) return false
    this.remove(waiter)
    return true
  }

  /** Would somebody find something now? */
  pending(): boolean {
    for (const waiter of this.#list) if (waiter.pending()) return true
    return false
  }

  /** What all together expect. */
  forecast(nowNs: number): Forecast {
    return together(this.#list.map((waiter) => waiter.forecast?.(nowNs) ?? NO_FORECAST))
  }
}
