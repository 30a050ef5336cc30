// Arrow streams become data of dora 0.4 and 0.5: a description, and the body as it is, since the description says where each buffer
// lies. Only what a node of that time could not read in place is put together anew.
import type { BatchLayout, Layout } from "../../../arrow/check.ts"
import { ArrowTypeError } from "../../../arrow/errors.ts"
import { roundUp } from "../../../arrow/header.ts"
import { type Field, TypeId } from "../../../arrow/types.ts"
import type { BincodeWriter } from "../../../wire/bincode/codec.ts"
import { writeDataType } from "./data-type.ts"

/** A buffer in the stream. */
type Place = { offset: number; length: number; alignment: number }

/** One node of the array. */
type Node = {
  field: Field
  /** It is the values of the dictionary of `field`. */
  values: boolean
  length: number
  nulls: number
  validity: Place | null
  buffers: Place[]
  children: Node[]
}

/** Data to be sent. */
export type RawData = {
  /** Where it lies in the stream; null: it is `made`. */
  from: number
  length: number
  made: Uint8Array | null
}

/** The start of every sample is a multiple of 128 in the memory of the node. */
const SAMPLE_ALIGNMENT = 128
const WIDEST = 16
const trees = new WeakMap<Layout, { root: Node; places: Place[] }>()

/**
 * Writes the description of a message.
 *
 * @returns the data that it describes
 * @throws ArrowTypeError  nodes of this time don't know the type, or the dictionary comes in parts
 */
export function writeTypeInfo(writer: BincodeWriter, layout: Layout, stream: Uint8Array): RawData {
  if (layout.deltas) {
    throw new ArrowTypeError("a dictionary in parts", "send it as one, or plain values")
  }
  let tree = trees.get(layout)
  if (!tree) {
    const reader = new TreeReader(layout)
    tree = { root: reader.column(layout.field), places: reader.places }
    trees.set(layout, tree)
  }
  const { root, places } = tree
  const data = inPlace(places) ?? putTogether(places, stream)
  writeNode(writer, root, stream, data.positionOf)
  if (data.length > 0 || root.length === 0) return data
  // No data at all would mean no elements.
  return { from: 0, length: 1, made: new Uint8Array(1) }
}

type Placed = RawData & { positionOf: (place: Place) => number }

/** The stretch of the stream in which all buffers lie, if a reader finds each aligned as it needs it. */
function inPlace(places: readonly Place[]): Placed | null {
  if (places.length === 0) return { from: 0, length: 0, made: null, positionOf: () => 0 }
  const from = Math.min(...places.map(({ offset }) => offset))
  const end = Math.max(...places.map(({ offset, length }) => offset + length))
  if (places.some(({ offset, alignment }) => (offset - from) % alignment !== 0)) return null
  return { from, length: end - from, made: null, positionOf: ({ offset }) => offset - from }
}

function putTogether(places: readonly Place[], stream: Uint8Array): Placed {
  const positions = new Map<Place, number>()
  let end = 0
  for (const place of places) {
    const at = roundUp(end, SAMPLE_ALIGNMENT)
    positions.set(place, at)
    end = at + place.length
  }
  const made = new Uint8Array(end)
  for (const [{ offset, length }, at] of positions) {
    made.set(stream.subarray(offset, offset + length), at)
  }
  return { from: 0, length: end, made, positionOf: (place) => positions.get(place)! }
}

function writeNode(
  writer: BincodeWriter,
  node: Node,
  stream: Uint8Array,
  positionOf: (place: Place) => number,
): void {
  const { field, values, length, nulls, validity, buffers, children } = node
  writeDataType(writer, field, values)
  writer
    .varint(length)
    .varint(nulls)
    .bool(validity !== null)
  if (validity !== null) {
    const { offset, length: bytes } = validity
    writer.blob(stream.subarray(offset, offset + bytes))
  }
  writer.varint(0).varint(buffers.length)
  for (const place of buffers) {
    writer.varint(place.length === 0 ? 0 : positionOf(place)).varint(place.length)
  }
  writer.varint(children.length)
  for (const child of children) writeNode(writer, child, stream, positionOf)
}

/** Walks a layout: nodes and buffers in the order of the format. */
class TreeReader {
  readonly places: Place[] = []
  readonly #dictionaries: ReadonlyMap<number, BatchLayout>
  // What is left to read of the batch; null: there is none, its columns are empty.
  #batch: BatchLayout | null
  #node = 0
  #buffer = 0
  #view = 0

  constructor(layout: Layout) {
    this.#batch = layout
    this.#dictionaries = layout.dictionaries
  }

  column(field: Field): Node {
    const { dictionary } = field
    if (!dictionary) return this.#values(field, false)
    const node = this.#head(field, false, true)
    this.#take(node, dictionary.index.width)
    const outer = [this.#batch, this.#node, this.#buffer, this.#view] as const
    this.#batch = this.#dictionaries.get(dictionary.id) ?? null
    this.#node = this.#buffer = this.#view = 0
    node.children.push(this.#values(field, true))
    ;[this.#batch, this.#node, this.#buffer, this.#view] = outer
    return node
  }

  #values(field: Field, values: boolean): Node {
    const { shape } = field
    const bare = shape === "null" || shape === "union" || shape === "foreign"
    const node = this.#head(field, values, !bare)
    if (shape === "fixed") this.#take(node, field.id === TypeId.FixedSizeBinary ? 1 : field.width)
    else if (shape === "bits") this.#take(node, 1)
    else if (shape === "bytes" || shape === "list") this.#take(node, field.large ? 8 : 4)
    else if (shape === "views") this.#take(node, WIDEST)
    else if (shape === "union") {
      this.#take(node, 1)
      if (field.unit === 1) this.#take(node, 4)
    }
    if (shape === "bytes") this.#take(node, 1)
    if (shape === "views") {
      const count = this.#batch?.variadic[this.#view++] ?? 0
      for (let i = 0; i < count; i++) this.#take(node, 1)
    }
    for (const child of field.children) node.children.push(this.column(child))
    return node
  }

  #head(field: Field, values: boolean, hasValidity: boolean): Node {
    const nodes = this.#batch?.nodes
    const length = nodes?.[this.#node++] ?? 0
    const nulls = nodes?.[this.#node++] ?? 0
    const node: Node = {
      field,
      values,
      length,
      nulls: hasValidity ? nulls : 0,
      validity: null,
      buffers: [],
      children: [],
    }
    if (!hasValidity) return node
    const place = this.#next(1)
    if (nulls > 0) node.validity = { ...place, length: Math.ceil(length / 8) }
    return node
  }

  #take(node: Node, width: number): void {
    const place = this.#next(Math.min(width, WIDEST))
    node.buffers.push(place)
    if (place.length > 0) this.places.push(place)
  }

  #next(alignment: number): Place {
    const buffers = this.#batch?.buffers
    const offset = buffers?.[this.#buffer++] ?? 0
    const length = buffers?.[this.#buffer++] ?? 0
    return { offset, length, alignment }
  }
}
