// Chunks of apache-arrow vectors, and parts of them.
import { ArrowTypeError } from "./errors.ts"
import type { TypedArray } from "./types.ts"

const NO_BYTES = new Uint8Array(0)

/** What is used of apache-arrow's `Data`. */
export type DataLike = {
  readonly type: unknown
  readonly length: number
  readonly offset: number
  readonly nullCount: number
  readonly values?: TypedArray | null
  readonly valueOffsets?: Int32Array | BigInt64Array | null
  readonly nullBitmap?: Uint8Array | null
  readonly typeIds?: Int8Array | null
  readonly variadicBuffers?: readonly Uint8Array[]
  readonly children: readonly DataLike[]
  readonly dictionary?: VectorLike
}

/** What is used of apache-arrow's `Vector`. */
export type VectorLike = { readonly type: unknown; readonly data: readonly DataLike[] }

/** Rows [start, start + length) of a chunk. */
export type Piece = { data: DataLike; start: number; length: number }

/** Offsets as numbers, without a BigInt for each of the large ones. */
export class OffsetReader {
  readonly #words: Int32Array | Uint32Array
  readonly #step: number
  readonly #last: number

  /** The offsets of `data`, or a single 0 when it has none. */
  constructor(data: DataLike) {
    const offsets = data.valueOffsets ?? new Int32Array(1)
    this.#step = offsets.BYTES_PER_ELEMENT / 4
    this.#words = new Uint32Array(offsets.buffer, offsets.byteOffset, offsets.length * this.#step)
    // apache-arrow lengthens columns by their bitmap only: the offsets that lack repeat the last one.
    this.#last = offsets.length - 1
  }

  at(index: number): number {
    if (this.#last < 0) return 0
    return this.#words[Math.min(index, this.#last) * this.#step]!
  }
}

/** Rows of all pieces. */
export function lengthOf(pieces: readonly Piece[]): number {
  let length = 0
  for (const piece of pieces) length += piece.length
  return length
}

/**
 * Rows of a child of the piece's data.
 *
 * @throws ArrowTypeError  the data has no such child
 */
export function childPiece(piece: Piece, index: number, start: number, length: number): Piece {
  const data = piece.data.children[index]
  if (!data) throw new ArrowTypeError(`a nested column lacks the data of its child ${index}`)
  return { data, start, length }
}

/** The same memory as bytes. */
export function bytesOf(array: ArrayBufferView | null | undefined): Uint8Array {
  if (!array) return NO_BYTES
  if (array instanceof Uint8Array) return array
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
