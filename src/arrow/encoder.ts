// JavaScript values → Arrow IPC streams. The common case, the same typed array constructor and length as last time, is a
// few comparisons in `prepare` and two copies in `write`.
import { MAX_PAYLOAD_BYTES } from "../core/limits.ts"
import { ArrowTypeError, PayloadTooLargeError } from "./errors.ts"
import { buildHeader, EOS_BYTES, type Header, roundUp } from "./header.ts"
import { Prepared } from "./prepared.ts"
import { PRIMITIVES, primitiveKind, type TypedArray } from "./types.ts"

export { Prepared } from "./prepared.ts"

const UINT8 = primitiveKind("uint8")
const MAX_TEMPLATES = 256

const KINDS = new Map<string, number>(PRIMITIVES.map((p, kind) => [p.array.name, kind]))
KINDS.set("Uint8ClampedArray", UINT8)

/** What an output can send. */
export type Sendable = TypedArray | ArrayBufferLike

/** Encodes the messages of one output and remembers the headers that it has built. */
export class Encoder {
  readonly #prepared = new Prepared()
  // What the present content of #prepared was made for, when it is a flat body.
  #arrayType: unknown = null
  #length = -1
  #templates = new Map<number, Header>()
  #nextTemplate = 1

  /**
   * Measures a value; copies nothing.
   *
   * @returns one object for all calls, valid until the next
   * @throws ArrowTypeError  the value has no Arrow form; says what and why
   * @throws PayloadTooLargeError
   */
  prepare(data: Sendable): Prepared {
    if (ArrayBuffer.isView(data)) {
      if (data.constructor === this.#arrayType && data.length === this.#length) {
        this.#prepared.flat = data
        return this.#prepared
      }
      return this.#flat(data)
    }
    if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) {
      return this.#flat(new Uint8Array(data))
    }
    throw new ArrowTypeError("not implemented")
  }

  #flat(data: TypedArray): Prepared {
    const kind = KINDS.get(data[Symbol.toStringTag])!
    const contentLength = data.byteLength
    if (contentLength > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(contentLength)
    const header = this.#flatHeader(kind, data.length, contentLength)
    this.#set(header.bytes, header.template, roundUp(contentLength, 8))
    const prepared = this.#prepared
    prepared.kind = kind
    prepared.flat = data
    prepared.contentLength = contentLength
    this.#arrayType = data.constructor
    this.#length = data.length
    return prepared
  }

  #flatHeader(kind: number, length: number, contentLength: number): Header {
    const key = length * PRIMITIVES.length + kind
    const known = this.#templates.get(key)
    if (known) return known
    const header = buildHeader(PRIMITIVES[kind]!.field, 1, 2)
    header.patch([length, 0], [0, 0, 0, contentLength], roundUp(contentLength, 8))
    header.template = this.#nextTemplate++
    if (this.#templates.size >= MAX_TEMPLATES) this.#templates.clear()
    this.#templates.set(key, header)
    return header
  }

  #set(header: Uint8Array, template: number, bodyLength: number): void {
    const prepared = this.#prepared
    prepared.header = header
    prepared.template = template
    prepared.headerLength = header.byteLength
    prepared.bodyLength = bodyLength
    prepared.byteLength = header.byteLength + bodyLength + EOS_BYTES
    prepared.flat = null
    prepared.batch = null
    this.#arrayType = null
  }
}
