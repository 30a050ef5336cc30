// Gives every operator its events, in turn, and waits for all of them together.
import { type Forecast, together } from "../node/anticipation.ts"
import type { Pollable, Waiter } from "../node/waiter.ts"
import type { Waiting } from "../node/waiting.ts"
import type { Instance } from "./instance.ts"

/** Turns of the microtask queue that a call which answers by a promise gets before the event loop goes on. */
const PATIENCE = 8

/** The runtime's loop. */
export class Pump implements Pollable<true> {
  readonly #instances: readonly Instance[]
  readonly #waiting: Waiting
  #closed = false

  constructor(instances: readonly Instance[], waiting: Waiting) {
    this.#instances = instances
    this.#waiting = waiting
  }

  /** Runs until every operator is over, or {@link close}. */
  async run(): Promise<void> {
    while (!this.ended) {
      if (this.#drain() && this.#spin()) continue
      if (await this.#patient()) continue
      if (this.ended) return
      await this.#wait()
    }
  }

  /** Delivers what is there while this turn of the event loop lasts. @returns does it last on? */
  #drain(): boolean {
    while (this.#mayGoOn()) if (this.poll() === null) return true
    return false
  }

  /** Ends the loop. */
  close(): void {
    this.#closed = true
    this.#waiting.interrupt()
  }

  get ended(): boolean {
    if (this.#closed) return true
    for (const instance of this.#instances) if (!instance.over) return false
    return true
  }

  /** One event for each operator that has one and is free. */
  poll(): true | null {
    let any: true | null = null
    const instances = this.#instances
    for (let i = 0; i < instances.length; i++) {
      const instance = instances[i]!
      if (instance.free && instance.deliver(instance.next())) any = true
    }
    return any
  }

  pollArrived(): true | null {
    let any: true | null = null
    const instances = this.#instances
    for (let i = 0; i < instances.length; i++) {
      const instance = instances[i]!
      if (instance.free && instance.deliver(instance.receiver.pollArrived())) any = true
    }
    return any
  }

  /** What the operators that are free expect next. */
  forecast(nowNs: number): Forecast {
    const free = this.#instances.filter((one) => one.free)
    return together(free.map((one) => one.receiver.forecast(nowNs)))
  }

  /** May more be delivered without leaving this turn of the event loop? */
  #mayGoOn(): boolean {
    return !this.#closed && !this.#waiting.active && this.#waiting.mayContinue()
  }

  #spin(): boolean {
    return !this.#anyBusy() && this.#waiting.spinFor(this) !== null
  }

  /** Calls that only need some turns of the microtask queue have ended. */
  async #patient(): Promise<boolean> {
    if (this.#waiting.active || !this.#anyBusy()) return false
    for (let i = 0; i < PATIENCE; i++) {
      await null
      if (this.poll()) return true
    }
    return false
  }

  #anyBusy(): boolean {
    for (const instance of this.#instances) if (instance.busy) return true
    return false
  }

  #wait(): Promise<void> {
    const instances = this.#instances
    return new Promise((resolve) => {
      const waiter: Waiter = {
        attempt: () => {
          if (this.poll() === null && !this.ended) return false
          resolve()
          return true
        },
        pending: () => this.ended || instances.some((one) => one.free && one.receiver.pending()),
        forecast: (nowNs) => this.forecast(nowNs),
      }
      this.#waiting.add(waiter)
    })
  }
}
