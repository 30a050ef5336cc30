// The elements of small messages whose template is known: they are copied out of slots straight into arrays of their type.
import {
  type ElementArray,
  type ElementConstructor,
  ELEMENT_MAKERS,
  type ElementName,
} from "../core/elements.ts"
import { SLOT_HEADER_BYTES } from "./layout.ts"
import { copyElements } from "./libc.ts"
import type { ConsumerRing } from "./ring.ts"

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

/** What the consumer of a ring knows of the templates of its messages. */
export class Bodies {
  readonly #ring: ConsumerRing
  #known: Known[] = []
  /** Of the last message that had one. */
  #last: Known | null = null

  constructor(ring: ConsumerRing) {
    this.#ring = ring
  }

  /** From now on messages of this template have bodies, if they are small enough to come through slots. */
  learn(template: number, View: ElementConstructor, offset: number, length: number): void {
    const ring = this.#ring
    // A slot that is being rewritten can name the template of a large message beside the word of a small one.
    const bytes = length * View.BYTES_PER_ELEMENT
    if (offset + bytes > ring.inlineBytes) return
    ring.bodyWord = (SLOT_HEADER_BYTES + offset) >> 2
    if (this.#find(template) !== null) return
    if (this.#known.length >= MAX_KNOWN_TEMPLATES) this.#known = []
    const views = new Array<ElementArray | null>(ring.slotCount).fill(null)
    const make = ELEMENT_MAKERS[View.name as ElementName]
    this.#known.unshift({ template, make, View, offset, length, bytes, views })
  }

  /** A copy of the elements in the ring's next slot; null when nothing is known of their template. */
  copy(template: number): ElementArray | null {
    const last = this.#last
    const known = last !== null && last.template === template ? last : this.#find(template)
    if (known === null) return null
    this.#last = known
    const view = known.views[this.#ring.slotNumber()] ?? this.#view(known)
    if (known.bytes > SLICE_FROM_BYTES) return view.slice()
    const body = known.make(known.length)
    copyElements(body, view)
    return body
  }

  /** Reads what the next copy needs. @returns something made of it */
  warm(): number {
    return this.#known[0]?.views[this.#ring.slotNumber()]?.length ?? 0
  }

  #find(template: number): Known | null {
    return this.#known.find((known) => known.template === template) ?? null
  }

  #view({ View, views, offset, length }: Known): ElementArray {
    const { inbox, slot } = this.#ring
    const view = new View(inbox.bytes.buffer, slot * 4 + SLOT_HEADER_BYTES + offset, length)
    views[this.#ring.slotNumber()] = view
    return view
  }
}
