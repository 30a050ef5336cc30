// Nodes of dora 0.4 and 0.5: what the relay writes for them. Section 8 of the protocol reference.
import { readLayout } from "../../../arrow/layout.ts"
import type { Stamp } from "../../../core/clock.ts"
import { DoraError } from "../../../core/errors.ts"
import { BincodeReader, BincodeWriter } from "../../../wire/bincode/codec.ts"
import {
  decodeOldRequest,
  encodeOldReply,
  frameOldEvents,
  INPUT,
  OLD_EVENTS_ROOM,
  type OldRelease,
  OldRequest,
  writeOldEvent,
} from "../../../wire/bincode/messages.ts"
import { CONTEXT, writeOldParameters, writeStamp } from "../../../wire/bincode/metadata.ts"
import type { Form, TakenMessage } from "../form.ts"
import type { Outgoing } from "../outgoing.ts"
import { writeTypeInfo } from "./from-stream.ts"

const METADATA_VERSION = 0
/** Members of enums: DataType::Null, DataMessage::Vec, Parameter::String. */
const NULL_TYPE = 0
const IN_FRAME = 0
const TEXT = 2

/** A message has a parameter that the node that gets it can't have. */
export class OldParameterError extends DoraError {
  constructor(input: string, names: readonly string[]) {
    super("OLD_NODE_PARAMETER", {
      what: `messages for input \`${input}\` lose the parameter ${names.map((name) => `\`${name}\``).join(", ")}`,
      why: "nodes of dora 0.4 have no parameters that are times",
      fix: "send it as text",
    })
  }
}

/** The messages of one release. @param warn  told of what is lost of a message that is sent all the same */
export function oldForm(
  release: OldRelease,
  warn: (input: string, error: DoraError) => void,
): Form {
  return {
    codec: {
      decodeRequest: decodeOldRequest,
      encodeReply: encodeOldReply,
      encodeNextEvents: (events) => encodeEvents(events, release),
    },
    room: OLD_EVENTS_ROOM,
    writer: () => new BincodeWriter(64 * 1024),
    frame: frameOldEvents,
    isPoll: (body) => requestOf(body) === OldRequest.NextEvent,
    pollStamp: (body) => decodeOldRequest(body).stamp,
    event: (writer, encoded) => writeOldEvent(writer as BincodeWriter, encoded, release),
    tick: (writer, input, stamp) => writeTick(writer as BincodeWriter, input, stamp),
    message: (out, message) => {
      const { kept, lost } = writeMessage(out, message, release)
      if (lost.length > 0) warn(message.input, new OldParameterError(message.input, lost))
      return kept
    },
  }
}

/** Number of a request; −1 when there is none. */
export function requestOf(body: Uint8Array): number {
  return body.byteLength < 4 ? -1 : new BincodeReader(body).variant()
}

function encodeEvents(events: readonly Uint8Array[], release: OldRelease): Uint8Array {
  const writer = new BincodeWriter()
  for (let i = 0; i < OLD_EVENTS_ROOM; i++) writer.byte(0)
  let count = 0
  for (const event of events) if (writeOldEvent(writer, event, release)) count++
  frameOldEvents(writer.bytes, count, 0)
  return writer.bytes.subarray(8)
}

function writeHead(writer: BincodeWriter, input: string, stamp: Stamp): void {
  writer.variant(INPUT).text(input).u16(METADATA_VERSION)
  writeStamp(writer, stamp)
}

function writeTick(writer: BincodeWriter, input: string, stamp: Stamp): void {
  writeHead(writer, input, stamp)
  writeNothing(writer)
  // Official ticks always have it, and it is always empty without tracing.
  writer.varint(1).text(CONTEXT).variant(TEXT).text("")
  writeStamp(writer.bool(false), stamp)
}

/** The description of no data. */
function writeNothing(writer: BincodeWriter): void {
  writer.variant(NULL_TYPE).varint(0).varint(0).bool(false).varint(0).varint(0).varint(0)
}

function writeMessage(
  out: Outgoing,
  { input, stamp, parameters, stream, borrow }: TakenMessage,
  release: OldRelease,
): { kept: boolean; lost: string[] } {
  const writer = out.writer as BincodeWriter
  writeHead(writer, input, stamp)
  if (stream.byteLength === 0) {
    writeNothing(writer)
    const lost = writeOldParameters(writer, parameters, release)
    writeStamp(writer.bool(false), stamp)
    return { kept: false, lost }
  }
  const { from, length, made } = writeTypeInfo(writer, readLayout(stream), stream)
  const lost = writeOldParameters(writer, parameters, release)
  writer.bool(true).variant(IN_FRAME).varint(length)
  const kept = made === null && borrow !== null && length > 0
  if (kept) out.splice(borrow, from, length)
  else writer.raw(made ?? stream.subarray(from, from + length))
  writeStamp(writer, stamp)
  return { kept, lost }
}
