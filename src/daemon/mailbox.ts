import { MAX_QUEUED_EVENTS } from "../core/limits.ts"

type Waiter = (events: Uint8Array[]) => void

/**
 * The events of one node between the daemon and the node's long poll: what is queued is handed over in one go, else
 * the asker waits for the next one.
 *
 * @example mailbox.push(encodeEvent({ type: "Stop" }, stamp)); mailbox.end()
 */
export class Mailbox {
  #events: Uint8Array[] = []
  #waiter: Waiter | null = null
  #ended = false

  /** Nothing follows what is queued. */
  get ended(): boolean {
    return this.#ended
  }

  /** Events that nobody has asked for yet. */
  get pending(): number {
    return this.#events.length
  }

  /** Hands over what is queued. */
  take(): Uint8Array[] {
    return this.#events.splice(0)
  }

  /** Queues an encoded event; false when the mailbox has ended or is full. */
  push(event: Uint8Array): boolean {
    if (this.#ended || this.#events.length >= MAX_QUEUED_EVENTS) return false
    this.#events.push(event)
    this.#flush()
    return true
  }

  /** Nothing follows: from now on an empty mailbox answers with no events, which ends the node's stream. */
  end(): void {
    this.#ended = true
    this.#flush()
  }

  /**
   * Hands over what is queued, now or as soon as there is something.
   *
   * @returns false when somebody else is waiting already
   */
  next(waiter: Waiter): boolean {
    if (this.#waiter) return false
    this.#waiter = waiter
    this.#flush()
    return true
  }

  /** The waiter has gone; its connection closed. */
  forget(waiter: Waiter): void {
    if (this.#waiter === waiter) this.#waiter = null
  }

  #flush(): void {
    const waiter = this.#waiter
    if (!waiter || (this.#events.length === 0 && !this.#ended)) return
    const events = this.#events
    this.#waiter = null
    this.#events = []
    waiter(events)
  }
}
