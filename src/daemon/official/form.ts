// How nodes of one generation of dora are talked to. Everything else of the relay is the same for all.
import type { Stamp } from "../../core/clock.ts"
import type { Borrow } from "../../shm/consumer-pool.ts"
import { decodeRequest, encodeNextEvents, encodeReply } from "../../wire/messages.ts"
import { readStamp } from "../../wire/metadata.ts"
import { Reader, Writer } from "../../wire/postcard.ts"
import { frameNextEvents, NEXT_EVENT, NEXT_EVENTS_ROOM, writeTick } from "../../wire/relay.ts"
import type { SessionCodec } from "../session.ts"
import type { Outgoing } from "./outgoing.ts"

/** A message that was taken from a ring. */
export type TakenMessage = {
  input: string
  stamp: Stamp
  /** As 1.x encodes them, null when there are none. */
  parameters: Uint8Array | null
  /** The whole Arrow stream; empty for a message without data. */
  stream: Uint8Array
  /** Where the stream lies, when it may be sent from there. */
  borrow: Borrow | null
}

/** The messages of one generation. */
export interface Form {
  readonly codec: SessionCodec
  /** Bytes before the events of a reply. */
  readonly room: number
  /** For replies. */
  writer(): Writer
  /** Completes a reply. @param extra  bytes of it that lie elsewhere @returns where it begins */
  frame(bytes: Uint8Array, events: number, extra: number): number
  /** Is this request a long poll? */
  isPoll(body: Uint8Array): boolean
  /** The stamp of a long poll. @throws WireError */
  pollStamp(body: Uint8Array): Stamp
  /** Writes an event that is encoded for 1.x. @returns false when there is no such event */
  event(writer: Writer, encoded: Uint8Array): boolean
  tick(writer: Writer, input: string, stamp: Stamp): void
  /**
   * Writes a message as an event; null: messages go as they are.
   *
   * @returns true when the loan goes with the reply
   */
  readonly message: ((out: Outgoing, message: TakenMessage) => boolean) | null
}

/** That of dora 1.x, in which messages lie in memory. */
export const CURRENT: Form = {
  codec: { decodeRequest, encodeReply, encodeNextEvents },
  room: NEXT_EVENTS_ROOM,
  writer: () => new Writer(64 * 1024),
  frame: frameNextEvents,
  isPoll: (body) => body[0] === NEXT_EVENT,
  pollStamp: (body) => {
    const reader = new Reader(body)
    reader.byte()
    const stamp = readStamp(reader)
    reader.end()
    return stamp
  },
  event: (writer, encoded) => {
    writer.raw(encoded)
    return true
  },
  tick: writeTick,
  message: null,
}
