// Stamps, parameters and the metadata + data part of a message. Sections 3.2 to 3.6 of the protocol reference.
import type { Stamp } from "../core/clock.ts"
import { DoraError } from "../core/errors.ts"
import { Float, type Parameter, type Parameters } from "../core/parameters.ts"
import { Reader, WireError, Writer } from "./postcard.ts"

/** The only version of the metadata layout that 1.x nodes and daemons accept. */
export const METADATA_VERSION = 2

/** Official nodes set it on every message, always to the same value, and hide it from their users. */
const FRAMING = "_framing"
const FRAMING_VALUE = "arrow-ipc"

/** Types of a parameter by their number on the wire, the same in every release (dora-message 0.4.1 … 1.1.0, `metadata.rs`). */
export const VARIANTS = {
  BOOL: 0,
  INTEGER: 1,
  TEXT: 2,
  LIST_INTEGER: 3,
  FLOAT: 4,
  LIST_FLOAT: 5,
  LIST_TEXT: 6,
  TIMESTAMP: 7,
} as const
const { BOOL, INTEGER, TEXT, LIST_INTEGER, FLOAT, LIST_FLOAT, LIST_TEXT, TIMESTAMP } = VARIANTS

/** A parameter that dora has no type for. */
export class ParameterError extends DoraError {
  constructor(key: string, why: string) {
    super("BAD_PARAMETER", {
      what: `parameter \`${key}\` can't be sent`,
      why,
      fix: "use a bool, number, bigint, string, Date, Float, or a list of numbers or of strings",
    })
  }
}

/**
 * A message as it travels over TCP. `bytes` is its metadata and data as encoded by the sender; they are the same in
 * a request and in an event, so that a daemon passes them on without encoding anything.
 */
export type Message = {
  stamp: Stamp
  parameters: Parameters
  /** The parameters as postcard bytes, a view into `bytes`. */
  parameterBytes: Uint8Array
  /** A complete Arrow IPC stream, a view into `bytes`; null for a message of metadata only. */
  data: Uint8Array | null
  bytes: Uint8Array
}

/**
 * Encodes a message of one's own.
 *
 * @param parameterBytes  what {@link encodeParameters} returned
 * @param data            a complete Arrow IPC stream, never empty
 */
export function encodeMessage(
  stamp: Stamp,
  parameterBytes: Uint8Array,
  data: Uint8Array | null,
): Uint8Array {
  const writer = new Writer(64 + parameterBytes.byteLength + (data?.byteLength ?? 0))
  writer.varint(METADATA_VERSION)
  writeStamp(writer, stamp)
  writer.raw(parameterBytes).bool(data !== null)
  // The 0 is the variant of DataMessage; there is only one.
  if (data !== null) writer.byte(0).blob(data)
  return writer.bytes
}

/** Reads a message in place. */
export function readMessage(reader: Reader): Message {
  const from = reader.position
  const { stamp, parameters, parameterBytes } = readMetadata(reader)
  let data: Uint8Array | null = null
  if (reader.bool()) {
    if (reader.varint() !== 0) throw new WireError("unknown kind of data")
    data = reader.blob()
    if (data.byteLength === 0) throw new WireError("data of no bytes is no Arrow stream")
  }
  return { stamp, parameters, parameterBytes, data, bytes: reader.slice(from, reader.position) }
}

/** Reads metadata alone, as `OutputSent` has it. */
export function readMetadata(reader: Reader): Omit<Message, "data" | "bytes"> {
  const version = reader.varint(0xffff)
  if (version !== METADATA_VERSION) throw new WireError(`metadata version ${version}`)
  const stamp = readStamp(reader)
  const from = reader.position
  const parameters = readParameters(reader)
  return { stamp, parameters, parameterBytes: reader.slice(from, reader.position) }
}

/** NTP64 as varint, then the 16 bytes of the clock. */
export function writeStamp(writer: Writer, stamp: Stamp): void {
  writer.varint64(stamp.seconds, stamp.fraction).raw(stamp.id)
}

/** The identity is a view of the bytes read. */
export function readStamp(reader: Reader): Stamp {
  const { high, low } = reader.varint64()
  return { seconds: high, fraction: low, id: reader.raw(16) }
}

/**
 * Parameters as postcard bytes, keys in the order that the official encoder has.
 *
 * @throws ParameterError  a value that dora has no type for
 */
export function encodeParameters(parameters: Parameters): Uint8Array {
  const writer = new Writer()
  writeParameters(writer, parameters)
  return writer.bytes
}

/** {@link encodeParameters} into a writer. */
export function writeParameters(writer: Writer, parameters: Parameters): void {
  const keys = Object.keys(parameters)
  if (keys.length > 1) keys.sort(byUtf8)
  writer.varint(keys.length)
  for (const key of keys) writeParameter(writer.text(key), key, parameters[key]!)
}

/**
 * The parameters in postcard bytes. A whole float comes back as {@link Float} and a list of floats as Float64Array, so
 * that forwarding them changes no type.
 *
 * @throws WireError
 */
export function decodeParameters(bytes: Uint8Array): Parameters {
  const reader = new Reader(bytes)
  const parameters = readParameters(reader)
  reader.end()
  return parameters
}

/** {@link decodeParameters} in the middle of something. */
export function readParameters(reader: Reader): Parameters {
  const parameters: Parameters = {}
  for (let left = reader.count(3); left > 0; left--) {
    const key = reader.text()
    const value = readParameter(reader)
    if (key !== "__proto__") parameters[key] = value
    // A plain assignment would set the prototype.
    else Object.defineProperty(parameters, key, { value, enumerable: true, configurable: true })
  }
  return parameters
}

/**
 * Checks parameters that are passed on as bytes.
 *
 * @returns their bytes, without what only official nodes among themselves know; null when nothing is left
 */
export function readForeignParameters(reader: Reader): Uint8Array | null {
  const from = reader.position
  const count = reader.count(3)
  let cut: { from: number; to: number } | null = null
  for (let left = count; left > 0; left--) {
    const entry = reader.position
    const key = reader.text()
    readParameter(reader)
    if (key === FRAMING) cut = { from: entry, to: reader.position }
  }
  const to = reader.position
  if (count === 0 || (cut !== null && count === 1)) return null
  if (cut === null) return reader.slice(from, to)
  const first = from + varintBytes(count)
  return new Writer(to - from)
    .varint(count - 1)
    .raw(reader.slice(first, cut.from))
    .raw(reader.slice(cut.to, to)).bytes
}

/** Writes encoded parameters, or none, with what an official node sets on every message. */
export function writeFramedParameters(writer: Writer, parameters: Uint8Array | null): void {
  const count = parameters === null ? 0 : new Reader(parameters).varint()
  writer
    .varint(count + 1)
    .text(FRAMING)
    .variant(TEXT)
    .text(FRAMING_VALUE)
  if (parameters !== null) writer.raw(parameters.subarray(varintBytes(count)))
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : 1 + varintBytes(Math.floor(value / 0x80))
}

function writeParameter(writer: Writer, key: string, value: Parameter): void {
  switch (typeof value) {
    case "boolean":
      writer.variant(BOOL).bool(value)
      return
    case "string":
      writer.variant(TEXT).text(value)
      return
    case "number":
      if (isInteger(value)) writer.variant(INTEGER).signed(value)
      else writer.variant(FLOAT).double(value)
      return
    case "bigint":
      writer.variant(INTEGER).signed(checkedInteger(key, value))
      return
  }
  if (value instanceof Float) writer.variant(FLOAT).double(value.value)
  else if (value instanceof Date) writer.variant(TIMESTAMP).text(timestampText(key, value))
  else if (value instanceof Float64Array) writeDoubles(writer, value)
  else if (Array.isArray(value)) writeList(writer, key, value)
  else throw new ParameterError(key, `its value is ${value === null ? "null" : typeof value}`)
}

function writeList(writer: Writer, key: string, items: readonly unknown[]): void {
  if (items.length > 0 && items.every((item) => typeof item === "string")) {
    writer.variant(LIST_TEXT).varint(items.length)
    for (const item of items) writer.text(item)
    return
  }
  if (
    items.every((item) => typeof item === "bigint" || (typeof item === "number" && isInteger(item)))
  ) {
    writer.variant(LIST_INTEGER).varint(items.length)
    for (const item of items) writer.signed(checkedInteger(key, item as number | bigint))
    return
  }
  if (!items.every((item) => typeof item === "number")) {
    throw new ParameterError(key, "its list mixes types, or has items of another type")
  }
  writeDoubles(writer, items)
}

function writeDoubles(writer: Writer, items: ArrayLike<number>): void {
  writer.variant(LIST_FLOAT).varint(items.length)
  for (let i = 0; i < items.length; i++) writer.double(items[i]!)
}

function readParameter(reader: Reader): Parameter {
  const variant = reader.variant()
  switch (variant) {
    case BOOL:
      return reader.bool()
    case INTEGER:
      return reader.signed()
    case TEXT:
      return reader.text()
    case LIST_INTEGER:
      return reader.list(() => reader.signed())
    case FLOAT: {
      const value = reader.double()
      return isInteger(value) ? new Float(value) : value
    }
    case LIST_FLOAT:
      return Float64Array.from(reader.list(() => reader.double(), 8))
    case LIST_TEXT:
      return reader.list(() => reader.text())
    case TIMESTAMP:
      return readTimestamp(reader)
    default:
      throw new WireError(`parameter of unknown type ${variant}`)
  }
}

/** Is this number sent as an integer? Beyond 2^53 it is no exact integer any more, and -0 has no integer form. */
function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}

function checkedInteger(key: string, value: number | bigint): number | bigint {
  if (typeof value === "bigint" && BigInt.asIntN(64, value) !== value) {
    throw new ParameterError(key, `${value} does not fit into 64 bits`)
  }
  return value
}

function timestampText(key: string, date: Date): string {
  if (Number.isNaN(date.getTime())) throw new ParameterError(key, "the date is invalid")
  return date.toISOString().replace(".000Z", "Z")
}

/** RFC 3339 in UTC; digits beyond the millisecond are lost, a Date has none. */
function readTimestamp(reader: Reader): Date {
  const text = reader.text()
  const wellFormed = /^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(
    text,
  )
  // chrono has leap seconds, a Date has not.
  const date = new Date(text.replace(/:60(?=[.Z+-])/, ":59"))
  if (!wellFormed || Number.isNaN(date.getTime())) {
    throw new WireError(`"${text.slice(0, 40)}" is no RFC 3339 time`)
  }
  return date
}

/** UTF-16 order, the default, differs from byte order only beyond U+FFFF. */
function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
