// Arrow types as dora 0.4 and 0.5 name them: the enum DataType of arrow-schema 54 by serde. Section 8.2 of the protocol reference.
import { ArrowTypeError } from "../../../arrow/errors.ts"
import { Field, TypeId, typeName } from "../../../arrow/types.ts"
import { MAX_ARROW_DEPTH, MAX_ARROW_FIELDS } from "../../../core/limits.ts"
import type { BincodeReader, BincodeWriter } from "../../../wire/bincode/codec.ts"
import { WireError } from "../../../wire/postcard.ts"

/** What follows the variant. */
type Form =
  | "plain"
  | "unit"
  | "zoned"
  | "width"
  | "decimal"
  | "list"
  | "fixedList"
  | "struct"
  | "union"
  | "map"
  | "runs"

/** A variant: its type, with what of it is fixed. */
type Variant = { id: number; form: Form; width: number; signed: boolean; unit: number }

const DICTIONARY = 34
/** They have a number, and nodes of this time die of them. */
const DEADLY: readonly number[] = [TypeId.ListView, TypeId.LargeListView]
const VARIANTS: readonly (Variant | null)[] = [
  variant(TypeId.Null),
  variant(TypeId.Bool),
  ...[1, 2, 4, 8].map((width) => variant(TypeId.Int, "plain", width, true)),
  ...[1, 2, 4, 8].map((width) => variant(TypeId.Int, "plain", width)),
  ...[2, 4, 8].map((width) => variant(TypeId.Float, "plain", width)),
  variant(TypeId.Timestamp, "zoned", 8),
  variant(TypeId.Date, "plain", 4, false, 0),
  variant(TypeId.Date, "plain", 8, false, 1),
  variant(TypeId.Time, "unit", 4),
  variant(TypeId.Time, "unit", 8),
  variant(TypeId.Duration, "unit", 8),
  variant(TypeId.Interval, "unit"),
  variant(TypeId.Binary),
  variant(TypeId.FixedSizeBinary, "width"),
  variant(TypeId.LargeBinary),
  variant(TypeId.BinaryView),
  variant(TypeId.Utf8),
  variant(TypeId.LargeUtf8),
  variant(TypeId.Utf8View),
  variant(TypeId.List, "list"),
  variant(TypeId.ListView, "list"),
  variant(TypeId.FixedSizeList, "fixedList"),
  variant(TypeId.LargeList, "list"),
  variant(TypeId.LargeListView, "list"),
  variant(TypeId.Struct, "struct"),
  variant(TypeId.Union, "union"),
  null,
  variant(TypeId.Decimal, "decimal", 16),
  variant(TypeId.Decimal, "decimal", 32),
  variant(TypeId.Map, "map"),
  variant(TypeId.RunEndEncoded, "runs"),
]

function variant(id: number, form: Form = "plain", width = 0, signed = false, unit = 0): Variant {
  return { id, form, width, signed, unit }
}

/** Reads types; one for each message, since it numbers dictionaries and counts fields. */
export class DataTypeReader {
  readonly #reader: BincodeReader
  #fields = 0
  #dictionaries = 0

  constructor(reader: BincodeReader) {
    this.#reader = reader
  }

  /**
   * The next type as a column.
   *
   * @throws WireError
   */
  read(depth: number): Field {
    const number = this.#reader.variant()
    if (number === DICTIONARY) return this.#dictionary(depth)
    return this.#fill(number, new Field(0), depth)
  }

  #fill(number: number, field: Field, depth: number): Field {
    if (depth > MAX_ARROW_DEPTH || ++this.#fields > MAX_ARROW_FIELDS) {
      throw new WireError(
        `a type of more than ${MAX_ARROW_DEPTH} levels or ${MAX_ARROW_FIELDS} fields`,
      )
    }
    const known = VARIANTS[number]
    if (!known) throw new WireError(`type ${number}`)
    Object.assign(field, { id: known.id, width: known.width })
    Object.assign(field, { signed: known.signed, unit: known.unit })
    const reader = this.#reader
    switch (known.form) {
      case "unit":
        field.unit = reader.variant()
        if (field.id === TypeId.Interval) field.width = 4 << field.unit
        break
      case "zoned":
        field.unit = reader.variant()
        field.timezone = reader.bool() ? reader.text() : null
        break
      case "width":
        field.width = reader.u32()
        break
      case "decimal":
        field.precision = reader.byte()
        field.scale = (reader.byte() << 24) >> 24
        break
      case "list":
      case "fixedList":
      case "map":
        field.children.push(this.#field(depth + 1))
        if (known.form === "fixedList") field.width = reader.u32()
        if (known.form === "map") field.unit = reader.bool() ? 1 : 0
        break
      case "runs":
        field.children.push(this.#field(depth + 1), this.#field(depth + 1))
        break
      case "struct":
        field.children = reader.list(() => this.#field(depth + 1), 16)
        break
      case "union":
        field.children = reader.list(() => {
          field.typeIds.push(reader.byte())
          return this.#field(depth + 1)
        }, 16)
        field.unit = reader.variant()
    }
    const worst = field.id === TypeId.Interval || field.id === TypeId.Union ? 2 : 3
    if (known.form !== "map" && (field.unit > worst || field.width > 0x7fff_ffff)) {
      throw new WireError(`a type with the parameter ${field.unit} or ${field.width}`)
    }
    return field
  }

  #dictionary(depth: number): Field {
    const index = this.read(depth + 1)
    const field = this.read(depth + 1)
    if (index.id !== TypeId.Int || field.dictionary) {
      throw new WireError(`a dictionary of ${typeName(field)} by ${typeName(index)}`)
    }
    field.dictionary = { id: this.#dictionaries++, index, ordered: false }
    return field
  }

  #field(depth: number): Field {
    const reader = this.#reader
    const name = reader.text()
    const field = this.read(depth)
    field.name = name
    field.nullable = reader.bool()
    reader.signed()
    const ordered = reader.bool()
    if (field.dictionary) field.dictionary.ordered = ordered
    field.metadata = new Map(reader.list(() => [reader.text(), reader.text()], 16))
    return field
  }
}

/**
 * Writes the type of a column. @param values  that of its dictionary's values, should it have one
 *
 * @throws ArrowTypeError  nodes of this time don't know it
 */
export function writeDataType(writer: BincodeWriter, field: Field, values = false): void {
  if (field.dictionary && !values) {
    writer.variant(DICTIONARY)
    writeDataType(writer, field.dictionary.index)
    writeDataType(writer, field, true)
    return
  }
  const number = variantOf(field)
  writer.variant(number)
  switch (VARIANTS[number]!.form) {
    case "unit":
      writer.variant(field.unit)
      break
    case "zoned":
      writer.variant(field.unit).bool(field.timezone !== null)
      if (field.timezone !== null) writer.text(field.timezone)
      break
    case "width":
      writer.u32(field.width)
      break
    case "decimal":
      writer.byte(field.precision).byte(field.scale & 0xff)
      break
    case "list":
    case "fixedList":
    case "map":
    case "runs":
      for (const child of field.children) writeField(writer, child)
      if (field.id === TypeId.FixedSizeList) writer.u32(field.width)
      if (field.id === TypeId.Map) writer.bool(field.unit === 1)
      break
    case "struct":
      writer.varint(field.children.length)
      for (const child of field.children) writeField(writer, child)
      break
    case "union":
      writer.varint(field.children.length)
      for (const [i, child] of field.children.entries()) {
        writeField(writer.byte(field.typeIds[i]!), child)
      }
      writer.variant(field.unit)
  }
}

function writeField(writer: BincodeWriter, field: Field): void {
  writer.text(field.name)
  writeDataType(writer, field)
  writer.bool(field.nullable).varint(field.dictionary?.id ?? 0)
  writer.bool(field.dictionary?.ordered ?? false).varint(field.metadata.size)
  for (const [key, value] of field.metadata) writer.text(key).text(value)
}

function variantOf(field: Field): number {
  const number = VARIANTS.findIndex((known) => {
    if (known?.id !== field.id || DEADLY.includes(field.id)) return false
    if (known.width !== 0 && known.width !== field.width) return false
    return field.id !== TypeId.Int || known.signed === field.signed
  })
  if (number >= 0) return number
  throw new ArrowTypeError(`a column of type ${typeName(field)} for a node of dora 0.4 or 0.5`)
}
