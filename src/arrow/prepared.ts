import { assert } from "../core/assert.ts"
import type { Batch } from "./batch.ts"
import type { Elements } from "./elements.ts"
import { PRIMITIVES, type TypedArray } from "./types.ts"

const copy = Buffer.prototype.copy

/** A measured message, ready to be written. One instance for each {@link Encoder}, valid until its next call. */
export class Prepared {
  /** Size of the whole stream. */
  byteLength = 0
  /** Size of everything before the body of the record batch; a multiple of 64. */
  headerLength = 0
  /** Size of the body with its padding, without the end-of-stream marker of 8 bytes that follows. */
  bodyLength = 0
  /** Messages of one Encoder with the same number > 0 have the same header, padding and sizes; 0 promises nothing. */
  template = 0
  /** The elements, when the body is nothing but them (and zero padding). */
  flat: TypedArray | null = null
  /** @internal */
  header: Uint8Array = new Uint8Array(0)
  /** @internal Where the body comes from when it is neither `flat` nor a loan. */
  batch: Batch | null = null
  /** @internal Bytes of elements in a flat body or a loan. */
  contentLength = 0
  /** The typed array that fills a loan, and its number of elements. */
  elements: Elements | null = null
  /** @internal Index into PRIMITIVES of `flat`. */
  kind = 0
  // Views of the last target's buffer, one for each kind: a view costs more than the copy of a small body.
  #target: Uint8Array | null = null
  #targetOffset = 0
  readonly #views: (TypedArray | null)[] = PRIMITIVES.map(() => null)

  /** Writes the header at `at`, the start of the stream. */
  writeHeader(target: Uint8Array, at: number): void {
    assert(at >= 0 && at + this.byteLength <= target.byteLength, "a message fits into its memory")
    copy.call(this.header, target, at, 0, this.headerLength)
  }

  /**
   * Writes body, padding and end-of-stream marker; `at` is the start of the stream. The elements of a loan, which
   * its owner fills in, stay as they are.
   */
  writeBody(target: Uint8Array, at: number): void {
    assert(at >= 0 && at + this.byteLength <= target.byteLength, "a message fits into its memory")
    const body = at + this.headerLength
    const end = body + this.bodyLength
    if (this.batch !== null) this.batch.write(target, body)
    else {
      if (this.flat !== null) this.#writeFlat(this.flat, target, body)
      for (let i = body + this.contentLength; i < end; i++) target[i] = 0
    }
    target[end] = 0xff
    target[end + 1] = 0xff
    target[end + 2] = 0xff
    target[end + 3] = 0xff
    target[end + 4] = 0
    target[end + 5] = 0
    target[end + 6] = 0
    target[end + 7] = 0
  }

  /** Writes the whole stream at `at`. */
  write(target: Uint8Array, at: number): void {
    this.writeHeader(target, at)
    this.writeBody(target, at)
  }

  #writeFlat(flat: TypedArray, target: Uint8Array, body: number): void {
    if (flat instanceof Uint8Array) {
      copy.call(flat, target, body, 0, this.contentLength)
      return
    }
    const view = target === this.#target ? this.#views[this.kind] : this.#newTarget(target)
    const place = this.#targetOffset + body
    const width = flat.BYTES_PER_ELEMENT
    if (place % width === 0) setAll(view ?? this.#newView(target), flat, place / width)
    else {
      const bytes = new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength)
      copy.call(bytes, target, body, 0, this.contentLength)
    }
  }

  #newTarget(target: Uint8Array): null {
    this.#target = target
    this.#targetOffset = target.byteOffset
    this.#views.fill(null)
    return null
  }

  #newView(target: Uint8Array): TypedArray {
    const { array } = PRIMITIVES[this.kind]!
    const { buffer } = target
    const made = new array(buffer, 0, Math.floor(buffer.byteLength / array.BYTES_PER_ELEMENT))
    this.#views[this.kind] = made
    return made
  }
}

/** `target.set(source, at)` for two arrays of the same element type, which the type system can't know. */
function setAll(target: TypedArray, source: TypedArray, at: number): void {
  ;(target as Float64Array).set(source as Float64Array, at)
}
