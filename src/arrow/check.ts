// Batches checked against the schema: every node and buffer that the type needs is there, long enough and inside.
import { ArrowDataError } from "./errors.ts"
import type { FlatReader } from "./flatbuffer.ts"
import { type Elements, elementsOf } from "./elements.ts"
import { type Field, TypeId } from "./types.ts"

export type { Elements } from "./elements.ts"

const MAX_ROWS = 0x7fff_ffff

/** One message of a stream: its MessageHeader, and where its tables and its body lie. */
export type Message = {
  type: number
  header: number
  reader: FlatReader
  body: number
  bodyLength: number
}

/** One batch: figures of its nodes and buffers, in the order of the format. */
export type BatchLayout = {
  /** Length and null count of each node, flat. */
  readonly nodes: readonly number[]
  /** Offset from the start of the stream, and length, of each buffer, flat. */
  readonly buffers: readonly number[]
  /** Number of data buffers of each column of views. */
  readonly variadic: readonly number[]
}

/** A parsed and checked header. It is the same object for equal headers, so it must not be changed. */
export type Layout = BatchLayout & {
  readonly field: Field
  readonly rows: number
  readonly headerLength: number
  readonly bodyLength: number
  /** Size of the whole stream. */
  readonly byteLength: number
  /** Set when the column is a plain primitive one without nulls. */
  readonly simple: Elements | null
  /** Set when the column has a typed array, perhaps with undefined elements where it is null. */
  readonly elements: Elements | null
  /** Batches of dictionaries by their id. */
  readonly dictionaries: ReadonlyMap<number, BatchLayout>
  /** Only apache-arrow can read it. */
  readonly foreign: boolean
  /** A dictionary comes in several batches. */
  readonly deltas: boolean
}

/** Checks batches against the schema. */
export class FieldChecker {
  readonly #field: Field
  readonly #dictionaryFields = new Map<number, Field>()
  readonly #dictionaries = new Map<number, BatchLayout>()
  #foreign = false
  #deltas = false
  // The batch being checked.
  #nodes: number[] = []
  #buffers: number[] = []
  #node = 0
  #buffer = 0
  #variadic: number[] = []
  #view = 0

  constructor(field: Field) {
    this.#field = field
    this.#collect(field)
  }

  #collect(field: Field): void {
    // Its name and metadata go with the column; those of its children go with the type of the vector.
    if (field.shape === "foreign") this.#foreign = true
    if (field.dictionary) {
      // One dictionary for several columns: apache-arrow knows how.
      if (this.#dictionaryFields.has(field.dictionary.id)) this.#foreign = true
      this.#dictionaryFields.set(field.dictionary.id, field)
    }
    for (const child of field.children) this.#collect(child)
  }

  dictionary(message: Message): void {
    const { reader, header } = message
    const id = reader.fieldLength(header, 0)
    const field = this.#dictionaryFields.get(id)
    if (!field) throw new ArrowDataError(`no column uses dictionary ${id}`)
    const data = reader.child(header, 1)
    if (data === 0) throw new ArrowDataError(`the batch of dictionary ${id} has no data`)
    const isDelta = reader.fieldU8(header, 2) !== 0
    if (isDelta || this.#dictionaries.has(id)) this.#deltas = this.#foreign = true
    this.#batch(message, data)
    this.#values(field, -1)
    this.#finish()
    this.#dictionaries.set(id, {
      nodes: this.#nodes,
      buffers: this.#buffers,
      variadic: this.#variadic,
    })
  }

  record(message: Message, byteLength: number): Layout {
    const rows = message.reader.fieldLength(message.header, 0)
    this.#batch(message, message.header)
    const field = this.#field
    this.#column(field, rows)
    this.#finish()
    if (rows !== this.#nodes[0])
      throw new ArrowDataError(`${rows} rows of ${this.#nodes[0]} elements`)
    const elements = this.#foreign ? null : elementsOf(field, this.#nodes, this.#buffers)
    const primitive = field.id === TypeId.Int || field.id === TypeId.Float
    return {
      field,
      rows,
      nodes: this.#nodes,
      buffers: this.#buffers,
      variadic: this.#variadic,
      headerLength: message.body,
      bodyLength: message.bodyLength,
      byteLength,
      elements,
      simple: primitive && this.#nodes[1] === 0 ? elements : null,
      dictionaries: this.#dictionaries,
      foreign: this.#foreign,
      deltas: this.#deltas,
    }
  }

  /** Takes over the figures of the table RecordBatch at `table`. */
  #batch(message: Message, table: number): void {
    const { reader, body, bodyLength } = message
    if (reader.child(table, 3) !== 0)
      throw new ArrowDataError("compressed bodies are not supported")
    this.#nodes = pairs(reader, reader.child(table, 1))
    this.#buffers = pairs(reader, reader.child(table, 2))
    for (let i = 0; i < this.#buffers.length; i += 2) {
      const offset = this.#buffers[i]!
      if (offset + this.#buffers[i + 1]! > bodyLength) {
        throw new ArrowDataError(`buffer ${i / 2} lies outside the body`)
      }
      this.#buffers[i] = offset + body
    }
    this.#variadic = []
    const counts = reader.child(table, 4)
    const count = reader.count(counts, 8)
    for (let i = 0; i < count; i++) this.#variadic.push(reader.length(counts + 4 + i * 8))
    this.#node = 0
    this.#buffer = 0
    this.#view = 0
  }

  #finish(): void {
    if (this.#node === this.#nodes.length && this.#buffer === this.#buffers.length) return
    throw new ArrowDataError("the batch has more nodes or buffers than its type")
  }

  #column(field: Field, rows: number): void {
    const { dictionary } = field
    if (dictionary) this.#take(this.#head(rows, true) * dictionary.index.width, "indices")
    else this.#values(field, rows)
  }

  /** Reads the next node, at least `rows` long, and its validity. Returns its length. */
  #head(rows: number, validity: boolean): number {
    if (this.#node === this.#nodes.length) throw new ArrowDataError("the batch lacks nodes")
    const length = this.#nodes[this.#node++]!
    const nullCount = this.#nodes[this.#node++]!
    if (length > MAX_ROWS || nullCount > length) {
      throw new ArrowDataError(`a node has ${length} elements and ${nullCount} nulls`)
    }
    if (length < rows) throw new ArrowDataError(`a node has ${length} elements instead of ${rows}`)
    if (!validity) return length
    const bytes = this.#buffers[this.#buffer + 1] ?? 0
    this.#take(nullCount > 0 || bytes > 0 ? Math.ceil(length / 8) : 0, "validity")
    return length
  }

  /** The next buffer has to hold `bytes` bytes. */
  #take(bytes: number, what: string): void {
    if (this.#buffer === this.#buffers.length) throw new ArrowDataError("the batch lacks buffers")
    const length = this.#buffers[this.#buffer + 1]!
    this.#buffer += 2
    if (length >= bytes) return
    throw new ArrowDataError(`a buffer of ${what} has ${length} bytes instead of ${bytes}`)
  }

  #values(field: Field, rows: number): void {
    switch (field.shape) {
      case "null":
        this.#head(rows, false)
        return
      case "fixed":
        this.#take(this.#head(rows, true) * field.width, "values")
        return
      case "bits":
        this.#take(Math.ceil(this.#head(rows, true) / 8), "bits")
        return
      case "bytes":
        this.#offsets(this.#head(rows, true), field.large)
        this.#take(0, "values")
        return
      case "list":
        this.#offsets(this.#head(rows, true), field.large)
        this.#column(field.children[0]!, 0)
        return
      case "fixedList":
        this.#column(field.children[0]!, this.#head(rows, true) * field.width)
        return
      case "struct": {
        const length = this.#head(rows, true)
        for (const child of field.children) this.#column(child, length)
        return
      }
      case "views":
        this.#take(this.#head(rows, true) * 16, "views")
        this.#variadicBuffers()
        return
      case "union":
        this.#union(field, this.#head(rows, false))
        return
      case "foreign":
        this.#foreignValues(field, rows)
    }
  }

  #offsets(length: number, large: boolean): void {
    this.#take(length === 0 ? 0 : (length + 1) * (large ? 8 : 4), "offsets")
  }

  #variadicBuffers(): void {
    const count = this.#variadic[this.#view++] ?? 0
    if (count > this.#buffers.length) throw new ArrowDataError(`${count} variadic buffers`)
    for (let i = 0; i < count; i++) this.#take(0, "values")
  }

  #union(field: Field, length: number): void {
    const dense = field.unit === 1
    this.#take(length, "type ids")
    if (dense) this.#take(length * 4, "offsets")
    for (const child of field.children) this.#column(child, dense ? 0 : length)
  }

  /** Types that nobody here reads (list views, run ends): just enough to keep the count of nodes and buffers. */
  #foreignValues(field: Field, rows: number): void {
    const listView = field.id === TypeId.ListView || field.id === TypeId.LargeListView
    this.#head(rows, listView)
    if (listView) {
      this.#take(0, "offsets")
      this.#take(0, "sizes")
    }
    for (const child of field.children) this.#column(child, 0)
  }
}

/** A vector of structs of two int64, flat. */
function pairs(reader: FlatReader, vector: number): number[] {
  const count = reader.count(vector, 16) * 2
  const numbers: number[] = []
  for (let i = 0; i < count; i++) numbers.push(reader.length(vector + 4 + i * 8))
  return numbers
}
