// The receiving side of one edge. What is read before the claim may be a mixture of two messages; it is judged after.
import {
  type ElementArray,
  type ElementConstructor,
  ELEMENT_MAKERS,
  type ElementName,
} from "../core/elements.ts"
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
import { EdgePoisonedError } from "./errors.ts"
import type { FlowClock } from "./clock.ts"
import { bucketOf, depthBucketOf } from "./histogram.ts"
import type { InputPlan } from "./plan.ts"
import { Borrow, ConsumerPool } from "./consumer-pool.ts"
import { chunkOf, generationOf, Pool } from "./pool.ts"
import { ConsumerRing } from "./ring.ts"
import type { Inbox } from "./segment.ts"

const MAX_KNOWN_TEMPLATES = 8
/** Below, allocating and copying in two steps is faster than `slice`. */
const SLICE_FROM_BYTES = 512

/** What a template stands for: the body alone tells such messages apart. */
type Known = {
  template: number
  make: (length: number) => ElementArray
  View: ElementConstructor
  /** Where the elements begin in the stream, and how many there are. */
  offset: number
  length: number
  bytes: number
  /** Views over the body in the ring's slots. */
  views: (ElementArray | null)[]
}

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
  #known: Known[] = []
  #chunk = -1
  #offset = 0
  #headerLength = 0
  #parametersLength = 0
  #pool: ConsumerPool | null = null

  /** @param sink  gets inline messages instead of the fields `stream`, `body` and `parameters` */
  constructor(inbox: Inbox, plan: InputPlan, pid: number, sink: SlotSink | null = null) {
    this.plan = plan
    this.ring = new ConsumerRing(inbox, plan.ring)
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
    const { ring } = this
    while (arrived || ring.ready()) {
      arrived = false
      const slot = ring.slot
      this.#readFields(slot)
      if (this.#sink !== null) this.#show(this.#sink, slot)
      if (this.#chunk < 0) {
        if (this.#sink === null) this.#copyInline(slot)
      } else if (!this.#mark()) continue
      if (!ring.claim()) {
        if (this.#pool) this.#pool.release(chunkOf(this.#chunk))
        continue
      }
      const creditWanted = ring.taken()
      if (creditWanted) this.onCredit?.()
      this.#judge()
      return true
    }
    return false
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
    // A slot that is being rewritten can name the template of a large message beside the word of a small one.
    const bytes = length * View.BYTES_PER_ELEMENT
    if (offset + bytes > this.ring.inlineBytes) return
    this.ring.bodyWord = (SLOT_HEADER_BYTES + offset) >> 2
    if (this.#known.some((k) => k.template === template)) return
    if (this.#known.length >= MAX_KNOWN_TEMPLATES) this.#known = []
    const views = new Array<ElementArray | null>(this.ring.slotCount).fill(null)
    const make = ELEMENT_MAKERS[View.name as ElementName]
    this.#known.unshift({ template, make, View, offset, length, bytes, views })
  }

  /** Reads what the next message needs beside its slot. @returns something made of it */
  warm(): number {
    const { words, base } = this.ring
    const known = this.#known[0]
    const sum = words[base + HEAD_WORD]! + words[base + TAIL_WORD]! + words[base + DEPTHS_WORD]!
    return sum + this.template + (known?.views[this.ring.slotNumber()]?.length ?? 0)
  }

  #readFields(slot: number): void {
    const { words } = this.ring
    this.length = words[slot + LENGTH_WORD]!
    this.#chunk = words[slot + CHUNK_WORD]!
    this.template = words[slot + TEMPLATE_WORD]!
    this.seconds = words[slot + SECONDS_WORD]!
    this.fraction = words[slot + FRACTION_WORD]!
    this.#parametersLength = words[slot + PARAMETERS_WORD]!
    this.#offset = words[slot + OFFSET_WORD]!
    this.#headerLength = words[slot + HEADER_LENGTH_WORD]!
    this.stream = null
    this.body = null
    this.borrow = null
    this.parameters = null
    this.#pool = null
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
    const { inbox, inlineBytes } = this.ring
    const at = slot * 4 + SLOT_HEADER_BYTES
    if (this.#parametersLength !== 0) {
      const from = Math.min((this.length + 7) & ~7, inlineBytes) >>> 0
      const to = Math.min(from + this.#parametersLength, inlineBytes)
      this.parameters = inbox.bytes.slice(at + from, at + Math.max(from, to))
    }
    const known = this.template > 0 ? this.#find(this.template) : null
    if (known === null) {
      this.stream = inbox.bytes.slice(at, at + clamp(this.length, inlineBytes))
      return
    }
    const n = this.ring.slotNumber()
    let view = known.views[n]!
    if (view === null) {
      view = new known.View(inbox.bytes.buffer, at + known.offset, known.length)
      known.views[n] = view
    }
    if (known.bytes > SLICE_FROM_BYTES) {
      this.body = view.slice()
      return
    }
    const body = known.make(known.length)
    ;(body as Uint8Array).set(view as Uint8Array)
    this.body = body
  }

  #find(template: number): Known | null {
    const known = this.#known
    for (let i = 0; i < known.length; i++) if (known[i]!.template === template) return known[i]!
    return null
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
    const { inlineBytes } = this.ring
    const parameters = this.#parametersLength
    if (parameters < 0 || parameters > MAX_PARAMETER_BYTES)
      this.#reject(`parameters of ${parameters} bytes`)
    if (this.length < 0) this.#reject(`length ${this.length}`)
    // Not (length + 7) & ~7, which is negative for the largest lengths.
    const end = this.length + (-this.length & 7) + parameters
    if (this.#pool === null) {
      if (end > inlineBytes) this.#reject(`length ${this.length} in a slot`)
      return
    }
    const chunk = chunkOf(this.#chunk)
    const offset = this.#offset
    if (offset < 0 || offset + end > this.#pool.pool.strideBytes)
      this.#reject(`length ${this.length} in a chunk`)
    const borrow = new Borrow(this.#pool, chunk, offset, this.length)
    if (parameters > 0) {
      const view = this.#pool.pool.view(chunk, offset + end - parameters, parameters)
      this.parameters = new Uint8Array(view).slice()
    }
    if (this.#pool.borrowed <= this.plan.borrowBudget) {
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
