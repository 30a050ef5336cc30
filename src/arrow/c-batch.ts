// Received batches as figures for the C data interface, and the figures of C arrays as headers of Arrow streams.
import { writeSchemaKey } from "./c-schema.ts"
import type { BatchLayout, Layout } from "./check.ts"
import { batchMessage, buildHeader, EOS_BYTES, Header, schemaMessage } from "./header.ts"
import type { Field } from "./types.ts"

/** In place of an offset: the buffer is absent, or a row of zeros. */
const ABSENT = -1
const ZEROS = -2
const WIDEST = 16
const MAX_TEMPLATES = 256

/**
 * Lengths and places of a received column in the order of `planOf`: length and null count of each node, then for each buffer its
 * offset from the start of the stream, its length, and the alignment less one that its readers need.
 */
export function figuresOf(layout: Layout): Float64Array {
  const reader = new FigureReader(layout)
  return Float64Array.from([...reader.nodes, ...reader.buffers])
}

/** Number of data buffers of each column of views, in the order of the nodes. */
export function viewCounts(layout: Layout): () => number {
  const counts = new FigureReader(layout).views
  let at = 0
  return () => counts[at++] ?? 0
}

class FigureReader {
  readonly nodes: number[] = []
  readonly buffers: number[] = []
  readonly views: number[] = []
  readonly #dictionaries: ReadonlyMap<number, BatchLayout>
  // What is left to read of the batch; null: there is none, its columns are empty.
  #batch: BatchLayout | null
  #node = 0
  #buffer = 0
  #view = 0

  constructor(layout: Layout) {
    this.#batch = layout
    this.#dictionaries = layout.dictionaries
    this.#column(layout.field)
  }

  #column(field: Field): void {
    const { dictionary } = field
    if (dictionary === null) {
      this.#values(field)
      return
    }
    this.#head()
    this.#validity()
    this.#take(alignment(dictionary.index.width))
    const outer = [this.#batch, this.#node, this.#buffer, this.#view] as const
    this.#batch = this.#dictionaries.get(dictionary.id) ?? null
    this.#node = this.#buffer = this.#view = 0
    this.#values(field)
    ;[this.#batch, this.#node, this.#buffer, this.#view] = outer
  }

  #values(field: Field): void {
    this.#head()
    const { shape } = field
    if (shape === "null") return
    if (shape !== "union") this.#validity()
    if (shape === "fixed") this.#take(alignment(field.width))
    else if (shape === "bits") this.#take(0)
    else if (shape === "bytes" || shape === "list") this.#offsets(field.large ? 8 : 4)
    else if (shape === "views") this.#take(WIDEST - 1)
    else if (shape === "union") {
      this.#take(0)
      if (field.unit === 1) this.#take(3)
    }
    if (shape === "bytes") this.#take(0)
    if (shape === "views") this.#viewBuffers()
    for (const child of field.children) this.#column(child)
  }

  #head(): void {
    const nodes = this.#batch?.nodes
    this.nodes.push(nodes?.[this.#node++] ?? 0, nodes?.[this.#node++] ?? 0)
  }

  #validity(): void {
    // A bitmap that says nothing need not be shown.
    if (this.nodes.at(-1) !== 0) this.#take(0)
    else {
      this.#buffer += 2
      this.buffers.push(ABSENT, 0, 0)
    }
  }

  #take(alignMask: number): void {
    const buffers = this.#batch?.buffers
    const offset = buffers?.[this.#buffer++] ?? 0
    const length = buffers?.[this.#buffer++] ?? 0
    if (length === 0) this.buffers.push(ABSENT, 0, 0)
    else this.buffers.push(offset, length, alignMask)
  }

  #offsets(width: number): void {
    this.#take(width - 1)
    // Of no elements there still is one offset.
    if (this.buffers.at(-2)! < width) this.buffers.splice(-3, 3, ZEROS, 0, 0)
  }

  #viewBuffers(): void {
    const count = this.#batch?.variadic[this.#view++] ?? 0
    for (let i = 0; i < count; i++) this.#take(0)
    this.buffers.push(ABSENT, 0, 0)
    this.views.push(count)
  }
}

function alignment(width: number): number {
  return width > 1 && (width & (width - 1)) === 0 ? Math.min(width, WIDEST) - 1 : 0
}

/** The figures of one batch of a C array, as the shim reports them. */
type BatchFigures = { nodes: number[]; buffers: number[]; views: number[]; bodyLength: number }

/** Headers of the streams that C arrays of one type become. */
export class StreamHeader {
  readonly #field: Field
  /** Ids of the dictionaries in the order in which the shim reports their batches. */
  readonly #dictionaries: number[]
  #header: Header | null = null
  #shape = ""
  readonly #templates = new Map<number, number>()
  #nextTemplate: () => number
  /** Everything before the body of the record batch. It stays where it is for as long as {@link update} returns the same. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the body of each batch begins, the record batch first. */
  readonly bases: number[] = []
  bodyLength = 0
  byteLength = 0
  template = 0

  /** @param nextTemplate  numbers templates for all types of an output */
  constructor(field: Field, nextTemplate: () => number) {
    this.#field = field
    this.#dictionaries = dictionaryIds(field)
    this.#nextTemplate = nextTemplate
  }

  /** Takes over the figures of the next message. */
  update(figures: ArrayLike<number>): void {
    const batches = readFigures(figures)
    const [record] = batches
    if (!record) throw new RangeError("a message has a record batch")
    if (batches.length > 1 || record.views.length > 0) this.#build(batches, record)
    else this.#patch(record)
    // As integers, which the figures are not: what is sent is calculated with for each message.
    this.bodyLength = record.bodyLength | 0
    this.byteLength = (this.bytes.byteLength + this.bodyLength + EOS_BYTES) | 0
  }

  #patch(record: BatchFigures): void {
    const shape = `${record.nodes.length} ${record.buffers.length}`
    if (this.#header === null || this.#shape !== shape) {
      this.#header = buildHeader(this.#field, record.nodes.length / 2, record.buffers.length / 2)
      this.#shape = shape
      this.bytes = this.#header.bytes
      this.bases[0] = this.bytes.byteLength
    }
    if (this.#header.patch(record.nodes, record.buffers, record.bodyLength) || this.template === 0)
      this.template = this.#templateOf(record)
  }

  /** Columns of fixed width without nulls differ in their length only, so that its template can be found again. */
  #templateOf(record: BatchFigures): number {
    const [length = 0, nulls] = record.nodes
    const flat = this.#field.shape === "fixed" && !this.#field.dictionary && nulls === 0
    const known = flat ? this.#templates.get(length) : undefined
    if (known !== undefined) return known
    const template = this.#nextTemplate()
    if (this.#templates.size >= MAX_TEMPLATES) this.#templates.clear()
    if (flat) this.#templates.set(length, template)
    return template
  }

  /** Dictionaries travel before the record batch, inner ones before those whose values refer to them. */
  #build(batches: readonly BatchFigures[], record: BatchFigures): void {
    const parts = [schemaMessage(this.#field)]
    let at = parts[0]!.byteLength
    for (let i = batches.length - 1; i > 0; i--) {
      const { nodes, buffers, views, bodyLength } = batches[i]!
      const id = this.#dictionaries[i - 1]!
      const made = batchMessage(nodes.length / 2, buffers.length / 2, at, id, views)
      new Header(made.bytes, made.places).patch(nodes, buffers, bodyLength)
      at += made.bytes.byteLength
      this.bases[i] = at
      at += bodyLength
      parts.push(made.bytes, new Uint8Array(bodyLength))
    }
    const { nodes, buffers, views } = record
    const before = Buffer.concat(parts)
    const header = buildHeader(this.#field, nodes.length / 2, buffers.length / 2, before, views)
    header.patch(nodes, buffers, record.bodyLength)
    this.#header = null
    this.bytes = header.bytes
    this.bases[0] = this.bytes.byteLength
    this.template = 0
  }
}

function readFigures(figures: ArrayLike<number>): BatchFigures[] {
  const batches: BatchFigures[] = []
  let at = 0
  const take = (count: number) => {
    at += count
    return Array.from({ length: count }, (_, i) => figures[at - count + i]!)
  }
  while (at < figures.length) {
    const [nodes, buffers, views, bodyLength] = take(4) as [number, number, number, number]
    batches.push({
      nodes: take(nodes * 2),
      buffers: take(buffers * 2),
      views: take(views),
      bodyLength,
    })
  }
  return batches
}

/** Batch by batch: first those of the column itself, then those of their values, in the order of the nodes. */
function dictionaryIds(field: Field): number[] {
  const pending: Field[] = []
  const collect = (node: Field, values: boolean): void => {
    if (node.dictionary && !values) pending.push(node)
    else for (const child of node.children) collect(child, false)
  }
  collect(field, false)
  for (let i = 0; i < pending.length; i++) collect(pending[i]!, true)
  return pending.map((node) => node.dictionary!.id)
}

const keys = new WeakMap<Field, string>()

/** Equal for layouts whose columns the shim can take as the same form. */
export function formKey(layout: Layout): string {
  const { field, variadic, dictionaries } = layout
  let key = keys.get(field)
  if (key === undefined) {
    key = Buffer.from(writeSchemaKey(field)).toString("latin1")
    keys.set(field, key)
  }
  // Only columns of views have a number of buffers that isn't their type's.
  if (variadic.length === 0 && dictionaries.size === 0) return key
  return `${key}|${new FigureReader(layout).views.join()}`
}
