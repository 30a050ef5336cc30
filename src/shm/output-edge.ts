import type { ElementArray, ElementConstructor } from "../core/elements.ts"
import {
  CLOCK_ID_WORD,
  OFFSET_WORD,
  SENT_BYTES_FLOAT,
  SLOT_HEADER_BYTES,
  SLOTS_WORD,
  slotBytes,
  TAIL_WORD,
} from "./layout.ts"
import { copyElements } from "./libc.ts"
import type { Payload } from "./payload.ts"
import type { EdgePlan } from "./plan.ts"
import { ProducerRing } from "./ring.ts"
import type { Inbox } from "./segment.ts"
import { addressOf, sharedWords } from "./shared.ts"

/** The part of a slot that small messages take, and the processor's cache lines. */
const WARM_WORDS = 128
const LINE_WORDS = 16

/** What the writer remembers of an edge: who consumes it, and what its slots hold already. */
export class OutputEdge {
  readonly plan: EdgePlan
  readonly ring: ProducerRing
  readonly slots: number
  /**
   * Template whose header lies in a slot and that the slot's own words describe, by slot; negative: C wrote it, and whatever else is
   * known of the slot is no longer true.
   */
  readonly templates: Int32Array<ArrayBuffer>
  /** Views over the body of that template, by slot. */
  readonly views: (ElementArray | null)[]
  /** Parameters that follow a message of that template, by slot. */
  readonly parameters: (Uint8Array | null)[]
  gone = false
  readonly #clockId: Int32Array

  /** @param clockId  who stamps the messages */
  constructor(plan: EdgePlan, inbox: Inbox, clockId: Int32Array) {
    this.plan = plan
    this.#clockId = clockId
    this.ring = new ProducerRing(inbox, plan.ring)
    this.slots = inbox.words[(plan.ring >> 2) + SLOTS_WORD]!
    this.templates = sharedWords(this.slots)
    this.views = new Array<ElementArray | null>(this.slots).fill(null)
    this.parameters = new Array<Uint8Array | null>(this.slots).fill(null)
  }

  /**
   * Writes a message into a slot. The header only when the slot does not hold it already: those lines then stay in both caches.
   *
   * @returns did it, so that the slot's words describe the message as well?
   */
  write(payload: Payload, slot: number): boolean {
    const n = this.ring.head & (this.slots - 1)
    const { template, flat } = payload
    const isThere = template > 0 && this.templates[n] === template
    const view = this.views[n]
    if (isThere && view && flat !== null) copyElements(view, flat)
    else if (isThere && payload.writeBody)
      payload.writeBody(this.ring.inbox.bytes, slot * 4 + SLOT_HEADER_BYTES)
    else {
      this.#writeWhole(payload, slot, n)
      return false
    }
    return true
  }

  #writeWhole(payload: Payload, slot: number, n: number): void {
    const { bytes } = this.ring.inbox
    const at = slot * 4 + SLOT_HEADER_BYTES
    this.parameters[n] = null
    payload.write(bytes, at)
    this.writeOrigin(slot)
    this.templates[n] = payload.template
    this.views[n] = null
    const { flat } = payload
    if (flat === null || payload.template === 0) return
    const isBytes = flat instanceof Uint8Array || flat instanceof Uint8ClampedArray
    const make = isBytes ? Uint8Array : (flat.constructor as unknown as ElementConstructor)
    this.views[n] = new make(bytes.buffer, at + payload.headerLength, flat.length)
  }

  /** Those that lie there already, behind a message of the same template, are the same object. */
  writeParameters(payload: Payload, parameters: Uint8Array, slot: number): void {
    const n = this.ring.head & (this.slots - 1)
    if (this.parameters[n] === parameters && payload.template > 0) return
    const at = slot * 4 + SLOT_HEADER_BYTES + ((payload.byteLength + 7) & ~7)
    this.ring.inbox.bytes.set(parameters, at)
    this.parameters[n] = parameters
  }

  /** The next slot will be for a message in a chunk: its words won't describe what lies there. */
  forget(): void {
    this.templates[this.ring.head & (this.slots - 1)] = 0
  }

  /** What is the same in all messages of ours: the start of the stream, and who stamped it. */
  writeOrigin(slot: number): void {
    const { words } = this.ring
    words[slot + OFFSET_WORD] = 0
    words.set(this.#clockId, slot + CLOCK_ID_WORD)
  }

  /** Reads what the next message is written to, as far as a small one goes. @returns something made of it */
  warm(): number {
    const { ring, slots } = this
    const { words, base } = ring
    const n = ring.head & (slots - 1)
    const known = this.templates[n]! + (this.views[n]?.length ?? 0)
    let sum = known + words[base]! + words[base + TAIL_WORD]! + words[base + 2 * SENT_BYTES_FLOAT]!
    const slot = ring.slot
    for (let i = 0; i < WARM_WORDS; i += LINE_WORDS) sum += words[slot + i]!
    return sum
  }

  /** What C must know to publish here: a dora_writer_edge of ffi/dora_writer.h, as numbers. Geometry comes from where it was checked. */
  facts(): number[] {
    const { address, inbox, queueSize, inlineBytes, backpressure } = this.ring
    const wake = inbox.wakePointer as number
    const templates = addressOf(this.templates)
    const slot = slotBytes(inlineBytes)
    return [address, wake, templates, this.slots, queueSize, slot, Number(backpressure)]
  }
}
