// JavaScript values → Arrow IPC streams. The common case, the same typed array constructor and length as last time, is a
// few comparisons in `prepare` and two copies in `write`.
import type { Vector } from "apache-arrow"
import { MAX_PAYLOAD_BYTES } from "../core/limits.ts"
import { Batch } from "./batch.ts"
import { ColumnWriter, type DictionaryBatch } from "./columns.ts"
import { elementsOf } from "./elements.ts"
import { ArrowTypeError, PayloadTooLargeError } from "./errors.ts"
import { fieldOf, isDataType } from "./fields.ts"
import { batchMessage, buildHeader, EOS_BYTES, Header, roundUp, schemaMessage } from "./header.ts"
import type { VectorLike } from "./pieces.ts"
import { type Plan, planFor } from "./plan.ts"
import { Prepared } from "./prepared.ts"
import {
  type Field,
  kindOf,
  PRIMITIVES,
  type PrimitiveName,
  primitiveKind,
  type TypedArray,
  type TypedArrayConstructor,
  typeName,
} from "./types.ts"
import { ValueWriter } from "./values.ts"

export { Prepared } from "./prepared.ts"

/** A plain value of a message, or an element or member of one. */
export type SendableValue =
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | Date
  | TypedArray
  | DataView
  | ArrayBufferLike
  | readonly SendableValue[]
  | { readonly [key: string]: SendableValue }

/**
 * What an output can send, and as what:
 *
 * | value | Arrow column |
 * | --- | --- |
 * | apache-arrow `Vector` | itself; several chunks become one |
 * | typed array | its elements |
 * | `Uint8Array`, `Buffer`, `ArrayBuffer`, `DataView` | UInt8 |
 * | number, bigint, boolean, string, Date | one Float64, Int64, Bool, Utf8, Timestamp(ms) |
 * | array of those, of bytes, of arrays or of plain objects | Float64 …, Binary, List, Struct, one for each element |
 * | plain object | Struct with one row |
 * | null, undefined | Null column without elements |
 *
 * In arrays null and undefined are null. An array of nothing but nulls has the type Null.
 */
export type Sendable = Vector | SendableValue

/** An element type: a typed array class, the name of a primitive, or a fixed-width type of apache-arrow. */
export type LoanType = TypedArrayConstructor | PrimitiveName | { readonly typeId: number }

const UINT8 = primitiveKind("uint8")
const INT64 = primitiveKind("int64")
const FLOAT64 = primitiveKind("float64")
const MAX_TEMPLATES = 256
const MAX_HEADERS = 64
const MAX_PLANS = 4
// Set by apache-arrow on the prototype, for all copies of the package.
const VECTOR = Symbol.for("apache-arrow/Vector")
const NONE: readonly unknown[] = []
const NO_DICTIONARIES: readonly DictionaryBatch[] = []

/** Encodes the messages of one output and remembers the headers that it has built. */
export class Encoder {
  readonly #prepared = new Prepared()
  readonly #batch = new Batch()
  readonly #writer = new ValueWriter(this.#batch)
  // Of the last message, when it was a flat one: what `prepare` has to compare.
  #arrayType: unknown = null
  #length = -1
  readonly #templates = new Map<number, Header>()
  readonly #headers = new Map<Field, Header>()
  #nextTemplate = 1
  // The plans of the last messages, newest first.
  readonly #plans: Plan[] = []
  readonly #single: unknown[] = [null]
  readonly #float64 = new Float64Array(1)
  readonly #int64 = new BigInt64Array(1)

  /**
   * Measures a value. Typed arrays and vectors are only read by `write`.
   *
   * @returns one object for all calls, valid until the next
   * @throws ArrowTypeError  the value has no Arrow form; says what and why
   * @throws PayloadTooLargeError
   */
  prepare(data: Sendable): Prepared {
    // Is it a typed array of the kind and length of the last one?
    const isFlat = ArrayBuffer.isView(data) && data.constructor === this.#arrayType
    if (!isFlat || (data as TypedArray).length !== this.#length) return this.#measure(data)
    this.#prepared.flat = data as TypedArray
    return this.#prepared
  }

  #measure(data: Sendable): Prepared {
    switch (typeof data) {
      case "object":
        break
      case "number":
        this.#float64[0] = data
        return this.#flat(this.#float64, FLOAT64)
      case "bigint":
        if (BigInt.asIntN(64, data) !== data) return this.#values(this.#one(data))
        this.#int64[0] = data
        return this.#flat(this.#int64, INT64)
      case "undefined":
        return this.#values(NONE)
      default:
        return this.#values(this.#one(data))
    }
    if (data === null) return this.#values(NONE)
    if (ArrayBuffer.isView(data)) {
      if (data instanceof DataView) return this.#flat(bytesOf(data), UINT8)
      const array = data as TypedArray
      return this.#flat(array, kindOf(array[Symbol.toStringTag]))
    }
    if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) {
      return this.#flat(new Uint8Array(data), UINT8)
    }
    if (Array.isArray(data)) return this.#values(data)
    if (Reflect.get(data, VECTOR) === true) return this.#vector(data as unknown as VectorLike)
    return this.#values(this.#one(data))
  }

  /**
   * Measures a message whose elements its sender will fill in, at `headerLength` of the stream.
   *
   * @param length  number of elements
   * @throws ArrowTypeError  the type is none of fixed width
   * @throws PayloadTooLargeError
   */
  prepareLoan(type: LoanType, length: number): Prepared {
    const field = loanField(type)
    if (!Number.isInteger(length) || length < 0) {
      throw new ArrowTypeError(`a loan of ${length} elements`, "ask for a whole number of them")
    }
    const batch = this.#batch
    batch.reset()
    batch.node(length, 0)
    batch.buffer(0)
    const contentLength = length * field.width
    batch.buffer(contentLength)
    const elements = elementsOf(field, [length, 0], [0, 0, 0, contentLength])
    if (!elements) {
      const fix = "loans are of types that a typed array can hold; send other types by value"
      throw new ArrowTypeError(`a loan of ${typeName(field)}`, fix)
    }
    const prepared = this.#column(field, NO_DICTIONARIES)
    prepared.batch = null
    prepared.contentLength = contentLength
    prepared.elements = elements
    return prepared
  }

  #one(value: unknown): readonly unknown[] {
    this.#single[0] = value
    return this.#single
  }

  #flat(data: TypedArray, kind: number): Prepared {
    const contentLength = data.byteLength
    if (contentLength > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(contentLength)
    const header = this.#flatHeader(kind, data.length, contentLength)
    this.#set(header, roundUp(contentLength, 8))
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

  #vector(vector: VectorLike): Prepared {
    const field = fieldOf(vector.type)
    this.#batch.reset()
    const writer = new ColumnWriter(this.#batch)
    writer.add(field, vector.data)
    return this.#column(field, writer.dictionaries)
  }

  #values(values: readonly unknown[]): Prepared {
    const plan = this.#knownPlan(values) ?? this.#newPlan(values)
    return this.#column(plan.field, NO_DICTIONARIES)
  }

  /** The first of the known plans that fits; the batch is filled after it. */
  #knownPlan(values: readonly unknown[]): Plan | null {
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i]!
      this.#batch.reset()
      if (!this.#writer.add(plan, values)) continue
      if (i > 0) {
        this.#plans.splice(i, 1)
        this.#plans.unshift(plan)
      }
      return plan
    }
    return null
  }

  #newPlan(values: readonly unknown[]): Plan {
    const scalar = values === this.#single
    const plan = planFor(values, (i) => (scalar ? "the value" : `element ${i}`))
    this.#batch.reset()
    if (!this.#writer.add(plan, values)) {
      throw new ArrowTypeError("the value changes while it is read", "send a plain copy of it")
    }
    this.#plans.unshift(plan)
    if (this.#plans.length > MAX_PLANS) this.#plans.pop()
    return plan
  }

  /** Takes over the batch, which holds one column of `field`. */
  #column(field: Field, dictionaries: readonly DictionaryBatch[]): Prepared {
    const batch = this.#batch
    let header: Header
    if (dictionaries.length > 0 || batch.variadic.length > 0) {
      const before = withDictionaries(field, dictionaries)
      header = buildHeader(field, batch.nodeCount, batch.bufferCount, before, batch.variadic)
      header.patch(batch.nodes, batch.buffers, batch.bodyLength)
    } else {
      header = this.#header(field)
      const changed = header.patch(batch.nodes, batch.buffers, batch.bodyLength)
      if (changed || header.template === 0) header.template = this.#nextTemplate++
    }
    this.#set(header, batch.bodyLength)
    this.#prepared.batch = batch
    return this.#prepared
  }

  #header(field: Field): Header {
    const known = this.#headers.get(field)
    if (known) return known
    const header = buildHeader(field, this.#batch.nodeCount, this.#batch.bufferCount)
    if (this.#headers.size >= MAX_HEADERS) this.#headers.clear()
    this.#headers.set(field, header)
    return header
  }

  #set(header: Header, bodyLength: number): void {
    const prepared = this.#prepared
    prepared.header = header.bytes
    prepared.template = header.template
    prepared.headerLength = header.bytes.byteLength
    prepared.bodyLength = bodyLength
    prepared.byteLength = prepared.headerLength + bodyLength + EOS_BYTES
    prepared.flat = null
    prepared.batch = null
    prepared.elements = null
    this.#arrayType = null
    this.#single[0] = null
  }
}

/** The schema message and a dictionary batch, header and body, for each dictionary. */
function withDictionaries(field: Field, dictionaries: readonly DictionaryBatch[]): Uint8Array {
  const parts = [schemaMessage(field)]
  let at = parts[0]!.byteLength
  for (const { id, batch } of dictionaries) {
    const { nodeCount, bufferCount, variadic, bodyLength } = batch
    const { bytes, places } = batchMessage(nodeCount, bufferCount, at, id, variadic)
    const header = new Header(bytes, places)
    header.patch(batch.nodes, batch.buffers, bodyLength)
    const message = new Uint8Array(bytes.byteLength + bodyLength)
    message.set(bytes)
    batch.write(message, bytes.byteLength)
    parts.push(message)
    at += message.byteLength
  }
  return Buffer.concat(parts)
}

function loanField(type: LoanType): Field {
  const kind =
    typeof type === "string"
      ? primitiveKind(type)
      : typeof type === "function"
        ? kindOf(type.name)
        : -1
  if (kind >= 0) return PRIMITIVES[kind]!.field
  if (isDataType(type)) {
    const field = fieldOf(type)
    if (field.shape === "fixed" && !field.dictionary) return field
    throw new ArrowTypeError(
      `a loan of ${typeName(field)}`,
      "loans are of types with a fixed width; send other types by value",
    )
  }
  const fix = `use a typed array class or one of ${PRIMITIVES.map((p) => p.name).join(", ")}`
  throw new ArrowTypeError(`a loan of ${String(type)}`, fix)
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
