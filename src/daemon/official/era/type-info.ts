// What dora 0.4 and 0.5 say of the data of a message: ArrowTypeInfo. Sections 8.2 and 8.3 of the protocol reference.
import { StreamHeader } from "../../../arrow/c-batch.ts"
import type { Field } from "../../../arrow/types.ts"
import { MAX_ARROW_DEPTH } from "../../../core/limits.ts"
import type { BincodeReader } from "../../../wire/bincode/codec.ts"
import { WireError } from "../../../wire/postcard.ts"
import { DataTypeReader } from "./data-type.ts"

/** One node of an Arrow array. */
export type ArrayInfo = {
  length: number
  /** A bitmap, in which the array begins at bit `offset`; null: it has no nulls. */
  validity: Uint8Array | null
  /** Elements of its buffers and children that come before its own first one. */
  offset: number
  /** Where its buffers lie in the data. */
  buffers: { offset: number; length: number }[]
  children: ArrayInfo[]
}

/** Bytes that a node of a type takes at least. */
const LEAST_BYTES = 45
const MAX_ROWS = 0x7fff_ffff

/** A type, and the header of the streams that its messages become. */
export type KnownType = { field: Field; header: StreamHeader }

const MAX_KNOWN_TYPES = 16

/** Reads what stands in the metadata of messages. Streams repeat: types are kept. */
export class TypeInfoReader {
  readonly #known = new Map<string, KnownType>()

  /** @throws WireError */
  read(reader: BincodeReader): { type: KnownType; info: ArrayInfo } {
    const types = new DataTypeReader(reader)
    const from = reader.position
    const field = types.read(1)
    const type = this.#type(reader.slice(from, reader.position), field)
    return { type, info: readArray(reader, types, 1) }
  }

  #type(bytes: Uint8Array, field: Field): KnownType {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    const known = this.#known.get(key)
    if (known) return known
    const type = { field, header: new StreamHeader(field, () => 1) }
    if (this.#known.size >= MAX_KNOWN_TYPES) this.#known.clear()
    this.#known.set(key, type)
    return type
  }
}

/** What follows a type. */
function readArray(reader: BincodeReader, types: DataTypeReader, depth: number): ArrayInfo {
  if (depth > MAX_ARROW_DEPTH) throw new WireError(`data of more than ${MAX_ARROW_DEPTH} levels`)
  const length = reader.varint(MAX_ROWS)
  // Of nulls: they are counted anew, since senders get it wrong for parts of arrays.
  reader.varint()
  const validity = reader.bool() ? reader.blob() : null
  const offset = reader.varint(MAX_ROWS)
  const buffers = reader.list(() => ({ offset: reader.varint(), length: reader.varint() }), 16)
  const children = reader.list(() => {
    types.read(depth + 1)
    return readArray(reader, types, depth + 1)
  }, LEAST_BYTES)
  return { length, validity, offset, buffers, children }
}
