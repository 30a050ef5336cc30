// The receiving side of one edge. What is read before the claim may be a mixture of two messages; it is judged after.
import type { ElementArray, ElementConstructor } from "../core/elements.ts"
import { MAX_PARAMETER_BYTES } from "../core/limits.ts"
import {
  bodyBytes,
  CHUNK_WORD,
  COPIED_BYTES_FLOAT,
  COPIED_WORD,
  DEPTHS_WORD,
  FRACTION_WORD,
  GENERATION_MASK,
  GENERATION_WORD,
  HEAD_WORD,
  HEADER_LENGTH_WORD,
  LATENCIES_WORD,
  LENGTH_WORD,
  OFFSET_WORD,
  PARAMETERS_WORD,
  POOL_FDS,
  POOL_FDS_WORD,
  SECONDS_WORD,
  SLOT_HEADER_BYTES,
  TAIL_WORD,
  TEMPLATE_WORD,
} from "./layout.ts"
import { Bodies } from "./bodies.ts"
import { EdgePoisonedError } from "./errors.ts"
import type { FlowClock } from "./clock.ts"
import { bucketOf, depthBucketOf } from "./histogram.ts"
import type { InputPlan } from "./plan.ts"
import { Borrow, ConsumerPool } from "./consumer-pool.ts"
import { chunkOf, generationOf, Pool } from "./pool.ts"
import { ConsumerRing } from "./ring.ts"
import type { Inbox } from "./segment.ts"

/** Reads slots itself, before the claim: what it sees may be a mixture of two messages, and is shown again after a lost claim. */
export interface SlotSink {
  /**
   * @param slot        word index of the slot
   * @param length      bytes of an inline stream, clamped; −1 for a message in a chunk
   * @param parameters  bytes of inline parameters, at the next multiple of 8 after the stream
   */
  look(reader: EdgeReader, slot: number, length: number, parameters: number): void
}

/**
 * Takes messages from one edge. After {@link take} returned true the fields are those of one message; they are valid
 * until the next call.
 */
export class EdgeReader {
  readonly plan: InputPlan
  readonly ring: ConsumerRing
  /** Whole Arrow stream, copied out; null when the body is known by its template or lies in a chunk. */
  stream: Uint8Array | null = null
  /** The elements alone, copied out, when the template is known. */
  body: ElementArray | null = null
  borrow: Borrow | null = null
  template = 0
  length = 0
  seconds = 0
  fraction = 0
  parameters: Uint8Array | null = null
  readonly #pid: number
  readonly #sink: SlotSink | null
  readonly #pools = new Map<number, ConsumerPool>()
  /** The newest of them. */
  #last: ConsumerPool | null = null
  #lastGeneration = -1
  readonly #bodies: Bodies
  #chunk = -1
  #offset = 0
  #headerLength = 0
  #parametersLength = 0
  #pool: ConsumerPool | null = null

  /** @param sink  gets inline messages instead of the fields `stream`, `body` and `parameters` */
  constructor(inbox: Inbox, plan: InputPlan, pid: number, sink: SlotSink | null = null) {
    this.plan = plan
    this.ring = new ConsumerRing(inbox, plan.ring)
    this.#bodies = new Bodies(this.ring)
    this.#pid = pid
    this.#sink = sink
  }

  /**
   * Takes the next message.
   *
   * @param arrived  the ring has just said so
   * @returns false when there is none
   * @throws EdgePoisonedError  the message was taken and can't be true
   */
  take(arrived = false): boolean {
    while (arrived || this.ring.ready()) {
      arrived = false
      if (this.#attempt()) return true
    }
    return false
  }

  /** Reads the next slot, and claims it. */
  #attempt(): boolean {
    const { ring } = this
    this.#forget()
    const slot = ring.slot
    this.#readFields(slot)
    if (this.#chunk < 0 && this.#sink === null) this.#copyInline(slot)
    else if (!this.#prepare(slot)) return false
    if (!ring.claim()) {
      if (this.#pool !== null) this.#pool.release(chunkOf(this.#chunk))
      return false
    }
    if (ring.taken()) this.onCredit?.()
    this.#judge()
    return true
  }

  /** Counts how long the last message was under way, and its queue. @returns when it was sent, in monotonic nanoseconds */
  sample(clock: FlowClock, nowNs: number): number {
    const { words, base } = this.ring
    const sentNs = clock.monotonicNs(this.seconds, this.fraction)
    words[base + LATENCIES_WORD + bucketOf(nowNs - sentNs)]!++
    words[base + DEPTHS_WORD + depthBucketOf(this.ring.depth())]!++
    return sentNs
  }

  /** Called after a claim when the producer waits for room. */
  onCredit: (() => void) | null = null

  /** The newest pool that a message lay in, and its generation. */
  get newest(): { pool: ConsumerPool; generation: number } | null {
    return this.#last && { pool: this.#last, generation: this.#lastGeneration }
  }

  /** From now on messages of this template are delivered as `body`, if they are small enough to come through slots. */
  learn(template: number, View: ElementConstructor, offset: number, length: number): void {
    this.#bodies.learn(template, View, offset, length)
  }

  /** Reads what the next message needs beside its slot. @returns something made of it */
  warm(): number {
    const { words, base } = this.ring
    const sum = words[base + HEAD_WORD]! + words[base + TAIL_WORD]! + words[base + DEPTHS_WORD]!
    return sum + this.template + this.#bodies.warm()
  }

  #readFields(slot: number): void {
    const { words } = this.ring
    this.length = words[slot + LENGTH_WORD]!
    this.#chunk = words[slot + CHUNK_WORD]!
    this.template = words[slot + TEMPLATE_WORD]!
    this.seconds = words[slot + SECONDS_WORD]!
    this.fraction = words[slot + FRACTION_WORD]!
    this.#parametersLength = words[slot + PARAMETERS_WORD]!
  }

  #forget(): void {
    this.stream = null
    this.body = null
    this.borrow = null
    this.parameters = null
    this.#pool = null
  }

  /** A message in a chunk, or one for a sink. False: look again. */
  #prepare(slot: number): boolean {
    const { words } = this.ring
    this.#offset = words[slot + OFFSET_WORD]!
    this.#headerLength = words[slot + HEADER_LENGTH_WORD]!
    if (this.#sink !== null) this.#show(this.#sink, slot)
    return this.#chunk < 0 || this.#mark()
  }

  #show(sink: SlotSink, slot: number): void {
    if (this.#chunk >= 0) {
      sink.look(this, slot, -1, 0)
      return
    }
    const { inlineBytes } = this.ring
    const length = clamp(this.length, inlineBytes)
    const room = inlineBytes - Math.min((length + 7) & ~7, inlineBytes)
    sink.look(this, slot, length, clamp(this.#parametersLength, room))
  }

  #copyInline(slot: number): void {
    if (this.#parametersLength !== 0) this.#copyParameters(slot)
    this.body = this.#bodies.copy(this.template)
    if (this.body === null) this.#copyStream(slot)
  }

  #copyStream(slot: number): void {
    const { inbox, inlineBytes } = this.ring
    const at = slot * 4 + SLOT_HEADER_BYTES
    this.stream = inbox.bytes.slice(at, at + clamp(this.length, inlineBytes))
  }

  #copyParameters(slot: number): void {
    const { inbox, inlineBytes } = this.ring
    const at = slot * 4 + SLOT_HEADER_BYTES
    const from = Math.min((this.length + 7) & ~7, inlineBytes) >>> 0
    const to = Math.min(from + this.#parametersLength, inlineBytes)
    this.parameters = inbox.bytes.slice(at + from, at + Math.max(from, to))
  }

  /** Before the claim: marks the chunk as borrowed. False: look again, the slot was being rewritten. */
  #mark(): boolean {
    const word = this.#chunk
    const pool = this.#poolOf(generationOf(word))
    if (pool === null) return false
    const chunk = chunkOf(word)
    if (chunk >= pool.pool.chunks || !pool.borrow(chunk)) {
      // A mixture can't name a wrong chunk, the word is one; so if the message is still ours its producer lies.
      if (this.ring.moved()) return false
      this.ring.ended = true
      throw this.#poisoned(`chunk ${chunk} is not free to be read`)
    }
    this.#pool = pool
    return true
  }

  /** The pool of a generation; null when the field was no longer true. */
  #poolOf(generation: number): ConsumerPool | null {
    if (this.#last !== null && this.#lastGeneration === generation) return this.#last
    const open = this.#pools.get(generation)
    if (open) return open
    if (this.ring.moved()) return null
    const plan = this.plan.pool
    const { words, base } = this.ring
    const age = (Atomics.load(words, base + GENERATION_WORD) - generation) & GENERATION_MASK
    const fd = Atomics.load(words, base + POOL_FDS_WORD + (generation % POOL_FDS))
    if (!plan || age >= POOL_FDS || fd < 0) {
      this.ring.ended = true
      throw this.#poisoned(`pool generation ${generation}`)
    }
    const ref = { fd, size: plan.ref.size }
    const pool = new ConsumerPool(new Pool(this.#pid, ref), plan.line)
    this.#pools.set(generation, pool)
    this.#last = pool
    this.#lastGeneration = generation
    return pool
  }

  /** After the claim the fields are those of one message: now they are held to what an honest producer writes. */
  #judge(): void {
    const { length } = this
    const parameters = this.#parametersLength
    if (length < 0 || parameters < 0 || parameters > MAX_PARAMETER_BYTES) this.#rejectSizes()
    // Not (length + 7) & ~7, which is negative for the largest lengths.
    const end = length + (-length & 7) + parameters
    if (this.#pool !== null) this.#lend(this.#pool, end)
    else if (end > this.ring.inlineBytes) this.#reject(`length ${length} in a slot`)
  }

  #rejectSizes(): never {
    const { length } = this
    const parameters = this.#parametersLength
    this.#reject(length < 0 ? `length ${length}` : `parameters of ${parameters} bytes`)
  }

  /** @param end  bytes of stream and parameters */
  #lend(pool: ConsumerPool, end: number): void {
    const chunk = chunkOf(this.#chunk)
    const offset = this.#offset
    if (offset < 0 || offset + end > pool.pool.strideBytes)
      this.#reject(`length ${this.length} in a chunk`)
    const borrow = new Borrow(pool, chunk, offset, this.length)
    const parameters = this.#parametersLength
    if (parameters > 0) {
      const view = pool.pool.view(chunk, offset + end - parameters, parameters)
      this.parameters = new Uint8Array(view).slice()
    }
    if (pool.borrowed <= this.plan.borrowBudget) {
      this.borrow = borrow
      return
    }
    // The node retains as many messages as it may: this one is delivered as a copy, and counted.
    this.stream = new Uint8Array(borrow.buffer).slice()
    borrow.release()
    const { words, base, inbox } = this.ring
    words[base + COPIED_WORD]!++
    inbox.floats[(base >> 1) + COPIED_BYTES_FLOAT]! += bodyBytes(this.length, this.#headerLength)
  }

  #reject(what: string): never {
    if (this.#pool) this.#pool.release(chunkOf(this.#chunk))
    this.ring.ended = true
    throw this.#poisoned(what)
  }

  #poisoned(what: string): EdgePoisonedError {
    return new EdgePoisonedError(this.plan.id, this.plan.source, what)
  }
}

const clamp = (value: number, max: number) => Math.max(0, Math.min(value, max))
