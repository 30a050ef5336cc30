// One input of a node under the official daemon, as its thread sees it: messages from TCP on their way into the ring.
import type { PassingHead, PassingOutput } from "../../shm/passing.ts"
import type { Waiter } from "../waiter.ts"
import type { Waiting } from "../waiting.ts"

type Arrived = { head: PassingHead; data: Uint8Array }

/** Puts messages into the ring of an input, and keeps those for which a `backpressure` queue has no room yet. */
export class Arrivals implements Waiter {
  readonly #output: PassingOutput
  readonly #waiting: Waiting
  readonly #made: () => void
  readonly #queue: Arrived[] = []
  #ending = false
  /** Bytes that wait for room. */
  waitingBytes = 0

  /** @param made  called when messages that waited have found room */
  constructor(output: PassingOutput, waiting: Waiting, made: () => void) {
    this.#output = output
    this.#waiting = waiting
    this.#made = made
  }

  /** How many messages wait for room. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Takes a message; its bytes stay as they are until they are in the ring. */
  take(head: PassingHead, data: Uint8Array): void {
    if (this.#queue.length === 0 && this.#output.publish(head, data)) return
    this.#queue.push({ head, data })
    this.waitingBytes += data.byteLength
    if (this.#queue.length === 1) this.#waiting.add(this)
  }

  /** Ends the input after the last message. */
  end(): void {
    this.#ending = true
    if (this.#queue.length === 0) this.#output.writer.close()
  }

  attempt(): boolean {
    const before = this.#queue.length
    while (this.#queue.length > 0) {
      const { head, data } = this.#queue[0]!
      if (!this.#output.publish(head, data)) break
      this.waitingBytes -= data.byteLength
      this.#queue.shift()
    }
    if (this.#queue.length < before) this.#made()
    if (this.#queue.length > 0) return false
    this.#output.writer.unwant()
    if (this.#ending) this.#output.writer.close()
    return true
  }

  pending(): boolean {
    return this.#output.writer.ready(true)
  }
}
