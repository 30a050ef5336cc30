// Columns and schemas of Arrow's C data interface, as ffi/operator_shim.c reads and writes them.
import { MAX_ARROW_DEPTH, MAX_ARROW_FIELDS } from "../core/limits.ts"
import { formatOf, parseFormat } from "./c-format.ts"
import { ArrowTypeError } from "./errors.ts"
import { type Field, type Shape, TypeId } from "./types.ts"

/** Layouts of a node, as ffi/operator_shim.c numbers them. */
const KINDS: Partial<Record<Shape, number>> = {
  null: 0,
  fixed: 1,
  bits: 2,
  bytes: 3,
  views: 5,
  list: 6,
  fixedList: 8,
  struct: 9,
  union: 10,
}
const FIXED = 1
/** Numbers of a node in a plan: kind, width, children, buffers, index of the dictionary's values, index after it all. */
const PLAN_WORDS = 6
const ORDERED = 1
const NULLABLE = 2
const SORTED = 4
const utf8 = new TextEncoder()
const utf8Decoder = new TextDecoder()

/**
 * The nodes of a column, parents first, each followed by its children and then by the values of its dictionary, as the
 * operator shim walks them.
 *
 * @param viewsOf  number of data buffers of the next column of views; asked in the order of the nodes
 */
export function planOf(field: Field, viewsOf: (field: Field) => number = () => 0): Int32Array {
  const words: number[] = []
  const add = (node: Field, values: boolean): void => {
    const at = words.length
    const { dictionary } = node
    const coded = dictionary !== null && !values
    const children = coded ? [] : node.children
    words.push(coded ? FIXED : kindOf(node), coded ? dictionary.index.width : node.width)
    words.push(children.length, coded ? 2 : buffersOf(node, viewsOf), 0, 0)
    for (const child of children) add(child, false)
    if (coded) {
      words[at + 4] = words.length / PLAN_WORDS
      add(node, true)
    }
    words[at + 5] = words.length / PLAN_WORDS
  }
  add(field, false)
  return Int32Array.from(words)
}

/** Nodes of a plan. */
export function nodesOf(plan: Int32Array): number {
  return plan.length / PLAN_WORDS
}

function kindOf(field: Field): number {
  const kind = KINDS[field.shape]
  if (kind === undefined) formatOf(field)
  if (field.shape === "union") return 10 + field.unit
  return kind! + (field.large ? 1 : 0)
}

function buffersOf(field: Field, viewsOf: (field: Field) => number): number {
  switch (field.shape) {
    case "null":
      return 0
    case "bytes":
      return 3
    case "views":
      return 3 + viewsOf(field)
    case "fixedList":
    case "struct":
      return 1
    case "union":
      return field.unit === 0 ? 1 : 2
    default:
      return 2
  }
}

/**
 * A schema as bytes, in the order of {@link planOf}: format, name, then flags, number of children, whether a dictionary follows
 * and length of the metadata as int32, then the metadata as the interface has them. Equal for equal schemas.
 */
export function writeSchemaKey(field: Field): Uint8Array {
  const parts: Uint8Array[] = []
  const add = (node: Field, values: boolean): void => {
    const { dictionary } = node
    const coded = dictionary !== null && !values
    const children = coded ? [] : node.children
    const metadata = values ? NO_BYTES : metadataBytes(node.metadata)
    const format = formatOf(coded ? dictionary.index : node)
    parts.push(textBytes(format), textBytes(values ? "" : node.name))
    parts.push(numbers(flagsOf(node, coded), children.length, coded ? 1 : 0, metadata.byteLength))
    parts.push(metadata)
    for (const child of children) add(child, false)
    if (coded) add(node, true)
  }
  add(field, false)
  return Buffer.concat(parts)
}

/** A schema of nothing but this format: what nobody can read, and says so in its own words. */
export function unknownSchemaKey(format: string): Uint8Array {
  return Buffer.concat([
    textBytes(format.replaceAll("\0", " ")),
    textBytes(""),
    numbers(NULLABLE, 0, 0, 0),
  ])
}

const NO_BYTES = new Uint8Array(0)

function flagsOf(field: Field, coded: boolean): number {
  const ordered = coded && field.dictionary?.ordered ? ORDERED : 0
  const sorted = !coded && field.id === TypeId.Map && field.unit !== 0 ? SORTED : 0
  return ordered | sorted | (field.nullable ? NULLABLE : 0)
}

function textBytes(text: string): Uint8Array {
  return utf8.encode(`${text.replaceAll("\0", "")}\0`)
}

function numbers(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer)
}

function metadataBytes(metadata: ReadonlyMap<string, string>): Uint8Array {
  if (metadata.size === 0) return NO_BYTES
  const parts = [numbers(metadata.size)]
  for (const pair of metadata) {
    for (const text of pair) {
      const bytes = utf8.encode(text)
      parts.push(numbers(bytes.byteLength), bytes)
    }
  }
  return Buffer.concat(parts)
}

/**
 * The column `data` of a schema that somebody else made, from its bytes.
 *
 * @throws ArrowTypeError  a format is unknown, or does not fit its children
 */
export function readSchemaKey(bytes: Uint8Array): Field {
  const field = new KeyReader(bytes).field(1)
  field.name = "data"
  field.nullable = true
  return field
}

class KeyReader {
  readonly #bytes: Buffer
  #at = 0
  #fields = 0
  #dictionaries = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  field(depth: number): Field {
    if (depth > MAX_ARROW_DEPTH || ++this.#fields > MAX_ARROW_FIELDS) {
      throw new ArrowTypeError("the type has too many levels or fields")
    }
    const format = this.#text()
    const name = this.#text()
    const flags = this.#number()
    const children = this.#number()
    const coded = this.#number() !== 0
    const metadata = this.#metadata(this.#number())
    let field = parseFormat(format)
    for (let i = 0; i < children; i++) field.children.push(this.field(depth + 1))
    checkChildren(field, format)
    if (coded) field = this.#dictionary(field, flags, depth)
    else if (field.id === TypeId.Map) field.unit = flags & SORTED ? 1 : 0
    field.name = name
    field.nullable = (flags & NULLABLE) !== 0
    field.metadata = metadata
    return field
  }

  #dictionary(index: Field, flags: number, depth: number): Field {
    if (index.id !== TypeId.Int)
      throw new ArrowTypeError("a dictionary whose indices are no integers")
    const id = this.#dictionaries++
    const field = this.field(depth + 1)
    if (field.dictionary) throw new ArrowTypeError("a dictionary of dictionary indices")
    field.dictionary = { id, index, ordered: (flags & ORDERED) !== 0 }
    return field
  }

  #text(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    const text = utf8Decoder.decode(this.#bytes.subarray(this.#at, end))
    this.#at = end + 1
    return text
  }

  #number(): number {
    this.#at += 4
    return this.#bytes.readInt32LE(this.#at - 4)
  }

  #metadata(length: number): ReadonlyMap<string, string> {
    const metadata = new Map<string, string>()
    const end = this.#at + length
    const pairs = length > 0 ? this.#number() : 0
    for (let i = 0; i < pairs; i++) metadata.set(this.#sized(), this.#sized())
    this.#at = end
    return metadata
  }

  #sized(): string {
    const length = this.#number()
    this.#at += length
    return utf8Decoder.decode(this.#bytes.subarray(this.#at - length, this.#at))
  }
}

function checkChildren(field: Field, format: string): void {
  const { length } = field.children
  const fits =
    field.shape === "struct" ||
    length === (field.shape === "list" || field.shape === "fixedList" ? 1 : 0) ||
    (field.shape === "union" && length === field.typeIds.length)
  if (!fits) throw new ArrowTypeError(`the format "${format}" with ${length} children`)
}
