// One input of an official node: messages leave memory as events of the node protocol, as they are.
import { DoraError } from "../../core/errors.ts"
import { MAX_FRAME_BYTES } from "../../core/limits.ts"
import type { FlowClock } from "../../shm/clock.ts"
import {
  ABANDONED_WORD,
  CLOCK_ID_WORD,
  CLOSED_WORD,
  SLOT_HEADER_BYTES,
  slotBytes,
} from "../../shm/layout.ts"
import type { InputPlan } from "../../shm/plan.ts"
import { EdgeReader, type SlotSink } from "../../shm/reader.ts"
import type { Inbox } from "../../shm/segment.ts"
import { addressOf, sharedWords } from "../../shm/shared.ts"
import { writeStamp } from "../../wire/metadata.ts"
import type { Writer } from "../../wire/postcard.ts"
import { inputStart, writeInputBody, writeInputHead } from "../../wire/relay.ts"
import type { Form } from "./form.ts"
import type { Outgoing } from "./outgoing.ts"

const CLOCK_ID_BYTES = 16
/** Of the largest frame, what other events and the message's own head may take. */
const OTHERS_BYTES = 2 * 1024 * 1024
const LARGEST_BYTES = MAX_FRAME_BYTES - OTHERS_BYTES

// Words that the lane shares: nothing more is taken, it has taken something.
const CLOSED = 0
const DIRTY = 1

/** A message that no frame of the official protocol can hold. */
export class OfficialMessageTooLargeError extends DoraError {
  constructor(input: string, bytes: number) {
    super("OFFICIAL_MESSAGE_TOO_LARGE", {
      what: `a message of ${bytes} bytes for input \`${input}\` was left out`,
      why: `official nodes take ${LARGEST_BYTES} bytes at most`,
      fix: "send it in parts, or receive it in a TypeScript node",
    })
  }
}

/** Takes messages from a ring and writes them into a reply. */
export class RelayInput implements SlotSink {
  readonly id: string
  readonly reader: EdgeReader
  readonly isData: boolean
  readonly #state = sharedWords(2)
  readonly #producer: Inbox | null
  readonly #inbox: Inbox
  readonly #clock: FlowClock
  readonly #start: Uint8Array
  readonly #clockId = new Uint8Array(new ArrayBuffer(CLOCK_ID_BYTES))
  #out: Outgoing | null = null
  #mark = 0
  #stream: Uint8Array = new Uint8Array(0)
  #parameters: Uint8Array | null = null

  /** @param producer  whom to wake when it waits for room; null when the daemon is the producer */
  constructor(
    inbox: Inbox,
    plan: InputPlan,
    pid: number,
    producer: Inbox | null,
    clock: FlowClock,
  ) {
    this.#clock = clock
    this.id = plan.id
    this.#start = inputStart(plan.id)
    this.isData = producer !== null
    this.#producer = producer
    this.#inbox = inbox
    this.reader = new EdgeReader(inbox, plan, pid, this)
    this.reader.onCredit = producer && (() => producer.wake())
  }

  /** The node knows that it has ended. */
  get closed(): boolean {
    return this.#state[CLOSED] === 1
  }

  set closed(value: boolean) {
    this.#state[CLOSED] = value ? 1 : 0
  }

  /** Addresses and numbers for the lane, which takes messages as well. */
  share(): Float64Array {
    const { ring, plan } = this.reader
    const { address, slotCount, queueSize, inlineBytes } = ring
    const geometry = [address, slotCount, queueSize, inlineBytes, slotBytes(inlineBytes)]
    const policy = [Number(ring.backpressure), plan.borrowBudget]
    const producer = this.#producer
    const wake = producer ? [producer.wakePointer as number, producer.openWakeFd()] : [0, -1]
    const start = [addressOf(this.#start), this.#start.length]
    return Float64Array.of(...geometry, ...policy, addressOf(this.#state), ...wake, ...start)
  }

  /** Goes on behind what the lane has taken. */
  follow(): void {
    if (this.#state[DIRTY] === 0) return
    this.#state[DIRTY] = 0
    this.reader.ring.follow()
  }

  /**
   * Takes the next message as an `Input` event at the end of a reply.
   *
   * @returns false when there is none
   * @throws EdgePoisonedError, OfficialMessageTooLargeError  nothing was written
   */
  take(out: Outgoing): boolean {
    this.#out = out
    this.#mark = out.writer.length
    try {
      if (!this.reader.take()) {
        out.writer.truncate(this.#mark)
        return false
      }
    } catch (error) {
      out.writer.truncate(this.#mark)
      throw error
    }
    this.reader.sample(this.#clock, this.#clock.nowNs())
    if (out.form.message !== null) {
      this.#convert(out, out.form.message)
      return true
    }
    const { borrow, stream } = this.reader
    if (borrow === null && stream === null) return true
    out.writer.truncate(this.#mark)
    const length = borrow?.length ?? stream!.byteLength
    if (length > LARGEST_BYTES) {
      borrow?.release()
      throw new OfficialMessageTooLargeError(this.id, length)
    }
    this.#writeHead(out.writer)
    writeInputBody(out.writer, this.reader.parameters, length)
    if (borrow !== null) out.splice(borrow)
    else out.writer.raw(stream!)
    this.#writeStamp(out.writer)
    return true
  }

  /** Takes the next message and forgets it. */
  discard(): boolean {
    this.#out = null
    if (!this.reader.take()) return false
    this.reader.borrow?.release()
    return true
  }

  /** Nobody takes anything any more: who sends need not wait for room. */
  abandon(): void {
    this.closed = true
    const { ring } = this.reader
    Atomics.store(ring.words, ring.base + ABANDONED_WORD, 1)
    this.reader.onCredit?.()
  }

  /** Is there something to take, or the end to be told? Looks with fresh loads. */
  pending(): boolean {
    if (this.closed) return false
    const { ring } = this.reader
    return ring.ready() || Atomics.load(ring.words, ring.base + CLOSED_WORD) === 1
  }

  look(_reader: EdgeReader, slot: number, length: number, parameters: number): void {
    const out = this.#out
    if (out === null) return
    const { writer } = out
    const { bytes } = this.#inbox
    const at = slot * 4 + SLOT_HEADER_BYTES
    writer.truncate(this.#mark)
    const clock = (slot + CLOCK_ID_WORD) * 4
    this.#clockId.set(bytes.subarray(clock, clock + CLOCK_ID_BYTES))
    if (out.form.message !== null) {
      this.#keep(at, length, parameters)
      return
    }
    if (length < 0) return
    this.#writeHead(writer)
    const from = at + ((length + 7) & ~7)
    writeInputBody(
      writer,
      parameters === 0 ? null : bytes.subarray(from, from + parameters),
      length,
    )
    writer.raw(bytes.subarray(at, at + length))
    this.#writeStamp(writer)
  }

  /** What is to be converted must be known to be whole, which it is after the claim. */
  #keep(at: number, length: number, parameters: number): void {
    const { bytes } = this.#inbox
    const from = at + ((length + 7) & ~7)
    this.#stream = bytes.slice(at, at + Math.max(length, 0))
    this.#parameters = parameters === 0 ? null : bytes.slice(from, from + parameters)
  }

  #convert(out: Outgoing, message: NonNullable<Form["message"]>): void {
    const { borrow, stream, seconds, fraction } = this.reader
    const inline = borrow === null && stream === null
    out.writer.truncate(this.#mark)
    let kept = false
    try {
      kept = message(out, {
        input: this.id,
        stamp: { seconds, fraction, id: this.#clockId },
        parameters: inline ? this.#parameters : this.reader.parameters,
        stream: borrow ? new Uint8Array(borrow.buffer) : (stream ?? this.#stream),
        borrow,
      })
    } catch (error) {
      out.writer.truncate(this.#mark)
      throw error
    } finally {
      if (!kept) borrow?.release()
    }
  }

  #writeHead(writer: Writer): void {
    const { seconds, fraction } = this.reader
    writeInputHead(writer, this.#start, seconds, fraction, this.#clockId)
  }

  #writeStamp(writer: Writer): void {
    const { seconds, fraction } = this.reader
    writeStamp(writer, { seconds, fraction, id: this.#clockId })
  }
}
