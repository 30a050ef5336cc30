// What the daemon tells a node, inside a `NextEvents` reply. Table: section 3.5 of the protocol reference.
import type { Stamp } from "../core/clock.ts"
import { readDataId, readNodeId, writeTexts } from "./identifiers.ts"
import { type Message, readMessage, readStamp, writeStamp } from "./metadata.ts"
import { type Reader, WireError, Writer } from "./postcard.ts"

/** What the daemon tells a node. */
export type NodeEvent =
  | { type: "Stop" }
  | { type: "Reload"; operator: string | null }
  /** `message.bytes` is what gets sent. */
  | { type: "Input"; id: string; message: Pick<Message, "bytes"> }
  | { type: "InputClosed"; id: string }
  | { type: "InputRecovered"; id: string }
  | { type: "NodeRestarted"; node: string }
  | { type: "AllInputsClosed" }
  | { type: "ParamUpdate"; key: string; json: Uint8Array }
  | { type: "ParamDeleted"; key: string }
  | { type: "NodeFailed"; inputs: string[]; error: string; source: string }
  | { type: "ExtensionDropped"; namespace: string; key: string }

/** A {@link NodeEvent} as it was read: with a message in full. */
export type ReceivedEvent =
  Exclude<NodeEvent, { type: "Input" }> | { type: "Input"; id: string; message: Message }

/** An event and when it happened. */
export type TimedEvent<E extends NodeEvent = NodeEvent> = { event: E; stamp: Stamp }

const EVENTS = [
  "Stop",
  "Reload",
  "Input",
  "InputClosed",
  "InputRecovered",
  "NodeRestarted",
  "AllInputsClosed",
  "ParamUpdate",
  "ParamDeleted",
  "NodeFailed",
  "ExtensionDropped",
] as const satisfies readonly NodeEvent["type"][]

/** One event of a `NextEvents` reply. */
export function encodeEvent(event: NodeEvent, stamp: Stamp): Uint8Array<ArrayBuffer> {
  const writer = new Writer(event.type === "Input" ? event.message.bytes.length + 128 : 64)
  writer.varint(EVENTS.indexOf(event.type))
  switch (event.type) {
    case "Reload":
      writer.bool(event.operator !== null)
      if (event.operator !== null) writer.text(event.operator)
      break
    case "Input":
      writer.text(event.id).raw(event.message.bytes)
      break
    case "InputClosed":
    case "InputRecovered":
      writer.text(event.id)
      break
    case "NodeRestarted":
      writer.text(event.node)
      break
    case "ParamUpdate":
      writer.text(event.key).blob(event.json)
      break
    case "ParamDeleted":
      writer.text(event.key)
      break
    case "NodeFailed":
      writeTexts(writer, event.inputs)
      writer.text(event.error).text(event.source)
      break
    case "ExtensionDropped":
      writer.text(event.namespace).text(event.key)
      break
  }
  writeStamp(writer, stamp)
  return writer.bytes
}

/** Reads what {@link encodeEvent} made. */
export function readTimedEvent(reader: Reader): TimedEvent<ReceivedEvent> {
  const event = readEvent(reader)
  return { event, stamp: readStamp(reader) }
}

function readEvent(reader: Reader): ReceivedEvent {
  const variant = reader.varint(0xffff_ffff)
  const type = EVENTS[variant]
  switch (type) {
    case undefined:
      throw new WireError(`unknown event ${variant}`)
    case "Reload":
      return { type, operator: reader.bool() ? reader.text() : null }
    case "Input":
      return { type, id: readDataId(reader), message: readMessage(reader) }
    case "InputClosed":
    case "InputRecovered":
      return { type, id: readDataId(reader) }
    case "NodeRestarted":
      return { type, node: readNodeId(reader) }
    case "ParamUpdate":
      return { type, key: reader.text(), json: reader.blob() }
    case "ParamDeleted":
      return { type, key: reader.text() }
    case "NodeFailed":
      return {
        type,
        inputs: reader.list(() => readDataId(reader)),
        error: reader.text(),
        source: readNodeId(reader),
      }
    case "ExtensionDropped":
      return { type, namespace: reader.text(), key: reader.text() }
    default:
      return { type }
  }
}
