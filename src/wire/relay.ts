// What it takes to pass messages between sockets and memory without decoding them.
import { MAX_FRAME_BYTES } from "../core/limits.ts"
import { HEADER_BYTES, tooLarge } from "./frame.ts"
import {
  METADATA_VERSION,
  readForeignParameters,
  readStamp,
  writeFramedParameters,
  writeStamp,
} from "./metadata.ts"
import { type Reader, WireError, Writer } from "./postcard.ts"
import type { Stamp } from "../core/clock.ts"
import { readDataId } from "./identifiers.ts"

/** First byte of a request: the two that carry the traffic. */
export const SEND_MESSAGE = 2
export const NEXT_EVENT = 6
/** Bytes before the events of a frame at most: length, variant, number of events. */
export const NEXT_EVENTS_ROOM = 12

/**
 * Begins the name of an output on which Python operators say that one of them has ended: the operator's id follows. No node
 * and no operator can be called `dora`, so nothing else has such a name.
 */
export const END_OUTPUT = "dora/end/"

const NEXT_EVENTS = 1
const INPUT = 2

/** A `SendMessage` up to its data. */
export type SendHead = {
  output: string
  stamp: Stamp
  /** Encoded, null when there are none. */
  parameters: Uint8Array | null
  /** Bytes of the Arrow stream that follows; −1 for a message without data. */
  length: number
}

/** Parameters that are longer are looked at each time. */
const MOST_KEPT_BYTES = 256

/** What the last message of a connection looked like: the next one has the same bytes as a rule, and they need no second look. */
export class LastHead {
  /** Variant, output and metadata version as encoded. */
  start = new Uint8Array(0)
  output = ""
  parameters = new Uint8Array(0)
  /** What was made of {@link parameters}. */
  passed: Uint8Array | null = null
}

/**
 * Reads a `SendMessage` from its variant up to its data, which need not be there yet.
 *
 * @throws WireError  also when the head itself is cut off
 */
export function readSendHead(reader: Reader, last: LastHead): SendHead {
  const known = last.start.length > 0 && reader.skips(last.start)
  const output = known ? last.output : readStart(reader, last)
  const stamp = readStamp(reader)
  const parameters = readParameters(reader, last)
  if (!reader.bool()) return { output, stamp, parameters, length: -1 }
  if (reader.varint() !== 0) throw new WireError("unknown kind of data")
  const length = reader.varint()
  if (length === 0) throw new WireError("data of no bytes is no Arrow stream")
  return { output, stamp, parameters, length }
}

function readStart(reader: Reader, last: LastHead): string {
  const from = reader.position
  reader.byte()
  const output = readDataId(reader)
  const version = reader.varint(0xffff)
  if (version !== METADATA_VERSION) throw new WireError(`metadata version ${version}`)
  last.start = reader.slice(from, reader.position).slice()
  last.output = output
  return output
}

function readParameters(reader: Reader, last: LastHead): Uint8Array | null {
  if (last.parameters.length > 0 && reader.skips(last.parameters)) return last.passed
  const from = reader.position
  const passed = readForeignParameters(reader)
  if (reader.position - from > MOST_KEPT_BYTES) return passed
  last.parameters = reader.slice(from, reader.position).slice()
  // The bytes that were read are overwritten by the next.
  last.passed = passed?.slice() ?? null
  return last.passed
}

/** The first bytes of an `Input` event, the same for each message of an input. */
export function inputStart(input: string): Uint8Array {
  return new Writer().byte(INPUT).text(input).varint(METADATA_VERSION).bytes
}

/** Writes an `Input` event up to the parameters. @param clock  the 16 bytes that name the clock of the stamp */
export function writeInputHead(
  writer: Writer,
  start: Uint8Array,
  seconds: number,
  fraction: number,
  clock: Uint8Array,
): void {
  writer.raw(start).varint64(seconds, fraction).raw(clock)
}

/** Writes what stands before the data: parameters as encoded, or none; `length` of the data, 0 for none. */
export function writeInputBody(
  writer: Writer,
  parameters: Uint8Array | null,
  length: number,
): void {
  if (parameters === null) writer.byte(0)
  else writer.raw(parameters)
  if (length === 0) writer.byte(0)
  else writer.byte(1).byte(0).varint(length)
}

/** Writes the `Input` event of a timer: a message without data. */
export function writeTick(writer: Writer, input: string, stamp: Stamp): void {
  writeInputHead(writer, inputStart(input), stamp.seconds, stamp.fraction, stamp.id)
  writeInputBody(writer, null, 0)
  writeStamp(writer, stamp)
}

/**
 * A `SendMessage` as a frame of its own.
 *
 * @param parameters  as encoded, null for none
 * @param data        a complete Arrow stream; empty for a message without data
 * @param now         when the request is made
 * @throws WireError  the frame would be larger than MAX_FRAME_BYTES
 */
export function frameSendMessage(
  output: string,
  stamp: Stamp,
  parameters: Uint8Array | null,
  data: Uint8Array,
  now: Stamp,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer(
    256 + 3 * output.length + (parameters?.byteLength ?? 0) + data.byteLength,
  )
  writer.raw(new Uint8Array(HEADER_BYTES)).byte(SEND_MESSAGE).text(output).varint(METADATA_VERSION)
  writeStamp(writer, stamp)
  writeFramedParameters(writer, parameters)
  if (data.byteLength === 0) writer.byte(0)
  else writer.byte(1).byte(0).blob(data)
  writeStamp(writer, now)
  const { bytes } = writer
  const body = bytes.byteLength - HEADER_BYTES
  if (body > MAX_FRAME_BYTES) throw tooLarge(body, MAX_FRAME_BYTES)
  new DataView(bytes.buffer).setUint32(0, body, true)
  return bytes
}

/**
 * Puts length, variant and number of events right before the events that were written after
 * {@link NEXT_EVENTS_ROOM} bytes.
 *
 * @param bytes   the frame's bytes, from the first
 * @param extra   bytes of the body that lie elsewhere
 * @returns       where the frame begins
 */
export function frameNextEvents(bytes: Uint8Array, events: number, extra: number): number {
  let at = NEXT_EVENTS_ROOM
  const groups: number[] = []
  for (let rest = events; ; rest = Math.floor(rest / 0x80)) {
    groups.push(rest >= 0x80 ? (rest % 0x80) | 0x80 : rest)
    if (rest < 0x80) break
  }
  at -= groups.length
  bytes.set(groups, at)
  bytes[--at] = NEXT_EVENTS
  const body = bytes.byteLength - at + extra
  at -= 8
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(at, body, true)
  view.setUint32(at + 4, 0, true)
  return at
}
