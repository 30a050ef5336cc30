import type { Complaints } from "./complaints.ts"
import type { RelayInput } from "./input.ts"
import type { Outgoing } from "./outgoing.ts"

/** A reply that has grown to this is sent; what is left goes into the next. */
const REPLY_BYTES = 1024 * 1024

/** Takes messages from all inputs of a node in turn, each at most as long as its queue: nobody keeps others away. */
export class Turns {
  readonly #complaints: Complaints
  readonly #took: (input: RelayInput, out: Outgoing) => number
  #turn = 0

  /** @param took  after each message; returns events that it has written */
  constructor(complaints: Complaints, took: (input: RelayInput, out: Outgoing) => number) {
    this.#complaints = complaints
    this.#took = took
  }

  /** Writes messages into a reply. @returns events written */
  take(inputs: readonly RelayInput[], out: Outgoing): number {
    let events = 0
    const count = inputs.length
    for (let i = 0; i < count && out.byteLength < REPLY_BYTES; i++) {
      const input = inputs[(this.#turn + i) % count]!
      for (let left = input.reader.ring.queueSize; left > 0; left--) {
        if (out.byteLength >= REPLY_BYTES || !this.#message(input, out)) break
        events += 1 + this.#took(input, out)
      }
    }
    this.#turn++
    return events
  }

  /** Nobody listens: producers that wait for room must not wait for ever. */
  forget(inputs: readonly RelayInput[]): void {
    for (const input of inputs) {
      while (input.reader.ring.backpressure && input.discard());
    }
  }

  #message(input: RelayInput, out: Outgoing): boolean {
    if (input.closed) return false
    try {
      return input.take(out)
    } catch (error) {
      this.#complaints.leftOut("input", input.id, error as Error)
      return false
    }
  }
}
