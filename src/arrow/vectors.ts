// Received streams → apache-arrow vectors over the same bytes, without its reader where possible: makeData costs well below a
// microsecond, its reader twenty and more.
import type { Data, DataType, Vector } from "apache-arrow"
import { ArrowDataError, ArrowTypeError } from "./errors.ts"
import { apacheArrow, arrowCore } from "./lazy.ts"
import type { BatchLayout, Layout } from "./layout.ts"
import {
  type Field,
  TypeId,
  type TypedArray,
  type TypedArrayConstructor,
  typeName,
} from "./types.ts"

/** `length` elements at `offset`; over the same bytes when they are aligned, else a copy. */
export function viewOf(
  array: TypedArrayConstructor,
  stream: Uint8Array,
  offset: number,
  length: number,
): TypedArray {
  const place = stream.byteOffset + offset
  const width = array.BYTES_PER_ELEMENT
  if (place % width === 0) return new array(stream.buffer, place, length)
  const copy = stream.slice(offset, offset + length * width)
  return new array(copy.buffer, 0, length)
}

/** The column of a stream that apache-arrow's own reader has to read. */
export function foreignVector(layout: Layout, stream: Uint8Array): Vector {
  refuseUnknown(layout.field)
  const { tableFromIPC } = apacheArrow()
  try {
    const vector = tableFromIPC(stream).getChildAt(0)
    if (vector !== null && vector.length === layout.rows) return vector
  } catch (cause) {
    throw new ArrowDataError("apache-arrow can't read it", cause)
  }
  throw new ArrowDataError("apache-arrow reads another number of rows")
}

function refuseUnknown(field: Field): void {
  const { id } = field
  const known = id >= TypeId.Null && id <= TypeId.Utf8View && id !== TypeId.RunEndEncoded
  if (!known) throw new ArrowTypeError(`apache-arrow has no type ${typeName(field)}`)
  for (const child of field.children) refuseUnknown(child)
}

const dataTypes = new WeakMap<Field, DataType>()

/** The apache-arrow type of a field; one object for each field. */
export function dataTypeOf(field: Field): DataType {
  const known = dataTypes.get(field)
  if (known) return known
  const type = makeType(field)
  dataTypes.set(field, type)
  return type
}

function makeType(field: Field): DataType {
  const { types } = arrowCore()
  if (!field.dictionary) return makeValueType(field)
  const { id, index, ordered } = field.dictionary
  const indices = new types.Int(index.signed, (index.width * 8) as 32)
  return new types.Dictionary(makeValueType(field), indices as never, id, ordered)
}

function makeValueType(field: Field): DataType {
  const { types, Field: ArrowField } = arrowCore()
  const bits = field.width * 8
  const children = field.children.map((c) => {
    return new ArrowField(c.name, dataTypeOf(c), c.nullable, new Map(c.metadata))
  })
  switch (field.id) {
    case TypeId.Null:
      return new types.Null()
    case TypeId.Int:
      return new types.Int(field.signed, bits as 32)
    case TypeId.Float:
      return new types.Float(field.width === 2 ? 0 : field.width === 4 ? 1 : 2)
    case TypeId.Binary:
      return new types.Binary()
    case TypeId.Utf8:
      return new types.Utf8()
    case TypeId.Bool:
      return new types.Bool()
    case TypeId.Decimal:
      return new types.Decimal(field.scale, field.precision, bits)
    case TypeId.Date:
      return new types.Date_(field.unit)
    case TypeId.Time:
      return new types.Time(field.unit, bits as 32)
    case TypeId.Timestamp:
      return new types.Timestamp(field.unit, field.timezone)
    case TypeId.Interval:
      return new types.Interval(field.unit)
    case TypeId.List:
      return new types.List(children[0]!)
    case TypeId.Struct:
      return new types.Struct(children)
    case TypeId.FixedSizeBinary:
      return new types.FixedSizeBinary(field.width)
    case TypeId.FixedSizeList:
      return new types.FixedSizeList(field.width, children[0]!)
    case TypeId.Map:
      return new types.Map_(children[0]! as never, field.unit !== 0)
    case TypeId.Duration:
      return new types.Duration(field.unit)
    case TypeId.LargeBinary:
      return new types.LargeBinary()
    case TypeId.LargeUtf8:
      return new types.LargeUtf8()
    case TypeId.LargeList:
      return new types.LargeList(children[0]!)
    case TypeId.BinaryView:
      return new types.BinaryView()
    case TypeId.Utf8View:
      return new types.Utf8View()
    case TypeId.Union:
      return new types.Union(field.unit, field.typeIds, children)
    default:
      throw new ArrowTypeError(`apache-arrow has no type ${typeName(field)}`)
  }
}

/** Walks the batches of one layout and makes a Data of each column. */
export class VectorReader {
  readonly #layout: Layout
  readonly #stream: Uint8Array
  #batch: BatchLayout
  #node = 0
  #buffer = 0
  #view = 0

  constructor(layout: Layout, stream: Uint8Array) {
    this.#layout = layout
    this.#batch = layout
    this.#stream = stream
  }

  read(): Vector {
    const { Vector } = arrowCore()
    return new Vector([this.#column(this.#layout.field)])
  }

  #column(field: Field): Data {
    if (!field.dictionary) return this.#values(field, dataTypeOf(field))
    const { makeData } = arrowCore()
    const { length, nullCount, nullBitmap } = this.#head()
    const type = dataTypeOf(field)
    const indices = (type as unknown as { indices: DataType }).indices
    const data = this.#elements(indices, length, field.dictionary.index.width)
    // A column of nothing but nulls may come without its dictionary.
    const known = this.#layout.dictionaries.has(field.dictionary.id)
    if (!known && nullCount < length) {
      throw new ArrowDataError(`dictionary ${field.dictionary.id} is missing`)
    }
    const dictionary = known ? this.#dictionary(field, field.dictionary.id) : undefined
    return makeData({ type, length, nullCount, nullBitmap, data, dictionary } as never)
  }

  #dictionary(field: Field, id: number): Vector {
    const { Vector } = arrowCore()
    const outer = { batch: this.#batch, node: this.#node, buffer: this.#buffer, view: this.#view }
    this.#batch = this.#layout.dictionaries.get(id)!
    this.#node = 0
    this.#buffer = 0
    this.#view = 0
    const { dictionary } = dataTypeOf(field) as unknown as { dictionary: DataType }
    const vector = new Vector([this.#values(field, dictionary)])
    this.#batch = outer.batch
    this.#node = outer.node
    this.#buffer = outer.buffer
    this.#view = outer.view
    return vector
  }

  #values(field: Field, type: DataType): Data {
    const { makeData } = arrowCore()
    if (field.shape === "null") {
      const length = this.#batch.nodes[this.#node]!
      this.#node += 2
      return makeData({ type, length } as never)
    }
    if (field.shape === "union") return this.#union(field, type)
    const { length, nullCount, nullBitmap } = this.#head()
    const props = { type, length, nullCount, nullBitmap }
    switch (field.shape) {
      case "fixed":
        return makeData({ ...props, data: this.#elements(type, length, field.width) } as never)
      case "bits":
        return makeData({ ...props, data: this.#bytes(Math.ceil(length / 8)) } as never)
      case "bytes": {
        const valueOffsets = this.#offsets(length, field.large)
        const data = this.#rest()
        checkOffsets(valueOffsets, data.length)
        return makeData({ ...props, valueOffsets, data } as never)
      }
      case "list": {
        const valueOffsets = this.#offsets(length, field.large)
        const child = this.#column(field.children[0]!)
        checkOffsets(valueOffsets, child.length)
        return makeData({ ...props, valueOffsets, child } as never)
      }
      case "views": {
        const views = this.#bytes(length * 16)
        const count = this.#batch.variadic[this.#view++] ?? 0
        const variadicBuffers = Array.from({ length: count }, () => this.#rest())
        checkViews(views, variadicBuffers)
        return makeData({ ...props, views, variadicBuffers } as never)
      }
      case "fixedList":
        return makeData({ ...props, child: this.#column(field.children[0]!) } as never)
      default: {
        const children = field.children.map((child) => this.#column(child))
        return makeData({ ...props, children } as never)
      }
    }
  }

  #head(): { length: number; nullCount: number; nullBitmap: Uint8Array | undefined } {
    const { nodes } = this.#batch
    const length = nodes[this.#node++]!
    const nullCount = nodes[this.#node++]!
    const bitmap = this.#bytes(nullCount > 0 ? Math.ceil(length / 8) : 0)
    return { length, nullCount, nullBitmap: nullCount > 0 ? bitmap : undefined }
  }

  /** The next buffer, of which `length` bytes are wanted. */
  #bytes(length: number): Uint8Array {
    const start = this.#batch.buffers[this.#buffer]!
    this.#buffer += 2
    return this.#stream.subarray(start, start + length)
  }

  /** The whole of the next buffer. */
  #rest(): Uint8Array {
    return this.#bytes(this.#batch.buffers[this.#buffer + 1]!)
  }

  #union(field: Field, type: DataType): Data {
    const { makeData } = arrowCore()
    const length = this.#batch.nodes[this.#node]!
    this.#node += 2
    const typeIds = this.#elements(type, length, 1) as Int8Array
    const dense = field.unit === 1
    const offsets = dense ? this.#int32s(length) : null
    const children = field.children.map((child) => this.#column(child))
    for (let i = 0; i < length; i++) {
      const child = children[field.typeIds.indexOf(typeIds[i]!)]
      const offset = offsets?.[i] ?? 0
      if (!child || offset < 0 || (dense && offset >= child.length)) {
        throw new ArrowDataError(`element ${i} of a union refers to no value`)
      }
    }
    return makeData({ type, length, typeIds, valueOffsets: offsets, children } as never)
  }

  #int32s(length: number): Int32Array {
    const start = this.#batch.buffers[this.#buffer]!
    this.#buffer += 2
    return viewOf(Int32Array, this.#stream, start, length) as Int32Array
  }

  #elements(type: DataType, length: number, width: number): TypedArray {
    const array = type.ArrayType as TypedArrayConstructor
    const offset = this.#batch.buffers[this.#buffer]!
    this.#buffer += 2
    return viewOf(array, this.#stream, offset, (length * width) / array.BYTES_PER_ELEMENT)
  }

  #offsets(length: number, large: boolean): Int32Array | BigInt64Array {
    const array = large ? BigInt64Array : Int32Array
    const start = this.#batch.buffers[this.#buffer]!
    const size = this.#batch.buffers[this.#buffer + 1]!
    this.#buffer += 2
    // Arrow before 0.8 left out the only offset of an empty column, and writers still may.
    if (length === 0 && size < array.BYTES_PER_ELEMENT) return new array(1)
    return viewOf(array, this.#stream, start, length + 1) as Int32Array | BigInt64Array
  }
}

/** Offsets come from the sender: they have to rise from at least 0 to at most `limit`. */
function checkOffsets(offsets: Int32Array | BigInt64Array, limit: number): void {
  let last: number | bigint = 0
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i]!
    if (offset < last)
      throw new ArrowDataError(`offset ${i} of a column is below the one before it`)
    last = offset
  }
  if (last > limit) throw new ArrowDataError(`offset ${last} of a column is beyond its values`)
}

/** Views of more than 12 bytes refer to a part of a data buffer. */
function checkViews(views: Uint8Array, buffers: readonly Uint8Array[]): void {
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength)
  for (let at = 0; at < views.byteLength; at += 16) {
    const length = view.getInt32(at, true)
    if (length >= 0 && length <= 12) continue
    const buffer = buffers[view.getInt32(at + 8, true)]
    const offset = view.getInt32(at + 12, true)
    if (length < 0 || !buffer || offset < 0 || offset + length > buffer.byteLength) {
      throw new ArrowDataError(`view ${at / 16} of a column refers outside its buffers`)
    }
  }
}
