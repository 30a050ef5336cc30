// An edge between two operators of one process: a queue of finished events. Its counters lie in shared memory like those of
// any edge; its messages do not.
import { ptr } from "bun:ffi"
import { type ElementArray, ELEMENT_MAKERS, type ElementName } from "../core/elements.ts"
import { interned } from "../core/ids.ts"
import { INLINE_BYTES } from "../core/limits.ts"
import { InputEvent, type InputSource, type Lease, type Template } from "../node/event.ts"
import type { Port } from "../node/ports.ts"
import {
  bodyBytes,
  CLOSED_WORD,
  HEAD_WORD,
  POLICY_WORD,
  QUEUE_SIZE_WORD,
  SENT_BYTES_FLOAT,
  slotsFor,
  TAIL_WORD,
  TAKEN_WORD,
} from "../shm/layout.ts"
import { copyElements } from "../shm/libc.ts"
import type { InputPlan } from "../shm/plan.ts"
import type { Inbox } from "../shm/segment.ts"
import type { Payload } from "../shm/payload.ts"

const MAX_TEMPLATES = 64
/** Templates count from 1, and 0 is for messages without. */
const NO_TEMPLATE = -1

/** The elements of all messages of one template. */
type Body = { make: (length: number) => ElementArray; length: number; bytes: number }

function copyOf(form: Body, elements: ElementArray | null): ElementArray {
  const body = form.make(form.length)
  copyElements(body, elements!)
  return body
}

/** The consumer's end is a port of its receiver; the producer pushes. */
export class SiblingEdge implements Port, InputSource {
  readonly id: string
  /** Output of this node that feeds it. */
  readonly output: string
  readonly backpressure: boolean
  readonly isData = true
  readonly rhythm = null
  closed = false
  /** The consumer has ended: nothing is queued any more. */
  gone = false
  /** The producer sleeps until there is room. */
  wanted = false
  readonly #wake: () => void
  #ended = false
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #base: number
  readonly #queueSize: number
  readonly #events: (InputEvent | null)[]
  readonly #mask: number
  #head = 0
  #tail = 0
  readonly #templates = new Map<number, Template>()
  /** The template of the last message. */
  #last = NO_TEMPLATE
  #lastTemplate: Template | null = null
  #lastBody: Body | null = null
  readonly #buffers = new BufferStock()

  /**
   * @param id      name of the input as its operator knows it
   * @param output  the node's output that feeds it
   * @param wake    wakes a producer that waits for room
   */
  constructor(inbox: Inbox, plan: InputPlan, id: string, output: string, wake: () => void) {
    this.#wake = wake
    this.id = interned(id)
    this.output = output
    this.#words = inbox.words
    this.#floats = inbox.floats
    this.#base = plan.ring >> 2
    this.backpressure = this.#words[this.#base + POLICY_WORD] === 1
    this.#queueSize = this.#words[this.#base + QUEUE_SIZE_WORD]!
    const slots = slotsFor(this.#queueSize)
    this.#events = new Array<InputEvent | null>(slots).fill(null)
    this.#mask = slots - 1
  }

  /** Is there room for one more without a loss? */
  hasRoom(): boolean {
    return this.#head - this.#tail < this.#queueSize
  }

  /** Queues a copy of a message; the oldest gives way when the queue is full. */
  push(payload: Payload, parameters: Uint8Array | null, seconds: number, fraction: number): void {
    if (this.gone) return
    if (!this.hasRoom()) this.#dropOldest()
    const form = this.#formOf(payload)
    const bytes = form === null ? bodyBytes(payload.byteLength, payload.headerLength) : form.bytes
    this.#events[this.#head & this.#mask] =
      form === null
        ? this.#whole(payload, parameters, seconds, fraction)
        : new InputEvent(
            this,
            seconds,
            fraction,
            payload.template,
            parameters,
            null,
            copyOf(form, payload.flat),
            null,
          )
    this.#head++
    this.#count(HEAD_WORD)
    this.#floats[(this.#base >> 1) + SENT_BYTES_FLOAT]! += bytes
  }

  /** A message whose form is known needs its elements only. */
  #formOf({ template, flat, byteLength }: Payload): Body | null {
    if (flat === null || template === 0 || byteLength > INLINE_BYTES) return null
    if (template !== this.#last) this.template(template)
    return this.#lastBody
  }

  /** A message with its whole stream. */
  #whole(
    payload: Payload,
    parameters: Uint8Array | null,
    seconds: number,
    fraction: number,
  ): InputEvent {
    const { byteLength, template } = payload
    if (byteLength <= INLINE_BYTES) {
      const stream = new Uint8Array(byteLength)
      payload.write(stream, 0)
      return new InputEvent(this, seconds, fraction, template, parameters, stream, null, null)
    }
    const lease = this.#buffers.lend(byteLength)
    payload.write(new Uint8Array(lease.buffer), 0)
    return new InputEvent(this, seconds, fraction, template, parameters, null, null, lease)
  }

  #dropOldest(): void {
    const at = this.#tail & this.#mask
    this.#events[at]!.release()
    this.#events[at] = null
    this.#tail++
    this.#count(TAIL_WORD)
  }

  take(): InputEvent | null {
    if (this.#head === this.#tail) return null
    const at = this.#tail & this.#mask
    const event = this.#events[at]!
    this.#events[at] = null
    this.#tail++
    this.#count(TAIL_WORD)
    this.#count(TAKEN_WORD)
    if (this.wanted) this.#tellProducer()
    return event
  }

  #tellProducer(): void {
    this.wanted = false
    this.#wake()
  }

  arrived(): boolean {
    return this.#head !== this.#tail
  }

  idle(): void {}

  /** What comes from within is warm. */
  warm(): number {
    return 0
  }

  pending(): boolean {
    return !this.closed && (this.#head !== this.#tail || this.#ended)
  }

  finished(): boolean {
    return this.#ended && this.#head === this.#tail
  }

  /** The producer sends nothing more. */
  end(): void {
    this.#ended = true
    Atomics.store(this.#words, this.#base + CLOSED_WORD, 1)
  }

  /** The consumer takes nothing more. */
  abandon(): void {
    this.gone = true
    while (this.#head !== this.#tail) this.#dropOldest()
    this.#tellProducer()
  }

  template(number: number): Template | null {
    if (number === this.#last) return this.#lastTemplate
    const template = this.#templates.get(number) ?? null
    const layout = template?.layout
    const simple = layout?.simple ?? null
    this.#last = number
    this.#lastTemplate = template
    this.#lastBody = simple && {
      make: ELEMENT_MAKERS[simple.array.name as ElementName],
      length: simple.length,
      bytes: bodyBytes(layout!.byteLength, layout!.headerLength),
    }
    return template
  }

  learn(number: number, template: Template): void {
    this.#last = NO_TEMPLATE
    if (this.#templates.size < MAX_TEMPLATES) this.#templates.set(number, template)
  }

  released(): void {}

  #count(word: number): void {
    const at = this.#base + word
    this.#words[at] = (this.#words[at]! + 1) | 0
  }
}

class StockLease implements Lease {
  readonly buffer: ArrayBuffer
  readonly length: number
  readonly #free: ArrayBuffer[]

  constructor(buffer: ArrayBuffer, free: ArrayBuffer[]) {
    this.buffer = buffer
    this.length = buffer.byteLength
    this.#free = free
  }

  get address(): number {
    return ptr(this.buffer)
  }

  release(): void {
    this.#free.push(this.buffer.transfer())
  }
}

/** Buffers of large messages, used again: fresh memory costs more than the copy. */
class BufferStock {
  readonly #free: ArrayBuffer[] = []

  lend(length: number): Lease {
    let buffer = this.#free.pop()
    // The size has changed: what is there is of no use.
    if (buffer !== undefined && buffer.byteLength !== length) {
      this.#free.length = 0
      buffer = undefined
    }
    return new StockLease(buffer ?? new ArrayBuffer(length), this.#free)
  }
}
