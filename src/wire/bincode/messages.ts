// Requests, replies and events of dora 0.4 and 0.5. Tables: section 8.2 of the protocol reference.
import type { Stamp } from "../../core/clock.ts"
import { type NodeEvent, readTimedEvent } from "../events.ts"
import { readDataId, readNodeId, readUuid, writeTexts } from "../identifiers.ts"
import type { DaemonReply, ReceivedRequest } from "../messages.ts"
import { METADATA_VERSION } from "../metadata.ts"
import { Reader, WireError } from "../postcard.ts"
import { BincodeReader, BincodeWriter } from "./codec.ts"
import { readStamp, writeStamp } from "./metadata.ts"

/** Variants of requests that the relay itself looks at. */
export const OldRequest = {
  SendMessage: 2,
  NextEvent: 5,
  ReportDropTokens: 6,
  SubscribeDrop: 7,
  NextFinishedDropTokens: 8,
} as const

const REGISTER = 0
const NODE_CONFIG = 10
const UUID_BYTES = 16
const MAX_TEXT_BYTES = 256

const RESULT = 0
const NEXT_EVENTS = 2
const NEXT_DROP_EVENTS = 3
const EVENTS: readonly NodeEvent["type"][] = [
  "Stop",
  "Reload",
  "Input",
  "InputClosed",
  "AllInputsClosed",
  "NodeFailed",
]
/** Number of an `Input` event. */
export const INPUT = EVENTS.indexOf("Input")

/** What nodes of one release can be told. */
export type OldRelease = {
  /** `NodeFailed` events. */
  failures: boolean
  /** Parameters that are times. */
  timestamps: boolean
}

/** Releases by the version of the message crate, which is what a node introduces itself with. */
const RELEASES: Record<string, OldRelease> = {
  // dora 0.4.1
  "0.7": { failures: false, timestamps: false },
  // dora 0.5.0
  "0.8": { failures: true, timestamps: true },
}

/**
 * The release that the sender of a connection's first frame is of; null when it is none that is served here.
 *
 * @param body  a `Register`, or the question of a node that was started by hand
 */
export function oldReleaseOf(body: Uint8Array): OldRelease | null {
  const introduced = readOldRegister(body)
  if (introduced) return RELEASES[/^\d+\.\d+/.exec(introduced.version)?.[0] ?? ""] ?? null
  try {
    // A question names no version; the answer is JSON for all.
    const reader = new BincodeReader(body)
    if (reader.variant() !== NODE_CONFIG || reader.varint() > MAX_TEXT_BYTES) return null
    return RELEASES["0.8"]!
  } catch {
    return null
  }
}

/**
 * Reads the introduction of a node of an older dora; null when it is none.
 *
 * @returns its id, and the version that it names: up to 0.5 that of the message crate, not of dora
 */
export function readOldRegister(body: Uint8Array): { node: string; version: string } | null {
  try {
    const reader = new BincodeReader(body)
    if (reader.variant() !== REGISTER || reader.varint() !== UUID_BYTES) return null
    reader.raw(UUID_BYTES)
    return { node: shortText(reader), version: shortText(reader) }
  } catch {
    return null
  }
}

function shortText(reader: BincodeReader): string {
  const bytes = reader.raw(reader.varint(MAX_TEXT_BYTES))
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
}

/**
 * Reads a request that means the same in 1.x.
 *
 * @throws WireError  also for those that the relay has to serve itself
 */
export function decodeOldRequest(body: Uint8Array): { request: ReceivedRequest; stamp: Stamp } {
  const reader = new BincodeReader(body)
  const request = readRequest(reader)
  const stamp = readStamp(reader)
  reader.end()
  return { request, stamp }
}

function readRequest(reader: BincodeReader): ReceivedRequest {
  const variant = reader.variant()
  switch (variant) {
    case REGISTER: {
      const dataflow = readUuid(reader)
      const node = readNodeId(reader)
      const version = reader.text()
      // It names none; what it sends is converted.
      return { type: "Register", dataflow, node, version, metadataVersion: METADATA_VERSION }
    }
    case 1:
      return { type: "Subscribe" }
    case 3:
      return { type: "CloseOutputs", outputs: reader.list(() => readDataId(reader), 8) }
    case 4:
      return { type: "OutputsDone" }
    case OldRequest.NextEvent:
      readTokens(reader)
      return { type: "NextEvent" }
    case 9:
      return { type: "EventStreamDropped" }
    case NODE_CONFIG:
      return { type: "NodeConfig", node: readNodeId(reader) }
    default:
      throw new WireError(`request ${variant} of dora 0.x, at this point`)
  }
}

/** Reads a request about shared memory; of no interest is what it says. @throws WireError */
export function decodeDropRequest(body: Uint8Array): Stamp {
  const reader = new BincodeReader(body)
  if (reader.variant() === OldRequest.ReportDropTokens) readTokens(reader)
  const stamp = readStamp(reader)
  reader.end()
  return stamp
}

/** Tokens of messages that came through shared memory; nothing from here does. */
function readTokens(reader: BincodeReader): void {
  reader.list(() => readUuid(reader), 8 + UUID_BYTES)
}

/** The body of a reply; a node of this time gets no other than `Result`. */
export function encodeOldReply(
  reply: Exclude<DaemonReply, { type: "NextEvents" }>,
): Uint8Array<ArrayBuffer> {
  const error = reply.type === "Result" ? reply.error : `no ${reply.type} in dora 0.x`
  const writer = new BincodeWriter(64).variant(RESULT).variant(error === null ? 0 : 1)
  if (error !== null) writer.text(error)
  return writer.bytes
}

/** The body of a `NextDropEvents` reply: who owns the memory may use it again. None: that was all. */
export function encodeDropEvents(
  tokens: readonly Uint8Array[],
  stamp: Stamp,
): Uint8Array<ArrayBuffer> {
  const writer = new BincodeWriter(64 + 64 * tokens.length).variant(NEXT_DROP_EVENTS)
  writer.varint(tokens.length)
  for (const token of tokens) writeStamp(writer.variant(0).blob(token), stamp)
  return writer.bytes
}

/** Bytes before the events of a `NextEvents` frame: length, variant, number of events. */
export const OLD_EVENTS_ROOM = 20

/** Puts length, variant and number of events in front of events. @param extra  bytes of the body that lie elsewhere */
export function frameOldEvents(bytes: Uint8Array, events: number, extra: number): number {
  const head = new BincodeWriter(OLD_EVENTS_ROOM)
  head
    .varint(bytes.byteLength - 8 + extra)
    .variant(NEXT_EVENTS)
    .varint(events)
  bytes.set(head.bytes)
  return 0
}

/** Writes an event that is encoded for 1.x. @returns false when nodes of this release know no such event */
export function writeOldEvent(
  writer: BincodeWriter,
  encoded: Uint8Array,
  { failures }: OldRelease,
): boolean {
  const { event, stamp } = readTimedEvent(new Reader(encoded))
  const variant = EVENTS.indexOf(event.type)
  if (variant < 0 || (event.type === "NodeFailed" && !failures)) return false
  writer.variant(variant)
  switch (event.type) {
    case "Reload":
      writer.bool(event.operator !== null)
      if (event.operator !== null) writer.text(event.operator)
      break
    case "InputClosed":
      writer.text(event.id)
      break
    case "NodeFailed":
      writeTexts(writer, event.inputs)
      writer.text(event.error).text(event.source)
      break
  }
  writeStamp(writer, stamp)
  return true
}
