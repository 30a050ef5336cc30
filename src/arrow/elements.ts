// Which typed array holds the elements of a column.
import { type Field, type Primitive, PRIMITIVES, TypeId } from "./types.ts"

/** Elements that lie side by side in a stream, ready for a typed array. */
export type Elements = {
  readonly kind: Primitive["name"]
  readonly array: Primitive["array"]
  /** Number of elements. */
  readonly length: number
  /** Bytes from the start of the stream. */
  readonly offset: number
}

/** The elements of a column whose figures are given, or null when they have no typed array. */
export function elementsOf(
  field: Field,
  nodes: readonly number[],
  buffers: readonly number[],
): Elements | null {
  let column = field
  let length = nodes[0]!
  let buffer = 2
  while (column.shape === "fixedList" && !column.dictionary) {
    length *= column.width
    column = column.children[0]!
    buffer += 2
  }
  if (column.dictionary || column.shape !== "fixed") return null
  const primitive = storageOf(column)
  if (!primitive) return null
  const perElement = column.width / primitive.array.BYTES_PER_ELEMENT
  return {
    kind: primitive.name,
    array: primitive.array,
    length: length * perElement,
    offset: buffers[buffer]!,
  }
}

function storageOf(field: Field): Primitive | null {
  switch (field.id) {
    case TypeId.Int:
    case TypeId.Float:
      return named(PRIMITIVES.find((p) => same(p.field, field))?.name)
    case TypeId.FixedSizeBinary:
      return named("uint8")
    case TypeId.Interval:
      return field.unit === 2 ? null : named("int32")
    case TypeId.Decimal:
      return field.width > 8 ? null : named(field.width === 8 ? "int64" : "int32")
    default:
      return named(field.width === 8 ? "int64" : "int32")
  }
}

function same(a: Field, b: Field): boolean {
  return a.id === b.id && a.width === b.width && a.signed === b.signed
}

function named(name: string | undefined): Primitive | null {
  return PRIMITIVES.find((p) => p.name === name) ?? null
}
