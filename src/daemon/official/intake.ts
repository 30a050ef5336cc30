// What arrives on a connection: frames are collected in a staging buffer, and a message that is larger goes from the
// socket straight into shared memory.
import type { Stamp } from "../../core/clock.ts"
import { MAX_FRAME_BYTES } from "../../core/limits.ts"
import { HEADER_BYTES } from "../../wire/frame.ts"
import { readStamp } from "../../wire/metadata.ts"
import { Reader, WireError } from "../../wire/postcard.ts"
import {
  type KnownHead,
  KnownHeads,
  readSendHead,
  SEND_MESSAGE,
  type SendHead,
} from "../../wire/relay.ts"
import type { Begun } from "./lane.ts"
import type { RelayNode } from "./node.ts"
import { Staging, STAGING_BYTES } from "./staging.ts"
import type { PassingOutput } from "../../shm/passing.ts"

/** The head of a large message is looked for once this much is there. */
const HEAD_BYTES = 4096
/** Stamp at the end of a request: a varint of 64 bits, and the 16 bytes of the clock. */
const MAX_STAMP_BYTES = 26
const MIN_STAMP_BYTES = 17

/** Whose bytes these are. */
export interface IntakeOwner {
  /** Of the staging buffer. */
  readonly words: Int32Array
  /** Frames may be served now. */
  readonly ready: boolean
  /** Whose messages go to memory; null before a node is let past the barrier. */
  readonly sender: RelayNode | null
  /** Any frame that is no message, with its header. */
  request(frame: Uint8Array): void
  /** Refuses one request. */
  answer(error: string): void
  /** A stamp of the peer. */
  saw(stamp: Stamp): void
  /** Messages like these are worth remembering. */
  learn(head: KnownHead): void
}

/** What takes the bytes of a connection. */
export interface FrameIntake {
  /** A message waits for room: nothing more may be read. */
  readonly blocked: boolean
  /** A frame has begun and is not complete. */
  readonly partial: boolean
  /** Nothing is under way but frames of the usual size. */
  readonly plain: boolean
  /** Bytes that a large message lacks whose place is known; 0: there is none. */
  readonly filling: number
  /** Where the next bytes go, and how many may come. */
  next(): { address: number; room: number }
  /** Bytes have come to where {@link next} said. */
  arrived(bytes: number): void
  /** Serves the frames that are there. */
  serve(): void
  /** Is there room now for the message that waits? With `ask`, for who is about to sleep, its consumers are told. */
  hasRoom(ask: boolean): boolean
  /** Tries again what found no room. */
  unblock(): void
  /** The connection is gone: memory that was lent goes back. */
  release(): void
}

/** A message on its way into memory. */
type Passage = {
  output: PassingOutput
  head: SendHead
  /** Whole, in the staging buffer; null when it arrives in a chunk. */
  data: Uint8Array | null
  /** −1: none yet. */
  chunk: number
  /** Bytes that have arrived in the chunk. */
  filled: number
  /** Bytes of the stamp that follows. */
  tail: number
}

/** Takes the bytes of one connection. Every method throws {@link WireError} on what is no frame. */
export class Intake implements FrameIntake {
  blocked = false
  readonly #owner: IntakeOwner
  readonly staging: Staging
  readonly #heads = new KnownHeads()
  #passage: Passage | null = null
  /** Bytes of a large frame that nobody wants, and what to answer to it. */
  #skip = 0
  #skipAnswer: string | null = null

  constructor(owner: IntakeOwner) {
    this.#owner = owner
    this.staging = new Staging(owner.words)
  }

  get filling(): number {
    const passage = this.#passage
    return passage ? Math.max(0, passage.head.length - passage.filled) : 0
  }

  get plain(): boolean {
    return !this.blocked && this.#passage === null && this.#skip === 0
  }

  get partial(): boolean {
    return !this.blocked && (this.staging.available > 0 || this.#passage !== null || this.#skip > 0)
  }

  /** The rest of a large message has its place already. */
  next(): { address: number; room: number } {
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) {
      const { output, chunk, filled, head } = passage
      return { address: output.writer.address(chunk) + filled, room: head.length - filled }
    }
    const { staging } = this
    const address = staging.compact()
    const { end } = staging
    const room = STAGING_BYTES - end
    const head = HEADER_BYTES + HEAD_BYTES - end
    // Of a large message the head alone: what follows has a place of its own.
    const isLarge = head > 0 && end >= HEADER_BYTES && staging.isTooSmall
    return { address, room: isLarge ? head : room }
  }

  arrived(bytes: number): void {
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) passage.filled += bytes
    else this.staging.end += bytes
    if (this.#skip > 0) this.#skipped()
    if (this.#passage) this.#passOn(this.#passage)
    this.serve()
  }

  serve(): void {
    while (!this.#passage && this.#skip === 0 && this.#owner.ready) {
      const { available } = this.staging
      if (available < HEADER_BYTES) return
      const length = this.staging.frameBytes
      if (length > MAX_FRAME_BYTES) {
        throw new WireError(`a frame of ${length} bytes is larger than ${MAX_FRAME_BYTES}`)
      }
      if (this.staging.isTooSmall) {
        if (available > HEADER_BYTES) this.#large(length)
        return
      }
      if (available < HEADER_BYTES + length) return
      this.#frame(this.staging.take(HEADER_BYTES + length))
    }
  }

  /** Goes on with a message that the lane has begun: its head is in the staging buffer. */
  adopt({ chunk, head: headBytes, missing, tail }: Begun, output: PassingOutput): void {
    const reader = new Reader(this.staging.take(headBytes).subarray(HEADER_BYTES))
    const head = ownHead(readSendHead(reader, this.#heads))
    this.#passage = { output, head, data: null, chunk, filled: head.length - missing, tail }
    this.#passOn(this.#passage)
    this.serve()
  }

  hasRoom(ask: boolean): boolean {
    return this.#passage?.output.writer.ready(ask) ?? false
  }

  unblock(): void {
    this.blocked = false
    if (this.#passage) this.#passOn(this.#passage)
    this.serve()
  }

  /** Bytes behind the frame that is being served; somebody else takes them from here. */
  rest(): Uint8Array {
    return this.staging.take(this.staging.available).slice()
  }

  release(): void {
    const passage = this.#passage
    this.#passage = null
    this.blocked = false
    if (!passage) return
    passage.output.writer.unwant()
    if (passage.chunk >= 0) passage.output.writer.giveBack(passage.chunk)
  }

  #frame(frame: Uint8Array): void {
    const { sender } = this.#owner
    if (sender && frame[HEADER_BYTES] === SEND_MESSAGE) {
      this.#message(sender, frame.subarray(HEADER_BYTES))
    } else this.#owner.request(frame)
  }

  #message(sender: RelayNode, body: Uint8Array): void {
    const reader = new Reader(body)
    const head = readSendHead(reader, this.#heads)
    const data = reader.raw(Math.max(head.length, 0))
    this.#owner.saw(readStamp(reader))
    reader.end()
    if (head.like.isNews) this.#owner.learn(head.like)
    const output = sender.hears(head)
    if (!output || output.publish(head, data)) return
    const filled = Number.POSITIVE_INFINITY
    this.#passage = { output, head, data, chunk: -1, filled, tail: 0 }
    this.blocked = true
  }

  /** A frame that is larger than the staging buffer, as far as it is there. */
  #large(length: number): void {
    const { sender } = this.#owner
    const { bytes, start, end } = this.staging
    const from = start + HEADER_BYTES
    if (!sender || bytes[from] !== SEND_MESSAGE) {
      return this.#unwanted(length, `a request of ${length} bytes is too large for this daemon`)
    }
    const full = end - start === STAGING_BYTES
    if (end - from < HEAD_BYTES) return
    const reader = new Reader(bytes.subarray(from, end))
    let head: SendHead
    try {
      head = readSendHead(reader, this.#heads)
    } catch (error) {
      // Perhaps it is cut off only.
      if (!full) return
      throw error
    }
    const tail = length - reader.position - Math.max(head.length, 0)
    if (tail < MIN_STAMP_BYTES || tail > MAX_STAMP_BYTES) {
      throw new WireError(`${head.length} bytes of data in a frame of ${length}`)
    }
    if (head.like.isNews) this.#owner.learn(head.like)
    const output = sender.hears(head)
    if (!output) return this.#unwanted(length, null)
    const count = Math.min(head.length, reader.remaining)
    const begin = from + reader.position
    const chunk = output.begin(head.length, bytes.subarray(begin, begin + count))
    this.#passage = { output, head: ownHead(head), data: null, chunk, filled: count, tail }
    if (chunk < 0) {
      // Nothing was taken from the staging buffer: the head is read again when there is room.
      this.#passage.filled = Number.POSITIVE_INFINITY
      this.blocked = true
      return
    }
    this.staging.start = begin + count
    this.#passOn(this.#passage)
  }

  #unwanted(length: number, answer: string | null): void {
    if (!this.#owner.sender) throw new WireError(`a frame of ${length} bytes before Register`)
    this.#skip = HEADER_BYTES + length
    this.#skipAnswer = answer
    this.#skipped()
  }

  #skipped(): void {
    const count = Math.min(this.#skip, this.staging.available)
    this.#skip -= count
    this.staging.start += count
    if (this.#skip > 0 || this.#skipAnswer === null) return
    this.#owner.answer(this.#skipAnswer)
    this.#skipAnswer = null
  }

  /** Publishes the message under way, if it is complete and there is room. */
  #passOn(passage: Passage): void {
    const { output, head, data, chunk, filled, tail } = passage
    if (data !== null) {
      if (output.publish(head, data)) this.#passed(output)
      else this.blocked = true
      return
    }
    if (chunk < 0) {
      this.#passed(output)
      return
    }
    if (filled < head.length || this.staging.available < tail) return
    if (!output.writer.ready(false)) {
      this.blocked = true
      return
    }
    const reader = new Reader(this.staging.take(tail))
    this.#owner.saw(readStamp(reader))
    reader.end()
    output.publishChunk(head, chunk, head.length)
    this.#passed(output)
  }

  #passed(output: PassingOutput): void {
    output.writer.unwant()
    this.#passage = null
  }
}

/** The staging buffer is used again while a large message arrives. */
function ownHead(head: SendHead): SendHead {
  const { stamp, parameters } = head
  return {
    ...head,
    stamp: { ...stamp, id: stamp.id.slice() },
    parameters: parameters?.slice() ?? null,
  }
}
