// Requests and replies of the dora 1.x node protocol. Tables: section 3.5 of the protocol reference.
import type { Stamp } from "../core/clock.ts"
import { type ReceivedEvent, readTimedEvent, type TimedEvent } from "./events.ts"
import { readDataId, readNodeId, readUuid, writeTexts, writeUuid } from "./identifiers.ts"
import { type Message, readMessage, readMetadata, readStamp, writeStamp } from "./metadata.ts"
import { Reader, WireError, Writer } from "./postcard.ts"

/** What a node asks of the daemon. All but `SendMessage` and `OutputSent` get a reply. */
export type DaemonRequest =
  | { type: "Register"; dataflow: string; node: string; version: string; metadataVersion: number }
  | { type: "Subscribe" }
  /** `message.bytes` is what gets sent. */
  | { type: "SendMessage"; output: string; message: Pick<Message, "bytes"> }
  | { type: "OutputSent"; output: string; metadata: Uint8Array }
  | { type: "CloseOutputs"; outputs: string[] }
  | { type: "OutputsDone" }
  | { type: "NextEvent" }
  | { type: "EventStreamDropped" }
  | { type: "NodeConfig"; node: string }
  | { type: "ExtensionStore"; namespace: string; key: string; value: Uint8Array }
  | { type: "ExtensionLoad"; namespace: string; key: string; remove: boolean }
  | { type: "ExtensionDrop"; namespace: string; key: string }
  | { type: "ExtensionRequest"; namespace: string; payload: Uint8Array }

/** A {@link DaemonRequest} as it was read: with a message in full. */
export type ReceivedRequest =
  | Exclude<DaemonRequest, { type: "SendMessage" }>
  | { type: "SendMessage"; output: string; message: Message }

/** What the daemon answers. */
export type DaemonReply =
  | { type: "Result"; error: string | null }
  | { type: "NextEvents"; events: TimedEvent<ReceivedEvent>[] }
  | { type: "ExtensionValue"; value: Uint8Array | null }
  | { type: "ExtensionReply"; payload: Uint8Array }

const REQUESTS = [
  "Register",
  "Subscribe",
  "SendMessage",
  "OutputSent",
  "CloseOutputs",
  "OutputsDone",
  "NextEvent",
  "EventStreamDropped",
  "NodeConfig",
  "ExtensionStore",
  "ExtensionLoad",
  "ExtensionDrop",
  "ExtensionRequest",
] as const satisfies readonly DaemonRequest["type"][]

const RESULT = 0
const NEXT_EVENTS = 1
const EXTENSION_VALUE = 3
const EXTENSION_REPLY = 5

/** The body of a request frame. */
export function encodeRequest(request: DaemonRequest, stamp: Stamp): Uint8Array<ArrayBuffer> {
  const writer = new Writer(
    request.type === "SendMessage" ? request.message.bytes.length + 128 : 128,
  )
  writer.varint(REQUESTS.indexOf(request.type))
  switch (request.type) {
    case "Register":
      writeUuid(writer, request.dataflow)
      writer.text(request.node).text(request.version).varint(request.metadataVersion)
      break
    case "SendMessage":
      writer.text(request.output).raw(request.message.bytes)
      break
    case "OutputSent":
      writer.text(request.output).raw(request.metadata)
      break
    case "CloseOutputs":
      writeTexts(writer, request.outputs)
      break
    case "NodeConfig":
      writer.text(request.node)
      break
    case "ExtensionStore":
      writer.text(request.namespace).text(request.key).blob(request.value)
      break
    case "ExtensionLoad":
      writer.text(request.namespace).text(request.key).bool(request.remove)
      break
    case "ExtensionDrop":
      writer.text(request.namespace).text(request.key)
      break
    case "ExtensionRequest":
      writer.text(request.namespace).blob(request.payload)
      break
  }
  writeStamp(writer, stamp)
  return writer.bytes
}

/**
 * Reads the body of a request frame; byte slices are views of it.
 *
 * @throws WireError
 */
export function decodeRequest(body: Uint8Array): { request: ReceivedRequest; stamp: Stamp } {
  const reader = new Reader(body)
  const request = readRequest(reader)
  const stamp = readStamp(reader)
  reader.end()
  return { request, stamp }
}

function readRequest(reader: Reader): ReceivedRequest {
  const variant = reader.varint(0xffff_ffff)
  const type = REQUESTS[variant]
  switch (type) {
    case undefined:
      throw new WireError(`unknown request ${variant}`)
    case "Register":
      return {
        type,
        dataflow: readUuid(reader),
        node: readNodeId(reader),
        version: reader.text(),
        metadataVersion: reader.varint(0xffff),
      }
    case "SendMessage":
      return { type, output: readDataId(reader), message: readMessage(reader) }
    case "OutputSent": {
      const output = readDataId(reader)
      const from = reader.position
      readMetadata(reader)
      return { type, output, metadata: reader.slice(from, reader.position) }
    }
    case "CloseOutputs":
      return { type, outputs: reader.list(() => readDataId(reader)) }
    case "NodeConfig":
      return { type, node: readNodeId(reader) }
    case "ExtensionStore":
      return { type, namespace: reader.text(), key: reader.text(), value: reader.blob() }
    case "ExtensionLoad":
      return { type, namespace: reader.text(), key: reader.text(), remove: reader.bool() }
    case "ExtensionDrop":
      return { type, namespace: reader.text(), key: reader.text() }
    case "ExtensionRequest":
      return { type, namespace: reader.text(), payload: reader.blob() }
    default:
      return { type }
  }
}

/** The body of a reply frame. Events go out encoded, see {@link encodeNextEvents}. */
export function encodeReply(
  reply: Exclude<DaemonReply, { type: "NextEvents" }>,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  switch (reply.type) {
    case "Result":
      writer.byte(RESULT).bool(reply.error !== null)
      if (reply.error !== null) writer.text(reply.error)
      break
    case "ExtensionValue":
      writer.byte(EXTENSION_VALUE).bool(reply.value !== null)
      if (reply.value !== null) writer.blob(reply.value)
      break
    case "ExtensionReply":
      writer.byte(EXTENSION_REPLY).blob(reply.payload)
      break
  }
  return writer.bytes
}

/** The body of a `NextEvents` reply from events that {@link encodeEvent} made; none says that the stream has ended. */
export function encodeNextEvents(events: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = events.reduce((sum, event) => sum + event.byteLength, 16)
  const writer = new Writer(size).byte(NEXT_EVENTS).varint(events.length)
  for (const event of events) writer.raw(event)
  return writer.bytes
}

/**
 * Reads the body of a reply frame; byte slices are views of it.
 *
 * @throws WireError
 */
export function decodeReply(body: Uint8Array): DaemonReply {
  const reader = new Reader(body)
  const reply = readReply(reader)
  reader.end()
  return reply
}

function readReply(reader: Reader): DaemonReply {
  const variant = reader.varint(0xffff_ffff)
  switch (variant) {
    case RESULT:
      return { type: "Result", error: reader.bool() ? reader.text() : null }
    case NEXT_EVENTS:
      return { type: "NextEvents", events: reader.list(() => readTimedEvent(reader), 18) }
    case EXTENSION_VALUE:
      return { type: "ExtensionValue", value: reader.bool() ? reader.blob() : null }
    case EXTENSION_REPLY:
      return { type: "ExtensionReply", payload: reader.blob() }
    default:
      // NodeConfig (2) travels as JSON only, Empty (4) never.
      throw new WireError(`unknown reply ${variant}`)
  }
}
