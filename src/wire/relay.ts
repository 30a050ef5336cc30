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
  /** What it has in common with others. */
  like: KnownHead
}

/** Parameters that are longer are looked at each time. */
const MOST_KEPT_BYTES = 256

/** So many outputs of a connection are told apart by their bytes. */
const MOST_KNOWN = 8
/** Parameters that change from message to message are not worth remembering elsewhere. */
const STEADY = 2

/** What the last message on an output looked like: the next one has the same bytes as a rule, and they need no second look. */
export class KnownHead {
  readonly output: string
  /** Variant, output and metadata version as encoded. */
  readonly start: Uint8Array
  parameters = new Uint8Array(0)
  /** What was made of {@link parameters}. */
  passed: Uint8Array | null = null
  /** Messages in a row with these parameters. */
  #same = 0
  #told = false

  constructor(output: string, start: Uint8Array) {
    this.output = output
    this.start = start
  }

  /** A message has come with the parameters that are kept. */
  repeat(): void {
    this.#same++
  }

  /** One has come with others, which are kept from now on. */
  keep(parameters: Uint8Array<ArrayBuffer>, passed: Uint8Array | null): void {
    this.#same = this.parameters.length === 0 ? STEADY : 1
    this.#told = false
    this.parameters = parameters
    this.passed = passed
  }

  /** Has somebody who remembers such messages something to learn now? True once. */
  get isNews(): boolean {
    if (this.#told || this.#same < STEADY) return false
    this.#told = true
    return true
  }
}

/** The heads of one connection. */
export class KnownHeads {
  readonly #heads: KnownHead[] = []
  #oldest = 0

  /** The one that comes next, which is then read; null: another one. */
  read(reader: Reader): KnownHead | null {
    for (const head of this.#heads) if (reader.skips(head.start)) return head
    return null
  }

  add(head: KnownHead): KnownHead {
    this.#heads[this.#oldest++ % MOST_KNOWN] = head
    return head
  }
}

/**
 * Reads a `SendMessage` from its variant up to its data, which need not be there yet.
 *
 * @throws WireError  also when the head itself is cut off
 */
export function readSendHead(reader: Reader, heads: KnownHeads): SendHead {
  const like = heads.read(reader) ?? readStart(reader, heads)
  const { output } = like
  const stamp = readStamp(reader)
  const parameters = readParameters(reader, like)
  if (!reader.bool()) return { output, stamp, parameters, length: -1, like }
  if (reader.varint() !== 0) throw new WireError("unknown kind of data")
  const length = reader.varint()
  if (length === 0) throw new WireError("data of no bytes is no Arrow stream")
  return { output, stamp, parameters, length, like }
}

function readStart(reader: Reader, heads: KnownHeads): KnownHead {
  const from = reader.position
  reader.byte()
  const output = readDataId(reader)
  const version = reader.varint(0xffff)
  if (version !== METADATA_VERSION) throw new WireError(`metadata version ${version}`)
  return heads.add(new KnownHead(output, reader.slice(from, reader.position).slice()))
}

function readParameters(reader: Reader, last: KnownHead): Uint8Array | null {
  if (last.parameters.length > 0 && reader.skips(last.parameters)) {
    last.repeat()
    return last.passed
  }
  const from = reader.position
  const passed = readForeignParameters(reader)
  if (reader.position - from > MOST_KEPT_BYTES) return passed
  // The bytes that were read are overwritten by the next.
  last.keep(reader.slice(from, reader.position).slice(), passed?.slice() ?? null)
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
