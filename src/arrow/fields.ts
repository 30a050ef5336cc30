// apache-arrow's types → our fields, by their documented properties, so that nothing of the package is loaded.
import { MAX_ARROW_DEPTH, MAX_ARROW_FIELDS } from "../core/limits.ts"
import { ArrowTypeError } from "./errors.ts"
import { Field, TypeId } from "./types.ts"

const DICTIONARY = -1

/** The properties of apache-arrow's types, each of which has some of them. */
type TypeLike = {
  readonly typeId: number
  readonly bitWidth?: number
  readonly isSigned?: boolean
  readonly precision?: number
  readonly scale?: number
  readonly unit?: number
  readonly mode?: number
  readonly timezone?: string | null
  readonly byteWidth?: number
  readonly listSize?: number
  readonly keysSorted?: boolean
  readonly typeIds?: ArrayLike<number>
  readonly children?: readonly FieldLike[] | null
  readonly indices?: TypeLike
  readonly dictionary?: TypeLike
  readonly isOrdered?: boolean
}

type FieldLike = {
  readonly name: string
  readonly type: TypeLike
  readonly nullable: boolean
  readonly metadata?: ReadonlyMap<string, string>
}

const fields = new WeakMap<object, Field>()

/** Is this one of apache-arrow's types? */
export function isDataType(value: unknown): value is object {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, "typeId") === "number"
  )
}

/**
 * The column `data` of a type of apache-arrow; one object for each type object.
 *
 * @throws ArrowTypeError  the type is unknown here
 */
export function fieldOf(type: unknown): Field {
  if (!isDataType(type)) throw new ArrowTypeError("a vector without an Arrow type")
  const known = fields.get(type)
  if (known) return known
  const field = new Converter().field(type as TypeLike, 1)
  fields.set(type, field)
  return field
}

class Converter {
  #fields = 0
  #dictionaries = 0

  field(type: TypeLike, depth: number): Field {
    if (depth > MAX_ARROW_DEPTH || ++this.#fields > MAX_ARROW_FIELDS) {
      throw new ArrowTypeError(
        `the type has more than ${MAX_ARROW_DEPTH} levels or ${MAX_ARROW_FIELDS} fields`,
      )
    }
    if (type.typeId === DICTIONARY && type.dictionary && type.indices) {
      const field = this.field(type.dictionary, depth)
      if (field.dictionary) throw new ArrowTypeError("a dictionary of dictionary indices")
      const index = convert(type.indices)
      const ordered = type.isOrdered === true
      // Numbered anew: types made by hand may share an id without sharing values.
      field.dictionary = { id: this.#dictionaries++, index, ordered }
      return field
    }
    const field = convert(type)
    for (const child of type.children ?? []) {
      const made = this.field(child.type, depth + 1)
      made.name = child.name
      made.nullable = child.nullable
      if (child.metadata) made.metadata = child.metadata
      field.children.push(made)
    }
    return field
  }
}

function convert(type: TypeLike): Field {
  const field = new Field(type.typeId)
  if (field.shape === "foreign") throw new ArrowTypeError(`${type} can't be sent`)
  field.width = widthOf(type)
  field.signed = type.isSigned === true
  field.unit = type.unit ?? type.mode ?? (type.keysSorted ? 1 : 0)
  if (type.typeId === TypeId.Decimal) {
    field.precision = type.precision ?? 0
    field.scale = type.scale ?? 0
  }
  field.timezone = type.timezone ?? null
  field.typeIds = Array.from(type.typeIds ?? [])
  return field
}

function widthOf(type: TypeLike): number {
  switch (type.typeId) {
    case TypeId.Float:
      return 2 << (type.precision ?? 0)
    case TypeId.Date:
      return type.unit === 0 ? 4 : 8
    case TypeId.Timestamp:
    case TypeId.Duration:
      return 8
    case TypeId.Interval:
      return 4 << (type.unit ?? 0)
    default:
      return type.byteWidth ?? type.listSize ?? (type.bitWidth ?? 0) / 8
  }
}
