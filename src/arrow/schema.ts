// Schema messages: the table Field and the union Type of Arrow's format/Schema.fbs, both ways.
import { MAX_ARROW_DEPTH, MAX_ARROW_FIELDS } from "../core/limits.ts"
import { ArrowDataError } from "./errors.ts"
import type { FlatReader, FlatWriter } from "./flatbuffer.ts"
import { Field, TypeId } from "./types.ts"

/** Writes the table Schema with one column and returns its place. */
export function writeSchema(w: FlatWriter, column: Field): number {
  const schema = w.table(0, 4)
  const fields = w.vector(1, 4)
  w.ref(schema, 1, fields)
  w.refAt(fields + 4, writeField(w, column))
  return schema
}

function writeField(w: FlatWriter, field: Field): number {
  // name, nullable, type_type, type, dictionary, children, custom_metadata
  const { metadata } = field
  const dictionarySize = field.dictionary ? 4 : 0
  const table =
    metadata.size === 0
      ? w.table(4, 1, 1, 4, dictionarySize, 4)
      : w.table(4, 1, 1, 4, dictionarySize, 4, 4)
  w.i8(table, 1, field.nullable ? 1 : 0)
  w.i8(table, 2, field.id)
  w.ref(table, 3, writeType(w, field))
  if (field.dictionary) w.ref(table, 4, writeDictionary(w, field.dictionary))
  w.ref(table, 0, w.string(field.name))
  const children = w.vector(field.children.length, 4)
  w.ref(table, 5, children)
  for (let i = 0; i < field.children.length; i++) {
    w.refAt(children + 4 + 4 * i, writeField(w, field.children[i]!))
  }
  if (metadata.size > 0) w.ref(table, 6, writeMetadata(w, metadata))
  return table
}

function writeMetadata(w: FlatWriter, metadata: ReadonlyMap<string, string>): number {
  const vector = w.vector(metadata.size, 4)
  let place = vector + 4
  for (const [key, value] of metadata) {
    const pair = w.table(4, 4)
    w.refAt(place, pair)
    w.ref(pair, 0, w.string(key))
    w.ref(pair, 1, w.string(value))
    place += 4
  }
  return vector
}

function writeDictionary(w: FlatWriter, dictionary: NonNullable<Field["dictionary"]>): number {
  // id, indexType, isOrdered
  const table = w.table(8, 4, 1)
  w.i64(table, 0, dictionary.id)
  w.i8(table, 2, dictionary.ordered ? 1 : 0)
  w.ref(table, 1, writeType(w, dictionary.index))
  return table
}

function writeType(w: FlatWriter, field: Field): number {
  switch (field.id) {
    case TypeId.Int: {
      const table = w.table(4, 1)
      w.i32(table, 0, field.width * 8)
      w.i8(table, 1, field.signed ? 1 : 0)
      return table
    }
    case TypeId.Float: {
      const table = w.table(2)
      w.i16(table, 0, field.width === 2 ? 0 : field.width === 4 ? 1 : 2)
      return table
    }
    case TypeId.Decimal: {
      const table = w.table(4, 4, 4)
      w.i32(table, 0, field.precision)
      w.i32(table, 1, field.scale)
      w.i32(table, 2, field.width * 8)
      return table
    }
    case TypeId.Time: {
      const table = w.table(2, 4)
      w.i16(table, 0, field.unit)
      w.i32(table, 1, field.width * 8)
      return table
    }
    case TypeId.Timestamp: {
      const table = w.table(2, field.timezone === null ? 0 : 4)
      w.i16(table, 0, field.unit)
      if (field.timezone !== null) w.ref(table, 1, w.string(field.timezone))
      return table
    }
    case TypeId.Date:
    case TypeId.Interval:
    case TypeId.Duration: {
      const table = w.table(2)
      w.i16(table, 0, field.unit)
      return table
    }
    case TypeId.FixedSizeBinary:
    case TypeId.FixedSizeList: {
      const table = w.table(4)
      w.i32(table, 0, field.width)
      return table
    }
    case TypeId.Union: {
      const table = w.table(2, 4)
      w.i16(table, 0, field.unit)
      const ids = w.vector(field.typeIds.length, 4)
      w.ref(table, 1, ids)
      for (const [i, id] of field.typeIds.entries()) w.view.setInt32(ids + 4 + 4 * i, id, true)
      return table
    }
    case TypeId.Map: {
      const table = w.table(1)
      w.i8(table, 0, field.unit)
      return table
    }
    default:
      return w.table()
  }
}

/** Reads the table Schema at `schema`, which must have exactly one column. */
export function readSchema(r: FlatReader, schema: number): Field {
  if (r.fieldI16(schema, 0) !== 0) throw new ArrowDataError("the schema is big-endian")
  const fields = r.child(schema, 1)
  const count = r.count(fields, 4)
  if (count !== 1) throw new ArrowDataError(`the schema has ${count} columns instead of one`)
  return new SchemaReader(r).field(r.target(fields + 4), 1)
}

class SchemaReader {
  // Hostile tables can share children, so the tree has to be counted, not only its bytes.
  #fields = 0
  readonly #r: FlatReader

  constructor(r: FlatReader) {
    this.#r = r
  }

  field(table: number, depth: number): Field {
    const r = this.#r
    if (depth > MAX_ARROW_DEPTH) {
      throw new ArrowDataError(`the schema is nested deeper than ${MAX_ARROW_DEPTH} levels`)
    }
    if (++this.#fields > MAX_ARROW_FIELDS) {
      throw new ArrowDataError(`the schema has more than ${MAX_ARROW_FIELDS} fields`)
    }
    const field = new Field(r.fieldU8(table, 2))
    field.name = r.string(table, 0) ?? ""
    field.nullable = r.fieldU8(table, 1) !== 0
    const type = r.child(table, 3)
    if (type === 0) throw new ArrowDataError("a field of the schema has no type")
    readType(r, type, field)
    const dictionary = r.child(table, 4)
    if (dictionary !== 0) field.dictionary = readDictionary(r, dictionary)
    const children = r.child(table, 5)
    const count = r.count(children, 4)
    for (let i = 0; i < count; i++) {
      field.children.push(this.field(r.target(children + 4 + 4 * i), depth + 1))
    }
    field.metadata = readMetadata(r, r.child(table, 6))
    checkChildren(field)
    return field
  }
}

function readMetadata(r: FlatReader, vector: number): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>()
  const count = r.count(vector, 4)
  for (let i = 0; i < count; i++) {
    const pair = r.target(vector + 4 + 4 * i)
    metadata.set(r.string(pair, 0) ?? "", r.string(pair, 1) ?? "")
  }
  return metadata
}

function checkChildren(field: Field): void {
  const shape = field.shape
  if (shape === "struct" || shape === "foreign") return
  if (shape === "union") {
    if (field.typeIds.length === 0) field.typeIds = field.children.map((_, i) => i)
    if (field.typeIds.length === field.children.length) return
  }
  const wanted = shape === "list" || shape === "fixedList" ? 1 : 0
  if (field.children.length === wanted) return
  throw new ArrowDataError(`a field of type ${field.id} has ${field.children.length} children`)
}

function readDictionary(r: FlatReader, table: number): NonNullable<Field["dictionary"]> {
  const index = new Field(TypeId.Int)
  const type = r.child(table, 1)
  if (type === 0) {
    index.width = 4
    index.signed = true
  } else readType(r, type, index)
  return { id: r.fieldLength(table, 0), index, ordered: r.fieldU8(table, 2) !== 0 }
}

function readType(r: FlatReader, type: number, field: Field): void {
  switch (field.id) {
    case TypeId.Int:
      field.width = widthOf(r.fieldI32(type, 0), 8, 64)
      field.signed = r.fieldU8(type, 1) !== 0
      break
    case TypeId.Float:
      field.width = 2 << within(r.fieldI16(type, 0), 2)
      break
    case TypeId.Decimal:
      field.precision = r.fieldI32(type, 0)
      field.scale = r.fieldI32(type, 1)
      field.width = widthOf(r.fieldI32(type, 2, 128), 32, 256)
      break
    case TypeId.Date:
      field.unit = within(r.fieldI16(type, 0, 1), 1)
      field.width = field.unit === 0 ? 4 : 8
      break
    case TypeId.Time:
      field.unit = within(r.fieldI16(type, 0, 1), 3)
      field.width = widthOf(r.fieldI32(type, 1, 32), 32, 64)
      break
    case TypeId.Timestamp:
      field.unit = within(r.fieldI16(type, 0), 3)
      field.timezone = r.string(type, 1)
      field.width = 8
      break
    case TypeId.Duration:
      field.unit = within(r.fieldI16(type, 0, 1), 3)
      field.width = 8
      break
    case TypeId.Interval:
      field.unit = within(r.fieldI16(type, 0), 2)
      field.width = 4 << field.unit
      break
    case TypeId.FixedSizeBinary:
    case TypeId.FixedSizeList:
      field.width = within(r.fieldI32(type, 0), 0x7fff_ffff)
      break
    case TypeId.Map:
      field.unit = r.fieldU8(type, 0)
      break
    case TypeId.Union:
      field.unit = within(r.fieldI16(type, 0), 1)
      field.typeIds = readTypeIds(r, r.child(type, 1))
      break
  }
}

function readTypeIds(r: FlatReader, vector: number): number[] {
  const count = r.count(vector, 4)
  return Array.from({ length: count }, (_, i) => within(r.i32(vector + 4 + 4 * i), 127))
}

function widthOf(bits: number, smallest: number, largest: number): number {
  if (bits >= smallest && bits <= largest && (bits & (bits - 1)) === 0) return bits / 8
  throw new ArrowDataError(`a type of the schema is ${bits} bits wide`)
}

function within(value: number, largest: number): number {
  if (value >= 0 && value <= largest) return value
  throw new ArrowDataError(`a type of the schema has the parameter ${value}`)
}
