import type { RestartSpec } from "../descriptor/types.ts"

/** The delay stops doubling here, as with the official daemon. */
const MAX_EXPONENT = 16
/** What a timer can wait. */
const MAX_DELAY_MS = 2 ** 31 - 1

/**
 * Decides whether a node is started again, and after how long.
 *
 * @example const decision = restarts.decide(false, performance.now())
 */
export class Restarts {
  readonly #spec: RestartSpec
  #inWindow = 0
  #windowMs = Number.NEGATIVE_INFINITY

  constructor(spec: RestartSpec) {
    this.#spec = spec
  }

  /** Could the policy ever start it again? */
  get possible(): boolean {
    return this.#spec.policy !== "never"
  }

  /**
   * The process has ended.
   *
   * @returns milliseconds to wait before the next one, or why there is none; null: the policy does not ask for one
   */
  decide(ok: boolean, nowMs: number): { delayMs: number } | { given: string } | null {
    const { policy, most, delay, maxDelay, window } = this.#spec
    if (policy === "never" || (policy === "on-failure" && ok)) return null
    if (window !== null && nowMs - this.#windowMs > window * 1000) {
      this.#inWindow = 0
      this.#windowMs = nowMs
    }
    if (most !== null && this.#inWindow >= most) {
      return { given: `max restarts (${most}) exceeded, giving up` }
    }
    const seconds = Math.min(
      delay * 2 ** Math.min(this.#inWindow, MAX_EXPONENT),
      maxDelay ?? Number.POSITIVE_INFINITY,
    )
    this.#inWindow++
    return { delayMs: Math.min(seconds * 1000, MAX_DELAY_MS) }
  }
}
