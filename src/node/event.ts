import type { Vector } from "apache-arrow"
import { arrayOf, type Layout, readLayout, vectorOf } from "../arrow/decoder.ts"
import { type ElementArray, type ElementName, viewElements } from "../core/elements.ts"
import type { Parameters } from "../core/parameters.ts"
import { decodeParameters } from "../wire/metadata.ts"
import { patternOf, rebuild } from "./pattern.ts"

/** Everything that can happen to a node. */
export type Event =
  | InputEvent
  /** An input has ended: its producer closed it or is gone. */
  | { type: "INPUT_CLOSED"; id: string }
  /** A silent input that had counted as closed brings messages again. */
  | { type: "INPUT_RECOVERED"; id: string }
  /** A node upstream was started again. */
  | { type: "NODE_RESTARTED"; id: string }
  /** A node upstream failed. */
  | { type: "NODE_FAILED"; id: string; inputs: string[]; error: string }
  | { type: "PARAM_UPDATE"; key: string; value: unknown }
  | { type: "PARAM_DELETED"; key: string }
  | { type: "RELOAD"; operator: string | null }
  /** A value of an iterable given to `node.merge`. */
  | { type: "EXTERNAL"; value: unknown }
  /** Something is wrong that the node may survive: damaged memory of an edge, a broken connection. */
  | { type: "ERROR"; error: Error }
  /** The last event. */
  | { type: "STOP"; cause: StopCause }

/** Why a node is asked to end: by somebody, or because nothing can come any more. */
export type StopCause = "MANUAL" | "ALL_INPUTS_CLOSED"

/** A hybrid logical clock stamp: when the message was sent, unique in the dataflow. */
export type Timestamp = {
  /** Seconds since 1970. */
  seconds: number
  /** 2⁻³² seconds; the low four bits tell stamps of one instant apart. */
  fraction: number
}

/** What comes with a message beside its data. */
export class Metadata {
  readonly timestamp: Timestamp
  readonly #bytes: Uint8Array | null
  #parameters: Parameters | null = null

  constructor(timestamp: Timestamp, bytes: Uint8Array | null) {
    this.timestamp = timestamp
    this.#bytes = bytes
  }

  /** The sender's parameters, decoded on first touch. */
  get parameters(): Parameters {
    this.#parameters ??= this.#bytes ? decodeParameters(this.#bytes) : {}
    return this.#parameters
  }

  /** The stamp as a date, to the millisecond. */
  get date(): Date {
    const { seconds, fraction } = this.timestamp
    return new Date(seconds * 1000 + (fraction * 1000) / 2 ** 32)
  }
}

/** Memory of a large message, lent until it is released. */
export interface Lease {
  readonly buffer: ArrayBuffer
  readonly length: number
  /** Where the buffer lies. */
  readonly address: number
  /** Every view of the buffer becomes empty. */
  release(): void
}

/** What an input knows of messages with the same header: their layout, and one whole message as a pattern. */
export type Template = { layout: Layout; pattern: Uint8Array }

/** Where the bytes of an input event come from, and what is known of their form. */
export interface InputSource {
  readonly id: string
  /** The template of this number, if one was seen. */
  template(number: number): Template | null
  /** A message of this template was read for the first time. */
  learn(number: number, template: Template): void
  /** A borrowed message was given back. */
  released(event: InputEvent): void
}

type Made = {
  metadata: Metadata | null
  layout: Layout | null
  vector: Vector | null
  retained: boolean
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom")

/**
 * A message on an input. Small ones own their bytes. Large ones lie in shared memory and are given back at the next
 * event: whatever was taken from them is then empty (length 0), unless they were kept with {@link retain} or copied.
 *
 * @example
 * case "INPUT": {
 *   const pixels = event.array as Uint8Array
 *   break
 * }
 */
export class InputEvent implements Disposable {
  readonly #source: InputSource
  readonly #seconds: number
  readonly #fraction: number
  readonly #template: number
  readonly #parameters: Uint8Array | null
  #stream: Uint8Array | null
  #body: ElementArray | null
  #borrow: Lease | null
  /** What was made of the bytes so far; most messages need none of it. */
  #made: Made | null = null

  /** @internal One by one: an object of them would have to be read again. */
  constructor(
    source: InputSource,
    seconds: number,
    fraction: number,
    template: number,
    parameters: Uint8Array | null,
    stream: Uint8Array | null,
    body: ElementArray | null,
    borrow: Lease | null,
  ) {
    this.#source = source
    this.#seconds = seconds
    this.#fraction = fraction
    this.#template = template
    this.#parameters = parameters
    this.#stream = stream
    this.#body = body
    this.#borrow = borrow
  }

  /** A constant of all of them, not a field of each: to ask for it costs nothing. */
  get type(): "INPUT" {
    return "INPUT"
  }

  /** Name of the input. */
  get id(): string {
    return this.#source.id
  }

  get #lazy(): Made {
    this.#made ??= { metadata: null, layout: null, vector: null, retained: false }
    return this.#made
  }

  /** Stamp and parameters. */
  get metadata(): Metadata {
    this.#lazy.metadata ??= new Metadata(
      { seconds: this.#seconds >>> 0, fraction: this.#fraction >>> 0 },
      this.#parameters,
    )
    return this.#lazy.metadata
  }

  /**
   * The elements as a typed array over the same bytes, without an Arrow Vector. Temporal types come as integers,
   * fixed-size lists flat; a message without data as an empty Uint8Array.
   *
   * @throws ArrowTypeError  for text, lists, structs, booleans: use {@link value}
   */
  get array(): ElementArray {
    return this.#body ?? this.#makeArray()
  }

  #makeArray(): ElementArray {
    if (this.#borrow !== null && this.#viewKnown(this.#borrow)) return this.#body!
    const bytes = this.data
    if (bytes.byteLength === 0) return bytes
    this.#body = arrayOf(this.#readLayout(bytes), bytes) as ElementArray
    return this.#body
  }

  /** The column as an apache-arrow Vector over the same bytes, made on first touch; null for a message without data. */
  get value(): Vector | null {
    const made = this.#lazy
    if (made.vector !== null) return made.vector
    const bytes = this.data
    if (bytes.byteLength === 0) return null
    made.vector = vectorOf(this.#readLayout(bytes), bytes)
    return made.vector
  }

  /** The message as it travelled: one complete Arrow IPC stream; empty for a message without data (a timer's tick). */
  get data(): Uint8Array {
    if (this.#stream !== null) return this.#stream
    if (this.#borrow !== null) this.#stream = new Uint8Array(this.#borrow.buffer)
    else if (this.#body !== null)
      this.#stream = rebuild(this.#source.template(this.#template)!, this.#body)
    else this.#stream = new Uint8Array(0)
    return this.#stream
  }

  /** @internal How the bytes lie: where each buffer of the column begins; null for a message without data. */
  get layout(): Layout | null {
    if (this.#stream === null && this.#template > 0) {
      const layout = this.#source.template(this.#template)?.layout
      const isKnown = this.#borrow === null ? this.#body !== null : true
      if (layout && isKnown && layout.byteLength === (this.#borrow?.length ?? layout.byteLength)) {
        return layout
      }
    }
    const bytes = this.data
    return bytes.byteLength === 0 ? null : this.#readLayout(bytes)
  }

  /** @internal Address of the stream in shared memory, good until it is released; 0: the event owns its bytes. */
  get address(): number {
    return this.#borrow?.address ?? 0
  }

  /** @internal */
  get source(): InputSource {
    return this.#source
  }

  /** @internal Messages of one source with the same number > 0 differ in their elements only. */
  get template(): number {
    return this.#template
  }

  /** @internal The elements, when they are all that the event has of its stream: from `layout.headerLength` on. */
  get bare(): ElementArray | null {
    return this.#stream === null && this.#borrow === null ? this.#body : null
  }

  /** @internal The sender's parameters as they travelled. */
  get encodedParameters(): Uint8Array | null {
    return this.#parameters
  }

  /** Does the message lie in shared memory, to be given back? */
  get borrowed(): boolean {
    return this.#borrow !== null
  }

  /** Keeps a large message beyond the next event, until {@link release} or the end of its `using` block. */
  retain(): this {
    this.#lazy.retained = true
    return this
  }

  /** @internal */
  get retained(): boolean {
    return this.#made?.retained ?? false
  }

  /** The stream's bytes, owned by the caller. */
  copy(): Uint8Array {
    return this.data.slice()
  }

  /** Gives a large message back; everything taken from it is empty afterwards. Does nothing for a small one. */
  release(): void {
    const borrow = this.#borrow
    if (borrow === null) return
    this.#borrow = null
    this.#body = null
    if (this.#made !== null) this.#made.vector = null
    this.#stream = new Uint8Array(0)
    borrow.release()
    this.#source.released(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }

  /** What `console.log` shows of it. */
  [INSPECT](): object {
    const { type, id, metadata } = this
    return { type, id, date: metadata.date, bytes: this.data.byteLength }
  }

  /** A large message of known form needs one view. */
  #viewKnown(borrow: Lease): boolean {
    const known = this.#template > 0 ? this.#source.template(this.#template) : null
    if (known === null || known.layout.byteLength !== borrow.length) return false
    const { simple } = known.layout
    if (simple === null) return false
    const name = simple.array.name as ElementName
    this.#body = viewElements(name, borrow.buffer, simple.offset, simple.length)
    return true
  }

  #readLayout(bytes: Uint8Array): Layout {
    const made = this.#lazy
    if (made.layout !== null) return made.layout
    const number = this.#template
    const known = number > 0 ? this.#source.template(number) : null
    if (known !== null && known.layout.byteLength === bytes.byteLength) {
      made.layout = known.layout
      return known.layout
    }
    const layout = readLayout(bytes)
    if (number > 0) this.#source.learn(number, { layout, pattern: patternOf(bytes, layout) })
    made.layout = layout
    return layout
  }
}
