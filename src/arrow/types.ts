// Arrow's types as they stand in a schema. Numbers: format/Schema.fbs of Arrow 1.5 (MetadataVersion V5).
// apache-arrow uses the same numbers for `typeId`, and −1 for dictionaries.

/** Member of the union `Type` in Schema.fbs. */
export const TypeId = {
  Null: 1,
  Int: 2,
  Float: 3,
  Binary: 4,
  Utf8: 5,
  Bool: 6,
  Decimal: 7,
  Date: 8,
  Time: 9,
  Timestamp: 10,
  Interval: 11,
  List: 12,
  Struct: 13,
  Union: 14,
  FixedSizeBinary: 15,
  FixedSizeList: 16,
  Map: 17,
  Duration: 18,
  LargeBinary: 19,
  LargeUtf8: 20,
  LargeList: 21,
  RunEndEncoded: 22,
  BinaryView: 23,
  Utf8View: 24,
  ListView: 25,
  LargeListView: 26,
} as const

/** How the body of a type is laid out: which buffers and children a node of it has. */
export type Shape =
  | "null"
  | "fixed"
  | "bits"
  | "bytes"
  | "views"
  | "list"
  | "fixedList"
  | "struct"
  | "union"
  | "foreign"

const SHAPES: Shape[] = []
SHAPES[TypeId.Null] = "null"
for (const id of [TypeId.Int, TypeId.Float, TypeId.Decimal, TypeId.Date, TypeId.Time]) {
  SHAPES[id] = "fixed"
}
for (const id of [TypeId.Timestamp, TypeId.Interval, TypeId.Duration, TypeId.FixedSizeBinary]) {
  SHAPES[id] = "fixed"
}
for (const id of [TypeId.Binary, TypeId.Utf8, TypeId.LargeBinary, TypeId.LargeUtf8]) {
  SHAPES[id] = "bytes"
}
for (const id of [TypeId.List, TypeId.LargeList, TypeId.Map]) SHAPES[id] = "list"
SHAPES[TypeId.Bool] = "bits"
SHAPES[TypeId.FixedSizeList] = "fixedList"
SHAPES[TypeId.Struct] = "struct"
SHAPES[TypeId.Union] = "union"
SHAPES[TypeId.BinaryView] = "views"
SHAPES[TypeId.Utf8View] = "views"

/** One column of a schema, with its type. Never changed once built. */
export class Field {
  name = "data"
  nullable = true
  id: number = TypeId.Null
  /** Bytes of one element (fixed), or elements of one list (fixedList); 0 otherwise. */
  width = 0
  signed = false
  /** Precision, DateUnit, TimeUnit, IntervalUnit, UnionMode or keysSorted, whichever the type has. */
  unit = 0
  precision = 0
  scale = 0
  timezone: string | null = null
  children: Field[] = []
  /** Set when the column holds indices into a dictionary of this type. */
  dictionary: { id: number; index: Field; ordered: boolean } | null = null
  /** Type ids of a union's children, in their order. */
  typeIds: number[] = []
  /** Custom metadata. */
  metadata: ReadonlyMap<string, string> = new Map()

  constructor(id: number) {
    this.id = id
  }

  /** Layout of the values; a dictionary's indices are `dictionary.index`. */
  get shape(): Shape {
    return SHAPES[this.id] ?? "foreign"
  }

  /** Offsets take 8 bytes, not 4. */
  get large(): boolean {
    return (
      this.id === TypeId.LargeUtf8 || this.id === TypeId.LargeBinary || this.id === TypeId.LargeList
    )
  }
}

/** Short name of a type for messages: `int32`, `timestamp`, `list<float>`. */
export function typeName(field: Field): string {
  if (field.dictionary) return "dictionary"
  if (field.id === TypeId.Int) return `${field.signed ? "int" : "uint"}${field.width * 8}`
  if (field.id === TypeId.Float) return `float${field.width * 8}`
  const name = Object.entries(TypeId).find(([, id]) => id === field.id)?.[0]
  return name ?? `type ${field.id}`
}

/** Typed arrays, which are Arrow's primitive columns. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float16Array
  | Float32Array
  | Float64Array

/** Constructor of a {@link TypedArray}. */
export type TypedArrayConstructor = {
  new (length: number): TypedArray
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
}

/** Names of the primitive types. */
export type PrimitiveName =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64"

/** A primitive type: its name, its Arrow type and the typed array that holds its elements. */
export type Primitive = { name: PrimitiveName; array: TypedArrayConstructor; field: Field }

/** All primitive types; an index into this list is called a kind. */
export const PRIMITIVES: readonly Primitive[] = [
  primitive("int8", Int8Array, TypeId.Int, true),
  primitive("uint8", Uint8Array, TypeId.Int, false),
  primitive("int16", Int16Array, TypeId.Int, true),
  primitive("uint16", Uint16Array, TypeId.Int, false),
  primitive("int32", Int32Array, TypeId.Int, true),
  primitive("uint32", Uint32Array, TypeId.Int, false),
  primitive("int64", BigInt64Array, TypeId.Int, true),
  primitive("uint64", BigUint64Array, TypeId.Int, false),
  primitive("float16", Float16Array, TypeId.Float, true),
  primitive("float32", Float32Array, TypeId.Float, true),
  primitive("float64", Float64Array, TypeId.Float, true),
]

function primitive(
  name: PrimitiveName,
  array: TypedArrayConstructor,
  id: number,
  signed: boolean,
): Primitive {
  const field = new Field(id)
  field.width = array.BYTES_PER_ELEMENT
  if (id === TypeId.Int) field.signed = signed
  return { name, array, field }
}

/** The primitive type of a name; its index in {@link PRIMITIVES} is `kind`. */
export function primitiveKind(name: string): number {
  return PRIMITIVES.findIndex((p) => p.name === name)
}

const kinds = new Map<string, number>(PRIMITIVES.map((p, kind) => [p.array.name, kind]))
kinds.set("Uint8ClampedArray", primitiveKind("uint8"))

/** The kind of a typed array class: `Float32Array`; −1 when it is none. */
export function kindOf(className: string): number {
  return kinds.get(className) ?? -1
}
