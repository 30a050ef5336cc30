const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** What a request to stop leads to: the first asks, the second insists, the third gives up on order. */
export type StopSteps = { stop(why: string): void; kill(): void; abort(): void }

/** Counts requests to stop, whether they come as signals or as keys. */
export class StopRequests implements Disposable {
  #count = 0
  readonly #steps: StopSteps
  readonly #listener = (signal: string) => this.request(signal)

  constructor(steps: StopSteps) {
    this.#steps = steps
    for (const signal of SIGNALS) process.on(signal, this.#listener)
  }

  /** Somebody had to ask more than once: the end was not an orderly one. */
  get insisted(): boolean {
    return this.#count > 1
  }

  /**
   * Takes the next step.
   *
   * @param why  what asked for it, for the message: a signal or a key
   */
  request(why: string): void {
    this.#count++
    if (this.#count === 1) this.#steps.stop(why)
    else if (this.#count === 2) this.#steps.kill()
    else this.#steps.abort()
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener)
  }
}
