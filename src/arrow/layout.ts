// What the metadata of a received stream says, checked: strict, because the sender may be anybody.
import { ArrowDataError } from "./errors.ts"
import { FlatReader } from "./flatbuffer.ts"
import { CONTINUATION, EOS_BYTES, MessageType, METADATA_V5 } from "./header.ts"
import { FieldChecker, type Layout, type Message } from "./check.ts"
import { readSchema } from "./schema.ts"
import type { Field } from "./types.ts"

export type { BatchLayout, Elements, Layout } from "./check.ts"

const METADATA_V4 = 3
const compare = Buffer.prototype.compare

// Streams repeat: the last header of each size class is kept and compared, which costs a third of parsing it.
const MAX_CACHED_HEADER_BYTES = 4096
const cachedHeaders: (Uint8Array | null)[] = Array.from({ length: 16 }, () => null)
const cachedLayouts: (Layout | null)[] = Array.from({ length: 16 }, () => null)
/** Schemas by the length of their message: they are fewer than headers. */
const cachedSchemas: ({ bytes: Uint8Array; field: Field } | null)[] = Array.from(
  { length: 16 },
  () => null,
)

/**
 * Parses and checks the metadata of a payload: one column, one batch, nothing after it, everything inside.
 *
 * @throws ArrowDataError
 * @example arrayOf(readLayout(bytes), bytes)
 */
export function readLayout(stream: Uint8Array): Layout {
  const slot = (stream.byteLength >>> 3) & 15
  const header = cachedHeaders[slot]
  if (header) {
    const layout = cachedLayouts[slot]!
    const length = header.byteLength
    if (
      layout.byteLength === stream.byteLength &&
      compare.call(stream, header, 0, length, 0, length) === 0 &&
      endsAt(stream, stream.byteLength - EOS_BYTES)
    ) {
      return layout
    }
  }
  const layout = new StreamReader(stream).read()
  if (layout.headerLength <= MAX_CACHED_HEADER_BYTES && layout.dictionaries.size === 0) {
    cachedHeaders[slot] = stream.slice(0, layout.headerLength)
    cachedLayouts[slot] = layout
  }
  return layout
}

function endsAt(stream: Uint8Array, at: number): boolean {
  const lengths = stream[at + 4]! | stream[at + 5]! | stream[at + 6]! | stream[at + 7]!
  return (
    (stream[at]! & stream[at + 1]! & stream[at + 2]! & stream[at + 3]!) === 0xff && lengths === 0
  )
}

class StreamReader {
  readonly #stream: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(stream: Uint8Array) {
    this.#stream = stream
    this.#view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  }

  read(): Layout {
    const field = this.#schema()
    const checker = new FieldChecker(field)
    let message = this.#message()
    while (message?.type === MessageType.DictionaryBatch) {
      checker.dictionary(message)
      message = this.#message()
    }
    if (message?.type !== MessageType.RecordBatch)
      throw new ArrowDataError("it has no record batch")
    const layout = checker.record(message, this.#stream.byteLength)
    if (this.#message() !== null) throw new ArrowDataError("it has more than one record batch")
    if (this.#at !== this.#stream.byteLength) {
      const rest = this.#stream.byteLength - this.#at
      throw new ArrowDataError(`${rest} bytes follow the end-of-stream marker`)
    }
    return layout
  }

  /** The schema that opens the stream; mostly it is one that was read before. */
  #schema(): Field {
    const stream = this.#stream
    const end = stream.byteLength < 8 ? 0 : 8 + this.#view.getInt32(4, true)
    const slot = (end >>> 3) & 15
    const known = cachedSchemas[slot]
    if (known && end === known.bytes.byteLength && end <= stream.byteLength) {
      if (compare.call(stream, known.bytes, 0, end, 0, end) === 0) {
        this.#at = end
        return known.field
      }
    }
    const first = this.#message()
    if (first?.type !== MessageType.Schema) {
      throw new ArrowDataError("it doesn't start with a schema message")
    }
    const field = readSchema(first.reader, first.header)
    if (this.#at === end && end <= MAX_CACHED_HEADER_BYTES) {
      cachedSchemas[slot] = { bytes: stream.slice(0, end), field }
    }
    return field
  }

  /** The next message, or null at the end-of-stream marker. */
  #message(): Message | null {
    const end = this.#stream.byteLength
    const start = this.#at
    if (start + EOS_BYTES > end) throw new ArrowDataError("it ends without an end-of-stream marker")
    if (this.#view.getUint32(start, true) !== CONTINUATION) {
      throw new ArrowDataError(`no message starts at byte ${start}`)
    }
    const length = this.#view.getInt32(start + 4, true)
    const metadata = start + 8
    const body = metadata + length
    if (length < 0 || body > end)
      throw new ArrowDataError(`metadata of ${length} bytes does not fit`)
    this.#at = body
    if (length === 0) return null
    const reader = new FlatReader(this.#view, metadata, body)
    const table = reader.target(metadata)
    const version = reader.fieldI16(table, 0)
    if (version !== METADATA_V5 && version !== METADATA_V4) {
      throw new ArrowDataError(`metadata version ${version + 1} is not supported`)
    }
    const header = reader.child(table, 2)
    if (header === 0) throw new ArrowDataError("a message has no header")
    const bodyLength = reader.fieldLength(table, 3)
    if (bodyLength > end - body) {
      throw new ArrowDataError(`a body of ${bodyLength} bytes does not fit`)
    }
    this.#at = body + bodyLength
    return { type: reader.fieldU8(table, 1), header, reader, body, bodyLength }
  }
}
