// What arrives on a connection: frames are collected in a staging buffer, and a message that is larger goes from the
// socket straight into shared memory.
import { ptr } from "bun:ffi"
import type { Stamp } from "../../core/clock.ts"
import { MAX_FRAME_BYTES } from "../../core/limits.ts"
import { HEADER_BYTES } from "../../wire/frame.ts"
import { readStamp } from "../../wire/metadata.ts"
import { Reader, WireError } from "../../wire/postcard.ts"
import { LastHead, readSendHead, SEND_MESSAGE, type SendHead } from "../../wire/relay.ts"
import type { RelayNode } from "./node.ts"
import type { PassingOutput } from "../../shm/passing.ts"

/** Frames up to this size are collected; of larger ones only messages are taken. */
const STAGING_BYTES = 64 * 1024
/** The head of a large message is looked for once this much is there. */
const HEAD_BYTES = 4096
/** Stamp at the end of a request: a varint of 64 bits, and the 16 bytes of the clock. */
const MAX_STAMP_BYTES = 26
const MIN_STAMP_BYTES = 17

/** Whose bytes these are. */
export interface IntakeOwner {
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
}

/** What takes the bytes of a connection. */
export interface FrameIntake {
  /** A message waits for room: nothing more may be read. */
  readonly blocked: boolean
  /** A frame has begun and is not complete. */
  readonly partial: boolean
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
  readonly #staging = new Uint8Array(new ArrayBuffer(STAGING_BYTES))
  readonly #view = new DataView(this.#staging.buffer)
  readonly #address = ptr(this.#staging.buffer) as number
  readonly #last = new LastHead()
  #start = 0
  #end = 0
  #passage: Passage | null = null
  /** Bytes of a large frame that nobody wants, and what to answer to it. */
  #skip = 0
  #skipAnswer: string | null = null

  constructor(owner: IntakeOwner) {
    this.#owner = owner
  }

  get partial(): boolean {
    return !this.blocked && (this.#end > this.#start || this.#passage !== null || this.#skip > 0)
  }

  /** The rest of a large message has its place already. */
  next(): { address: number; room: number } {
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) {
      const { output, chunk, filled, head } = passage
      return { address: output.writer.address(chunk) + filled, room: head.length - filled }
    }
    if (this.#start > 0) {
      if (this.#start < this.#end) this.#staging.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    const room = STAGING_BYTES - this.#end
    const head = HEADER_BYTES + HEAD_BYTES - this.#end
    // Of a large message the head alone: what follows has a place of its own.
    const isLarge =
      head > 0 && this.#end >= HEADER_BYTES && HEADER_BYTES + this.#length() > STAGING_BYTES
    return { address: this.#address + this.#end, room: isLarge ? head : room }
  }

  arrived(bytes: number): void {
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) passage.filled += bytes
    else this.#end += bytes
    if (this.#skip > 0) this.#skipped()
    if (this.#passage) this.#passOn(this.#passage)
    this.serve()
  }

  serve(): void {
    while (!this.#passage && this.#skip === 0 && this.#owner.ready) {
      const available = this.#end - this.#start
      if (available < HEADER_BYTES) return
      const length = this.#length()
      if (length > MAX_FRAME_BYTES) {
        throw new WireError(`a frame of ${length} bytes is larger than ${MAX_FRAME_BYTES}`)
      }
      if (HEADER_BYTES + length > STAGING_BYTES) {
        if (available > HEADER_BYTES) this.#large(length)
        return
      }
      if (available < HEADER_BYTES + length) return
      this.#start += HEADER_BYTES + length
      this.#frame(this.#staging.subarray(this.#start - HEADER_BYTES - length, this.#start))
    }
  }

  /** Bytes of the frame that comes next, whose header is there. */
  #length(): number {
    const low = this.#view.getUint32(this.#start, true)
    return low + this.#view.getUint32(this.#start + 4, true) * 0x1_0000_0000
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
    const rest = this.#staging.slice(this.#start, this.#end)
    this.#start = this.#end
    return rest
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
    const head = readSendHead(reader, this.#last)
    const data = reader.raw(Math.max(head.length, 0))
    this.#owner.saw(readStamp(reader))
    reader.end()
    const output = sender.hears(head)
    if (!output || output.publish(head, data)) return
    const filled = Number.POSITIVE_INFINITY
    this.#passage = { output, head, data, chunk: -1, filled, tail: 0 }
    this.blocked = true
  }

  /** A frame that is larger than the staging buffer, as far as it is there. */
  #large(length: number): void {
    const { sender } = this.#owner
    const from = this.#start + HEADER_BYTES
    if (!sender || this.#staging[from] !== SEND_MESSAGE) {
      return this.#unwanted(length, `a request of ${length} bytes is too large for this daemon`)
    }
    const full = this.#end - this.#start === STAGING_BYTES
    if (this.#end - from < HEAD_BYTES) return
    const reader = new Reader(this.#staging.subarray(from, this.#end))
    let head: SendHead
    try {
      head = readSendHead(reader, this.#last)
    } catch (error) {
      // Perhaps it is cut off only.
      if (!full) return
      throw error
    }
    const tail = length - reader.position - Math.max(head.length, 0)
    if (tail < MIN_STAMP_BYTES || tail > MAX_STAMP_BYTES) {
      throw new WireError(`${head.length} bytes of data in a frame of ${length}`)
    }
    const output = sender.hears(head)
    if (!output) return this.#unwanted(length, null)
    const count = Math.min(head.length, reader.remaining)
    const begin = from + reader.position
    const chunk = output.begin(head.length, this.#staging.subarray(begin, begin + count))
    this.#passage = { output, head: ownHead(head), data: null, chunk, filled: count, tail }
    if (chunk < 0) {
      // Nothing was taken from the staging buffer: the head is read again when there is room.
      this.#passage.filled = Number.POSITIVE_INFINITY
      this.blocked = true
      return
    }
    this.#start = begin + count
    this.#passOn(this.#passage)
  }

  #unwanted(length: number, answer: string | null): void {
    if (!this.#owner.sender) throw new WireError(`a frame of ${length} bytes before Register`)
    this.#skip = HEADER_BYTES + length
    this.#skipAnswer = answer
    this.#skipped()
  }

  #skipped(): void {
    const count = Math.min(this.#skip, this.#end - this.#start)
    this.#skip -= count
    this.#start += count
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
    if (filled < head.length || this.#end - this.#start < tail) return
    if (!output.writer.ready(false)) {
      this.blocked = true
      return
    }
    const reader = new Reader(this.#staging.subarray(this.#start, this.#start + tail))
    this.#owner.saw(readStamp(reader))
    reader.end()
    this.#start += tail
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
