// Encapsulated messages: ff ff ff ff, int32 length, the table Message, padding. Arrow's Message.fbs and
// "Encapsulated message format" of the columnar specification 1.5.
import { FlatWriter, putInt64 } from "./flatbuffer.ts"
import { writeSchema } from "./schema.ts"
import type { Field } from "./types.ts"

/** MessageHeader in Message.fbs. */
export const MessageType = { Schema: 1, DictionaryBatch: 2, RecordBatch: 3 } as const
/** MetadataVersion.V5. */
export const METADATA_V5 = 4
/** Start of every message; with a length of 0 it ends the stream. */
export const CONTINUATION = 0xffff_ffff
/** Bytes of the end-of-stream marker. */
export const EOS_BYTES = 8
/** Every body buffer starts at a multiple of this, counted from the start of the stream. */
export const BUFFER_ALIGNMENT = 64

/** Rounds up to a multiple of `step`, which is a power of two; good beyond 2³¹. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}

/** Everything before the body of the record batch, and the places in it that change from message to message. */
export class Header {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #places: BatchPlaces
  /** Names the present content; 0 before the first `patch`. */
  template = 0

  constructor(bytes: Uint8Array, places: BatchPlaces) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#places = places
  }

  /** Puts in the figures of a batch. Returns whether anything changed. */
  patch(nodes: readonly number[], buffers: readonly number[], bodyLength: number): boolean {
    const places = this.#places
    let changed = this.#put(places.rows, nodes[0]!)
    changed = this.#put(places.bodyLength, bodyLength) || changed
    for (let i = 0; i < places.nodeCount * 2; i++) {
      changed = this.#put(places.nodes + i * 8, nodes[i]!) || changed
    }
    for (let i = 0; i < places.bufferCount * 2; i++) {
      changed = this.#put(places.buffers + i * 8, buffers[i]!) || changed
    }
    return changed
  }

  #put(at: number, value: number): boolean {
    const view = this.#view
    const low = value >>> 0
    if (value === low) {
      if (view.getUint32(at, true) === low && view.getUint32(at + 4, true) === 0) return false
    }
    putInt64(view, at, value)
    return true
  }
}

/** Where a batch message has its figures. */
export type BatchPlaces = {
  rows: number
  bodyLength: number
  nodes: number
  nodeCount: number
  buffers: number
  bufferCount: number
}

/**
 * A header for `column` whose record batch has so many nodes and buffers.
 *
 * @param before    the messages before the record batch
 * @param variadic  number of data buffers of each column of views
 */
export function buildHeader(
  column: Field,
  nodeCount: number,
  bufferCount: number,
  before: Uint8Array = schemaMessage(column),
  variadic: readonly number[] = [],
): Header {
  const at = before.byteLength
  const { bytes, places } = batchMessage(nodeCount, bufferCount, at, null, variadic)
  const all = new Uint8Array(at + bytes.byteLength)
  all.set(before)
  all.set(bytes, at)
  places.rows += at
  places.bodyLength += at
  places.nodes += at
  places.buffers += at
  return new Header(all, places)
}

/** The message that opens a stream. */
export function schemaMessage(column: Field): Uint8Array {
  const { w, message } = startMessage(MessageType.Schema)
  w.ref(message, 2, writeSchema(w, column))
  return finishMessage(w, 0, 8)
}

/**
 * A record batch message, or a dictionary batch message of dictionary `dictionary`. It stands `at` bytes after the
 * start of the stream and ends on a multiple of {@link BUFFER_ALIGNMENT}. Figures are zero until patched.
 */
export function batchMessage(
  nodeCount: number,
  bufferCount: number,
  at: number,
  dictionary: number | null,
  variadic: readonly number[] = [],
): { bytes: Uint8Array; places: BatchPlaces } {
  const type = dictionary === null ? MessageType.RecordBatch : MessageType.DictionaryBatch
  const { w, message } = startMessage(type)
  let outer = 0
  if (dictionary !== null) {
    outer = w.table(8, 4)
    w.i64(outer, 0, dictionary)
    w.ref(message, 2, outer)
  }
  const batch = variadic.length === 0 ? w.table(8, 4, 4) : w.table(8, 4, 4, 0, 4)
  if (dictionary === null) w.ref(message, 2, batch)
  else w.ref(outer, 1, batch)
  const nodes = w.vector(nodeCount * 2, 8)
  w.view.setUint32(nodes, nodeCount, true)
  w.ref(batch, 1, nodes)
  const buffers = w.vector(bufferCount * 2, 8)
  w.view.setUint32(buffers, bufferCount, true)
  w.ref(batch, 2, buffers)
  if (variadic.length > 0) {
    const counts = w.vector(variadic.length, 8)
    w.ref(batch, 4, counts)
    for (let i = 0; i < variadic.length; i++) putInt64(w.view, counts + 4 + 8 * i, variadic[i]!)
  }
  const places = {
    rows: w.field(batch, 0),
    bodyLength: w.field(message, 3),
    nodes: nodes + 4,
    nodeCount,
    buffers: buffers + 4,
    bufferCount,
  }
  return { bytes: finishMessage(w, at, BUFFER_ALIGNMENT), places }
}

function startMessage(type: number): { w: FlatWriter; message: number } {
  const w = new FlatWriter()
  // Continuation, length, and the reference to the root, from which the table's own places count.
  w.reserve(12, 8)
  const message = w.table(2, 1, 4, 8)
  w.refAt(8, message)
  w.i16(message, 0, METADATA_V5)
  w.i8(message, 1, type)
  return { w, message }
}

function finishMessage(w: FlatWriter, at: number, alignment: number): Uint8Array {
  const length = roundUp(at + w.at, alignment) - at
  w.reserve(length - w.at, 1)
  w.view.setUint32(0, CONTINUATION, true)
  w.view.setUint32(4, length - 8, true)
  return w.bytes.slice(0, length)
}
