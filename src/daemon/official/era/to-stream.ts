// Data of dora 0.4 and 0.5, buffers one after the other with a description beside them, becomes an Arrow stream: each buffer is copied
// once, from where it lies to its place in memory.
import { copyBits, countBits } from "../../../arrow/bits.ts"
import { ArrowDataError, ArrowTypeError, PayloadTooLargeError } from "../../../arrow/errors.ts"
import { BUFFER_ALIGNMENT, CONTINUATION, EOS_BYTES, roundUp } from "../../../arrow/header.ts"
import { type Field, TypeId, typeName } from "../../../arrow/types.ts"
import { MAX_PAYLOAD_BYTES } from "../../../core/limits.ts"
import type { Payload } from "../../../shm/payload.ts"
import type { Sample } from "./sample.ts"
import type { ArrayInfo, KnownType } from "./type-info.ts"

const VIEW_BYTES = 16
/** Texts up to this length stand in their view. */
const SHORT_BYTES = 12

/** Bytes of a buffer: a range of the sample, or what had to be made. */
type Part = { place: number; from: number; length: number; made: Uint8Array | null }

/** The body of one batch: what its header says of it, and where its bytes come from. */
class BatchPlan {
  readonly nodes: number[] = []
  readonly buffers: number[] = []
  readonly views: number[] = []
  readonly parts: Part[] = []
  bodyLength = 0

  buffer(from: number, length: number, made: Uint8Array | null = null): void {
    const place = roundUp(this.bodyLength, BUFFER_ALIGNMENT)
    this.buffers.push(place, length)
    if (length > 0) this.parts.push({ place, from, length, made })
    this.bodyLength = roundUp(place + length, 8)
    if (this.bodyLength > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(this.bodyLength)
  }
}

/** Rows of an array, counted from the start of its buffers. */
type Rows = { info: ArrayInfo; start: number; length: number }

/** A message on its way into memory. */
export class StreamPayload implements Payload {
  readonly byteLength: number
  readonly headerLength: number
  readonly template = 0
  readonly flat = null
  readonly #header: Uint8Array
  readonly #bases: readonly number[]
  readonly #batches: BatchPlan[] = [new BatchPlan()]
  readonly #sample: Sample
  readonly #dictionaries: { field: Field; rows: Rows }[] = []

  /**
   * Measures a message. The next one of the same type must come after this one is written.
   *
   * @throws ArrowDataError  the description is not that of this data
   * @throws ArrowTypeError  no stream can say the same
   * @throws PayloadTooLargeError
   */
  constructor({ field, header }: KnownType, info: ArrayInfo, sample: Sample) {
    this.#sample = sample
    this.#column(this.#batches[0]!, field, { info, start: info.offset, length: info.length })
    for (const { field: values, rows } of this.#dictionaries) {
      const batch = new BatchPlan()
      this.#batches.push(batch)
      this.#values(batch, values, rows)
    }
    const bodies = this.#batches.reduce((sum, { bodyLength }) => sum + bodyLength, 0)
    if (bodies > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(bodies)
    header.update(this.#batches.flatMap(figuresOf))
    this.#header = header.bytes
    this.#bases = header.bases
    this.headerLength = header.bytes.byteLength
    this.byteLength = header.byteLength
  }

  write(target: Uint8Array, at: number): void {
    target.set(this.#header, at)
    const end = at + this.byteLength - EOS_BYTES
    let cursor = at + this.headerLength
    for (const [i, { parts }] of this.#batches.entries()) {
      const base = at + this.#bases[i]!
      for (const { place, from, length, made } of parts) {
        // The bodies of dictionaries stand in the header, which has zeros there.
        if (i === 0) target.fill(0, cursor, base + place)
        if (made !== null) target.set(made, base + place)
        else this.#sample.copy(target, base + place, from, length)
        if (i === 0) cursor = base + place + length
      }
    }
    target.fill(0, cursor, end)
    new DataView(target.buffer, target.byteOffset + end, EOS_BYTES).setUint32(0, CONTINUATION)
    target.fill(0, end + 4, end + EOS_BYTES)
  }

  #column(batch: BatchPlan, field: Field, rows: Rows): void {
    const { dictionary } = field
    if (!dictionary) return this.#values(batch, field, rows)
    this.#head(batch, rows)
    this.#window(batch, rows, 0, rows.start, rows.length, dictionary.index.width)
    const values = childOf(rows.info, 0, field)
    this.#dictionaries.push({
      field,
      rows: { info: values, start: values.offset, length: values.length },
    })
  }

  #values(batch: BatchPlan, field: Field, rows: Rows): void {
    const { info, start, length } = rows
    const { shape } = field
    if (shape === "null") batch.nodes.push(length, length)
    else if (shape === "union" || shape === "foreign") batch.nodes.push(length, 0)
    else this.#head(batch, rows)
    switch (shape) {
      case "null":
        return
      case "fixed":
        return this.#window(batch, rows, 0, start, length, field.width)
      case "bits":
        return this.#bits(batch, rows)
      case "bytes":
        this.#offsets(batch, rows, field.large)
        return this.#whole(batch, info, 1)
      case "views":
        this.#window(batch, rows, 0, start, length, VIEW_BYTES)
        if (info.buffers.length < 2) this.#checkViews(info, start, length)
        for (let i = 1; i < info.buffers.length; i++) this.#whole(batch, info, i)
        batch.views.push(Math.max(0, info.buffers.length - 1))
        return
      case "list":
        this.#offsets(batch, rows, field.large)
        return this.#child(batch, field, info, 0)
      case "fixedList":
        return this.#child(batch, field, info, 0, start * field.width, length * field.width)
      case "struct":
        for (const i of field.children.keys()) this.#child(batch, field, info, i, start, length)
        return
      case "union":
        return this.#union(batch, field, rows)
      case "foreign":
        this.#runs(batch, field, rows)
    }
  }

  #union(batch: BatchPlan, field: Field, rows: Rows): void {
    const { info, start, length } = rows
    const dense = field.unit === 1
    this.#window(batch, rows, 0, start, length, 1)
    if (dense) this.#window(batch, rows, 1, start, length, 4)
    for (const i of field.children.keys()) {
      if (dense) this.#child(batch, field, info, i)
      else this.#child(batch, field, info, i, start, length)
    }
  }

  /** The official library of this time sends views without the buffers that they refer to. */
  #checkViews(info: ArrayInfo, start: number, length: number): void {
    const { offset } = this.#within(info, 0, start * VIEW_BYTES, length * VIEW_BYTES)
    const views = new Int32Array((length * VIEW_BYTES) / 4)
    const bytes = new Uint8Array(views.buffer)
    this.#sample.copy(bytes, 0, offset + start * VIEW_BYTES, bytes.byteLength)
    for (let i = 0; i < views.length; i += VIEW_BYTES / 4) {
      if (views[i]! <= SHORT_BYTES) continue
      const why = `dora 0.4 and 0.5 send no views of more than ${SHORT_BYTES} bytes, only what refers to them`
      throw new ArrowDataError(`${why}; send plain texts or binaries instead`)
    }
  }

  /** Run ends count from the start of the array: those of a part would have to be made anew. */
  #runs(batch: BatchPlan, field: Field, { info, start }: Rows): void {
    if (field.id !== TypeId.RunEndEncoded || start > 0) {
      const what = `part of a column of type ${typeName(field)}`
      throw new ArrowTypeError(what, "send a copy of the part")
    }
    for (const i of field.children.keys()) this.#child(batch, field, info, i)
  }

  /** A child: all of it, or some of its rows. */
  #child(batch: BatchPlan, field: Field, info: ArrayInfo, i: number, from = 0, rows = -1): void {
    const child = childOf(info, i, field)
    const length = rows < 0 ? child.length : rows
    if (from + length > child.length) {
      throw new ArrowDataError(
        `a child of ${child.length} elements where ${from + length} are needed`,
      )
    }
    this.#column(batch, field.children[i]!, { info: child, start: child.offset + from, length })
  }

  /** Node and validity. */
  #head(batch: BatchPlan, { info: { validity }, start, length }: Rows): void {
    const size = Math.ceil(length / 8)
    if (validity !== null && validity.byteLength * 8 < start + length) {
      throw new ArrowDataError(
        `a bitmap of ${validity.byteLength} bytes for ${start + length} elements`,
      )
    }
    const bits = new Uint8Array(validity === null ? 0 : size)
    if (validity !== null) copyBits(bits, 0, validity, start, length)
    const nulls = validity === null ? 0 : length - countBits(bits, 0, size)
    batch.nodes.push(length, nulls)
    batch.buffer(0, nulls === 0 ? 0 : size, bits)
  }

  #offsets(batch: BatchPlan, rows: Rows, large: boolean): void {
    const count = rows.length === 0 ? 0 : rows.length + 1
    this.#window(batch, rows, 0, rows.start, count, large ? 8 : 4)
  }

  #bits(batch: BatchPlan, { info, start, length }: Rows): void {
    const first = start >>> 3
    const size = Math.ceil((start + length) / 8) - first
    const { offset } = this.#within(info, 0, first, length === 0 ? 0 : size)
    if (start % 8 === 0) return batch.buffer(offset + first, Math.ceil(length / 8))
    const bytes = new Uint8Array(size)
    this.#sample.copy(bytes, 0, offset + first, size)
    const bits = new Uint8Array(Math.ceil(length / 8))
    copyBits(bits, 0, bytes, start % 8, length)
    batch.buffer(0, bits.byteLength, bits)
  }

  /** `count` elements of a buffer. */
  #window(
    batch: BatchPlan,
    rows: Rows,
    i: number,
    start: number,
    count: number,
    width: number,
  ): void {
    const { offset } = this.#within(rows.info, i, start * width, count * width)
    batch.buffer(offset + start * width, count * width)
  }

  #whole(batch: BatchPlan, info: ArrayInfo, i: number): void {
    const { offset, length } = this.#within(info, i, 0, 0)
    batch.buffer(offset, length)
  }

  /** The buffer, which must have `length` bytes from `from` on. None of an empty array need be there. */
  #within(
    info: ArrayInfo,
    i: number,
    from: number,
    length: number,
  ): { offset: number; length: number } {
    const buffer = info.buffers[i]
    if (length === 0 && (buffer === undefined || this.#sample.byteLength === 0)) return NOTHING
    if (buffer === undefined) throw new ArrowDataError(`there is no buffer ${i}`)
    if (from + length > buffer.length || buffer.offset + buffer.length > this.#sample.byteLength) {
      const where = `${buffer.length} bytes at ${buffer.offset} of ${this.#sample.byteLength}`
      throw new ArrowDataError(`a buffer of ${where} where ${from + length} are needed`)
    }
    return buffer
  }
}

const NOTHING = { offset: 0, length: 0 }

function figuresOf({ nodes, buffers, views, bodyLength }: BatchPlan): number[] {
  const counts = [nodes.length / 2, buffers.length / 2, views.length, bodyLength]
  return [...counts, ...nodes, ...buffers, ...views]
}

function childOf(info: ArrayInfo, i: number, field: Field): ArrayInfo {
  const child = info.children[i]
  if (child) return child
  throw new ArrowDataError(`a column of type ${typeName(field)} without the data of child ${i}`)
}
