// apache-arrow vectors → batches. Vectors are recognised by their symbols and read by their documented properties, so nothing
// of the package is loaded here. What `Data` slices itself: everything but bitmaps and booleans, which keep `offset`.
import { Batch } from "./batch.ts"
import { copyBits, countBits, setBits } from "./bits.ts"
import { ArrowTypeError } from "./errors.ts"
import { putInt64 } from "./flatbuffer.ts"
import {
  bytesOf,
  childPiece,
  type DataLike,
  lengthOf,
  OffsetReader,
  type Piece,
  type VectorLike,
} from "./pieces.ts"
import type { Field } from "./types.ts"

/** A dictionary of a message, ready to become a dictionary batch. */
export type DictionaryBatch = { id: number; batch: Batch }

/** Adds the chunks of a vector to a batch, as one column. */
export class ColumnWriter {
  readonly #batch: Batch
  /** Dictionaries met on the way, in the order in which a reader needs them. */
  readonly dictionaries: DictionaryBatch[]

  constructor(batch: Batch, dictionaries: DictionaryBatch[] = []) {
    this.#batch = batch
    this.dictionaries = dictionaries
  }

  /** Adds the whole of `chunks`. */
  add(field: Field, chunks: readonly DataLike[]): void {
    const pieces = chunks.map((data) => ({ data, start: 0, length: data.length }))
    this.#column(field, pieces)
  }

  #column(field: Field, pieces: readonly Piece[]): void {
    if (field.dictionary) this.#indices(field, field.dictionary, pieces)
    else this.#values(field, pieces)
  }

  #values(field: Field, pieces: readonly Piece[]): void {
    switch (field.shape) {
      case "null": {
        const length = lengthOf(pieces)
        this.#batch.node(length, length)
        return
      }
      case "fixed":
        this.#head(pieces)
        this.#fixed(pieces, field.width)
        return
      case "bits":
        this.#head(pieces)
        this.#bits(pieces)
        return
      case "bytes":
        this.#head(pieces)
        this.#bytes(pieces, field.large)
        return
      case "views":
        this.#head(pieces)
        this.#views(pieces)
        return
      case "list":
        this.#head(pieces)
        this.#column(field.children[0]!, this.#list(pieces, field.large))
        return
      case "fixedList": {
        this.#head(pieces)
        const { width } = field
        this.#column(
          field.children[0]!,
          pieces.map((p) => childPiece(p, 0, p.start * width, p.length * width)),
        )
        return
      }
      case "struct":
        this.#head(pieces)
        this.#children(field, pieces)
        return
      default:
        this.#union(field, pieces)
    }
  }

  #children(field: Field, pieces: readonly Piece[]): void {
    field.children.forEach((child, i) => {
      this.#column(
        child,
        pieces.map((p) => childPiece(p, i, p.start, p.length)),
      )
    })
  }

  /** Node and validity. */
  #head(pieces: readonly Piece[]): void {
    const batch = this.#batch
    const length = lengthOf(pieces)
    const size = Math.ceil(length / 8)
    let nullCount = 0
    let start = 0
    if (pieces.some((p) => p.data.nullCount > 0)) {
      start = batch.zeros(size)
      const bitmap = batch.scratch.subarray(start, start + size)
      let at = 0
      for (const { data, start: from, length: count } of pieces) {
        if (data.nullCount === 0 || !data.nullBitmap) setBits(bitmap, at, count)
        else copyBits(bitmap, at, data.nullBitmap, data.offset + from, count)
        at += count
      }
      nullCount = length - countBits(bitmap, 0, size)
    }
    batch.node(length, nullCount)
    batch.buffer(nullCount === 0 ? 0 : size)
    if (nullCount > 0) batch.own(start, size)
  }

  #fixed(pieces: readonly Piece[], width: number): void {
    this.#batch.buffer(lengthOf(pieces) * width)
    for (const { data, start, length } of pieces) {
      this.#copy(bytesOf(data.values), start * width, length * width)
    }
  }

  /** Bytes of a source, with zeros for what it lacks: apache-arrow lengthens columns by their bitmap only. */
  #copy(bytes: Uint8Array, start: number, length: number): void {
    const there = Math.max(0, Math.min(length, bytes.byteLength - start))
    if (there > 0) this.#batch.part(bytes, start, there)
    this.#batch.skip(length - there)
  }

  #bits(pieces: readonly Piece[]): void {
    const batch = this.#batch
    const size = Math.ceil(lengthOf(pieces) / 8)
    batch.buffer(size)
    const start = batch.zeros(size)
    const bits = batch.scratch.subarray(start, start + size)
    let at = 0
    for (const { data, start: from, length } of pieces) {
      copyBits(bits, at, bytesOf(data.values), data.offset + from, length)
      at += length
    }
    batch.own(start, size)
  }

  #bytes(pieces: readonly Piece[], large: boolean): void {
    const ranges = this.#offsets(pieces, large)
    let size = 0
    for (const range of ranges) size += range.length
    this.#batch.buffer(size)
    for (let i = 0; i < pieces.length; i++) {
      const { start, length } = ranges[i]!
      this.#copy(bytesOf(pieces[i]!.data.values), start, length)
    }
  }

  #list(pieces: readonly Piece[], large: boolean): Piece[] {
    const ranges = this.#offsets(pieces, large)
    return pieces.map((p, i) => childPiece(p, 0, ranges[i]!.start, ranges[i]!.length))
  }

  /** Writes the offsets of all pieces, counted from 0. Returns which part of its values each piece uses. */
  #offsets(pieces: readonly Piece[], large: boolean): { start: number; length: number }[] {
    const batch = this.#batch
    const width = large ? 8 : 4
    const size = (lengthOf(pieces) + 1) * width
    batch.buffer(size)
    let place = batch.zeros(size)
    batch.own(place, size)
    const ranges: { start: number; length: number }[] = []
    let base = 0
    for (const { data, start, length } of pieces) {
      const offsets = new OffsetReader(data)
      const first = offsets.at(start)
      let last = first
      for (let i = 1; i <= length; i++) {
        const offset = offsets.at(start + i)
        if (offset < last) throw new ArrowTypeError("a column has offsets that fall")
        last = offset
        place += width
        if (large) putInt64(batch.view, place, base + last - first)
        else batch.view.setInt32(place, base + last - first, true)
      }
      ranges.push({ start: first, length: last - first })
      base += last - first
    }
    return ranges
  }

  #indices(
    field: Field,
    dictionary: NonNullable<Field["dictionary"]>,
    pieces: readonly Piece[],
  ): void {
    const batch = this.#batch
    const { index } = dictionary
    this.#head(pieces)
    const parts: DataLike[] = []
    const bases = new Map<VectorLike, number>()
    let size = 0
    for (const { data } of pieces) {
      if (!data.dictionary || bases.has(data.dictionary)) continue
      bases.set(data.dictionary, size)
      for (const part of data.dictionary.data) {
        parts.push(part)
        size += part.length
      }
    }
    if (bases.size <= 1) this.#fixed(pieces, index.width)
    else this.#shiftedIndices(index, pieces, bases, size)
    const inner = new Batch()
    const writer = new ColumnWriter(inner, this.dictionaries)
    writer.#values(
      field,
      parts.map((data) => ({ data, start: 0, length: data.length })),
    )
    this.dictionaries.push({ id: dictionary.id, batch: inner })
    // The message has to hold both; the limit counts them together.
    batch.also(inner.bodyLength)
  }

  /** Chunks with dictionaries of their own: the dictionaries are joined, and the indices moved. */
  #shiftedIndices(
    index: Field,
    pieces: readonly Piece[],
    bases: ReadonlyMap<VectorLike, number>,
    size: number,
  ): void {
    const limit = 2 ** (index.width * 8 - (index.signed ? 1 : 0))
    if (size > limit) {
      const fix = "give its chunks one dictionary, or use a larger index type"
      throw new ArrowTypeError(`the dictionaries of its chunks have ${size} values together`, fix)
    }
    const { width } = index
    this.#batch.buffer(lengthOf(pieces) * width)
    for (const { data, start, length } of pieces) {
      const base = bases.get(data.dictionary!) ?? 0
      const indices = data.values!
      const moved = indices.slice(start, start + length)
      for (let i = 0; i < moved.length; i++) {
        const old = moved[i]!
        moved[i] = typeof old === "bigint" ? old + BigInt(base) : old + base
      }
      this.#copy(bytesOf(moved), 0, length * width)
    }
  }

  #views(pieces: readonly Piece[]): void {
    const batch = this.#batch
    const size = lengthOf(pieces) * 16
    batch.buffer(size)
    const start = batch.zeros(size)
    batch.own(start, size)
    const buffers: Uint8Array[] = []
    let at = start
    for (const { data, start: from, length } of pieces) {
      const bytes = bytesOf(data.values).subarray(from * 16, (from + length) * 16)
      batch.scratch.set(bytes, at)
      // A view longer than 12 bytes names its data buffer in the third word.
      for (let i = at; i < at + bytes.byteLength; i += 16) {
        if (batch.view.getInt32(i, true) <= 12) continue
        batch.view.setInt32(i + 8, batch.view.getInt32(i + 8, true) + buffers.length, true)
      }
      at += length * 16
      buffers.push(...(data.variadicBuffers ?? []))
    }
    for (const buffer of buffers) {
      batch.buffer(buffer.byteLength)
      batch.part(buffer, 0, buffer.byteLength)
    }
    batch.variadic.push(buffers.length)
  }

  #union(field: Field, pieces: readonly Piece[]): void {
    const batch = this.#batch
    const length = lengthOf(pieces)
    batch.node(length, 0)
    batch.buffer(length)
    for (const p of pieces) this.#copy(bytesOf(p.data.typeIds), p.start, p.length)
    if (field.unit === 0) {
      this.#children(field, pieces)
      return
    }
    batch.buffer(length * 4)
    let place = batch.zeros(length * 4)
    batch.own(place, length * 4)
    const bases = field.children.map(() => 0)
    for (const { data, start, length: count } of pieces) {
      for (let i = start; i < start + count; i++, place += 4) {
        const child = field.typeIds.indexOf(data.typeIds?.[i] ?? -1)
        const offset = Number(data.valueOffsets?.[i] ?? 0)
        batch.view.setInt32(place, offset + (bases[child] ?? 0), true)
      }
      for (let c = 0; c < bases.length; c++) bases[c]! += data.children[c]?.length ?? 0
    }
    field.children.forEach((child, c) => {
      this.#column(
        child,
        pieces.map((p) => childPiece(p, c, 0, p.data.children[c]?.length ?? 0)),
      )
    })
  }
}
