// Messages that came from elsewhere: they go into memory as they are, under the stamp of their sender.
import type { Stamp } from "../core/clock.ts"
import { MAX_PARAMETER_BYTES } from "../core/limits.ts"
import { type Epoch, FlowClock } from "./clock.ts"
import type { EdgePlan, OutputPlan } from "./plan.ts"
import type { Inbox } from "./segment.ts"
import type { Payload } from "./payload.ts"
import { OutputWriter } from "./writer.ts"

/** What is known of a message before its data. */
export type PassingHead = {
  stamp: Stamp
  /** Encoded, null when there are none. */
  parameters: Uint8Array | null
}

/** A clock that says what the sender's clock said. */
class SenderClock extends FlowClock {
  override stamp(): void {}
}

/** Bytes of a message that came over TCP, all of them or the first. */
class Passing implements Payload {
  byteLength = 0
  readonly headerLength = 0
  readonly template = 0
  readonly flat = null
  bytes: Uint8Array = new Uint8Array(0)

  write(target: Uint8Array, at: number): void {
    target.set(this.bytes, at)
  }
}

/** One output that passes messages on. */
export class PassingOutput {
  readonly writer: OutputWriter
  readonly #clock: SenderClock
  readonly #clockId: Int32Array
  readonly #passing = new Passing()

  constructor(plan: OutputPlan, pid: number, epoch: Epoch, inboxOf: (edge: EdgePlan) => Inbox) {
    this.#clock = new SenderClock(epoch)
    this.#clockId = new Int32Array(4)
    this.writer = new OutputWriter(plan, pid, inboxOf, this.#clock, this.#clockId)
  }

  /** Does anybody get what is sent here? */
  get heard(): boolean {
    return this.writer.edges.length > 0 && !this.writer.closed
  }

  /** Parameters that don't fit into memory. */
  refuses(head: PassingHead): boolean {
    return (head.parameters?.byteLength ?? 0) > MAX_PARAMETER_BYTES
  }

  /** Passes a message on that has arrived whole; false when there is no room for it yet. */
  publish(head: PassingHead, data: Uint8Array): boolean {
    return this.publishPayload(head, this.#payload(data.byteLength, data))
  }

  /** {@link publish} for a message that is put together as it is written. */
  publishPayload(head: PassingHead, payload: Payload): boolean {
    const { writer } = this
    if (!writer.ready(false)) return false
    const { parameters } = head
    const total = ((payload.byteLength + 7) & ~7) + (parameters?.byteLength ?? 0)
    if (total <= writer.inlineBytes) {
      this.#stamp(head)
      writer.publishInline(payload, parameters)
      return true
    }
    const chunk = writer.allocate(total)
    if (chunk < 0) return false
    writer.write(chunk, payload)
    this.#stamp(head)
    writer.publishChunk(chunk, payload, parameters)
    return true
  }

  /**
   * Memory for a message whose first bytes have arrived; −1 when there is none yet.
   *
   * @throws PoolExhaustedError
   */
  begin(length: number, first: Uint8Array): number {
    const chunk = this.writer.allocate(length)
    if (chunk >= 0) this.writer.write(chunk, this.#payload(length, first))
    return chunk
  }

  /** Passes a message on that has arrived in a chunk; there must be room. */
  publishChunk(head: PassingHead, chunk: number, length: number): void {
    this.#stamp(head)
    this.writer.publishChunk(chunk, this.#payload(length, this.#passing.bytes), head.parameters)
  }

  #payload(length: number, bytes: Uint8Array): Passing {
    this.#passing.byteLength = length
    this.#passing.bytes = bytes
    return this.#passing
  }

  #stamp({ stamp }: PassingHead): void {
    this.#clock.seconds = stamp.seconds | 0
    this.#clock.fraction = stamp.fraction | 0
    new Uint8Array(this.#clockId.buffer).set(stamp.id)
  }
}
