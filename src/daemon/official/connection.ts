// One connection of a node at the relay. Messages and long polls are served here, without copies in between; everything
// else goes to a session like that of any node.
import { ptr } from "bun:ffi"
import type { HybridClock, Stamp } from "../../core/clock.ts"
import { FRAME_TIMEOUT_MS, MAX_FRAME_BYTES } from "../../core/limits.ts"
import { closeFd } from "../../shm/libc.ts"
import { frame, HEADER_BYTES } from "../../wire/frame.ts"
import { decodeRequest, encodeReply } from "../../wire/messages.ts"
import { readStamp } from "../../wire/metadata.ts"
import { Reader, WireError } from "../../wire/postcard.ts"
import { NEXT_EVENT, readSendHead, SEND_MESSAGE, type SendHead } from "../../wire/relay.ts"
import { Session, type SessionHost } from "../session.ts"
import type { RelayNode } from "./node.ts"
import { Outgoing } from "./outgoing.ts"
import type { RelayOutput } from "./output.ts"
import { BROKEN, endWriting, READABLE, receive, send, WRITABLE } from "./sockets.ts"

/** Frames up to this size are collected here; of larger ones only messages are taken, straight into shared memory. */
const STAGING_BYTES = 64 * 1024
/** The head of a large message is looked for once this much is there. */
const HEAD_BYTES = 4096
/** Read from one connection before others have their turn. */
const TURN_BYTES = 8 * 1024 * 1024
/** Stamp at the end of a request: a varint of 64 bits, and the 16 bytes of the clock. */
const MAX_STAMP_BYTES = 26
const MIN_STAMP_BYTES = 17
/** After the last word to a peer that broke the rules: how long until the connection is closed whatever it does. */
const LINGER_NS = 1e9

/** A message on its way into memory. */
type Passage = {
  output: RelayOutput
  head: SendHead
  /** Whole, in the staging buffer; null when it arrives in a chunk. */
  data: Uint8Array | null
  chunk: number
  /** Bytes of the data that have arrived in the chunk, and of the stamp that follows. */
  filled: number
  tail: number
}

/** A socket, what has arrived on it, and what is to be written. */
export class Connection {
  readonly fd: number
  readonly out = new Outgoing()
  /** Closed: nothing may touch the descriptor any more. */
  gone = false
  /** A frame that has begun must be complete by then, in monotonic nanoseconds. */
  deadlineNs = Number.POSITIVE_INFINITY
  readonly #session: Session
  readonly #clock: HybridClock
  readonly #nowNs: () => number
  readonly #staging = new Uint8Array(new ArrayBuffer(STAGING_BYTES))
  readonly #address = ptr(this.#staging.buffer) as number
  #start = 0
  #end = 0
  #passage: Passage | null = null
  /** The passage waits for room. */
  #blocked = false
  /** Bytes of a large frame that nobody wants. */
  #skip = 0
  #skipAnswer: string | null = null
  /** The session has a reply that the socket did not take. */
  #paused = false
  #lingering = false

  constructor(
    fd: number,
    around: { host: SessionHost; clock: HybridClock; nowNs: () => number },
  ) {
    this.fd = fd
    this.#clock = around.clock
    this.#nowNs = around.nowNs
    this.#session = new Session(around.host, {
      write: (bytes) => (this.out.pending ? 0 : this.#write(bytes)),
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
      },
      end: () => this.#linger(),
    })
  }

  /** Who speaks here. */
  get node(): RelayNode | null {
    return this.#session.node as RelayNode | null
  }

  /** A message waits for room in a queue. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** What to wait for; 0: nothing, not even the end of the connection. */
  get interest(): number {
    if (this.out.pending || this.#paused) return WRITABLE
    return this.#blocked ? 0 : READABLE
  }

  /** The socket has something to read, room to write, or is broken. */
  serve(happened: number): void {
    if (happened & WRITABLE) this.#writable()
    if (happened & (READABLE | BROKEN)) {
      if (this.out.pending || this.#paused) {
        if (happened & BROKEN) this.close()
      } else this.#readable()
    }
  }

  /** Is there room now for the message that waits? With `ask`, for who is about to sleep, its consumers are told. */
  hasRoom(ask: boolean): boolean {
    return this.#passage?.output.writer.ready(ask) ?? false
  }

  /** Tries again what found no room. */
  unblock(): void {
    if (!this.#blocked) return
    this.#guarded(() => {
      this.#blocked = false
      this.#passOn()
      if (!this.#blocked) this.#frames()
    })
  }

  /** Writes the reply in `out`. */
  flush(): void {
    if (this.out.flush(this.fd)) this.#guarded(() => this.#frames())
  }

  /** A frame has not been completed in time. */
  expire(): void {
    if (this.#lingering) this.close()
    else this.#session.refuse("a frame was not completed in time")
  }

  /** Closes the connection, whatever is under way. */
  close(): void {
    if (this.gone) return
    this.gone = true
    closeFd(this.fd)
    const passage = this.#passage
    if (passage && passage.chunk >= 0) passage.output.writer.giveBack(passage.chunk)
    this.#passage = null
    this.#blocked = false
    this.out.drop()
    this.node?.leave(this)
    this.#session.closed()
  }

  #write(bytes: Uint8Array): number {
    return send(this.fd, ptr(bytes) as number, bytes.byteLength)
  }

  #writable(): void {
    if (this.out.pending) this.flush()
    else if (this.#paused) {
      this.#session.drain()
      if (!this.#paused) this.#guarded(() => this.#frames())
    }
  }

  /** The peer may read what was said last; what it still sends is not looked at. */
  #linger(): void {
    if (this.gone || this.#lingering) return
    this.#lingering = true
    endWriting(this.fd)
    this.deadlineNs = this.#nowNs() + LINGER_NS
  }

  #readable(): void {
    let budget = TURN_BYTES
    while (budget > 0 && !this.gone && !this.#blocked && !this.out.pending && !this.#paused) {
      const asked = this.#room()
      const got = receive(this.fd, this.#target(), asked)
      if (got === 0) return this.close()
      if (got < 0) return
      budget -= got
      this.#guarded(() => this.#arrived(got))
      if (got < asked) return
    }
  }

  /** Where the next bytes go: the rest of a large message has its place already. */
  #target(): number {
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) {
      return passage.output.writer.address(passage.chunk) + passage.filled
    }
    return this.#address + this.#end
  }

  #room(): number {
    if (this.#lingering) this.#start = this.#end = 0
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) return passage.head.length - passage.filled
    if (this.#start > 0) {
      this.#staging.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    return STAGING_BYTES - this.#end
  }

  #arrived(bytes: number): void {
    if (this.#lingering) return
    const passage = this.#passage
    if (passage && passage.filled < passage.head.length) passage.filled += bytes
    else this.#end += bytes
    if (this.#skip > 0) this.#skipped()
    if (this.#passage) this.#passOn()
    if (!this.#passage) this.#frames()
  }

  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (error instanceof WireError) this.#session.refuse(error.message)
      else this.#session.refuse(`${(error as Error).message}`)
    }
    const partial = !this.gone && !this.#blocked && (this.#end > this.#start || this.#passage !== null || this.#skip > 0)
    if (this.#lingering || this.out.pending || this.#paused) return
    if (!partial) this.deadlineNs = Number.POSITIVE_INFINITY
    else if (this.deadlineNs === Number.POSITIVE_INFINITY) {
      this.deadlineNs = this.#nowNs() + FRAME_TIMEOUT_MS * 1e6
    }
  }

  /** Serves what lies complete in the staging buffer. */
  #frames(): void {
    while (!this.gone && !this.#lingering && !this.#passage && this.#skip === 0) {
      if (this.out.pending || this.#paused || this.node?.waiter === this) return this.#watchPipelining()
      const available = this.#end - this.#start
      if (available < HEADER_BYTES) return
      const view = new DataView(this.#staging.buffer, this.#start, HEADER_BYTES)
      const length = view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000
      if (length > MAX_FRAME_BYTES) {
        throw new WireError(`a frame of ${length} bytes is larger than ${MAX_FRAME_BYTES}`)
      }
      if (HEADER_BYTES + length > STAGING_BYTES) return this.#large(length, available - HEADER_BYTES)
      if (available < HEADER_BYTES + length) return
      const from = this.#start
      this.#start += HEADER_BYTES + length
      this.deadlineNs = Number.POSITIVE_INFINITY
      this.#frame(this.#staging.subarray(from, this.#start))
    }
  }

  /** While a long poll waits for its answer the peer has nothing to say. */
  #watchPipelining(): void {
    if (this.#end > this.#start && this.node?.waiter === this) {
      throw new WireError("a request while another one is pending")
    }
  }

  #frame(bytes: Uint8Array): void {
    const session = this.#session
    const node = this.node
    const kind = bytes[HEADER_BYTES]
    if (node?.relayed && !session.busy) {
      if (kind === SEND_MESSAGE) return this.#message(node, bytes.subarray(HEADER_BYTES))
      if (kind === NEXT_EVENT && session.streaming) return this.#nextEvent(node, bytes.subarray(HEADER_BYTES))
    }
    session.receive(bytes)
  }

  #nextEvent(node: RelayNode, body: Uint8Array): void {
    this.#merge(decodeRequest(body).stamp)
    if (node.wait(this)) return
    const error = "another connection is waiting for events"
    this.#answer(error)
  }

  #answer(error: string): void {
    // Replies are small: a socket that does not take one has a peer that reads nothing.
    this.#write(frame(encodeReply({ type: "Result", error })))
  }

  #message(node: RelayNode, body: Uint8Array): void {
    const reader = new Reader(body)
    const head = readSendHead(reader)
    const data = reader.raw(Math.max(head.length, 0))
    this.#merge(readStamp(reader))
    reader.end()
    const output = node.hears(head)
    if (!output || output.publish(head, data)) return
    this.#passage = { output, head, data, chunk: -1, filled: 0, tail: 0 }
    this.#passage.filled = Number.POSITIVE_INFINITY
    this.#blocked = true
  }

  /** A frame that is larger than the staging buffer: messages go to memory, everything else is not wanted. */
  #large(length: number, available: number): void {
    const node = this.node
    if (!node) throw new WireError(`a frame of ${length} bytes before Register`)
    const from = this.#start + HEADER_BYTES
    if (available === 0) return
    if (!node.relayed || this.#session.busy || this.#staging[from] !== SEND_MESSAGE) {
      return this.#unwanted(length, "the request is too large for this daemon")
    }
    if (available < HEAD_BYTES) return
    const reader = new Reader(this.#staging.subarray(from, this.#end))
    let head: SendHead
    try {
      head = readSendHead(reader)
    } catch (error) {
      if (this.#end - this.#start < STAGING_BYTES) return
      throw error
    }
    const tail = length - reader.position - Math.max(head.length, 0)
    if (tail < MIN_STAMP_BYTES || tail > MAX_STAMP_BYTES) {
      throw new WireError(`${head.length} bytes of data in a frame of ${length}`)
    }
    const output = node.hears(head)
    if (!output) return this.#unwanted(length, null)
    const data = Math.min(head.length, reader.remaining)
    const passage = { output, head, data: null, chunk: -1, filled: 0, tail }
    this.#passage = passage
    if (!this.#begin(passage, from + reader.position, data)) {
      // Nothing was taken from the staging buffer: the head is read again when there is room.
      this.#blocked = true
    } else this.#passOn()
  }

  /** Gets memory for a large message and moves there what has arrived. */
  #begin(passage: Passage, from: number, count: number): boolean {
    const first = this.#staging.subarray(from, from + count)
    passage.chunk = passage.output.begin(passage.head.length, first)
    if (passage.chunk < 0) return false
    passage.filled = count
    // The stamp of a message that has arrived almost whole lies behind it.
    this.#start = from + count
    return true
  }

  #unwanted(length: number, answer: string | null): void {
    this.#skip = HEADER_BYTES + length
    this.#skipAnswer = answer
    this.#skipped()
  }

  #skipped(): void {
    const count = Math.min(this.#skip, this.#end - this.#start)
    this.#skip -= count
    this.#start += count
    if (this.#skip > 0) return
    if (this.#skipAnswer !== null) this.#answer(this.#skipAnswer)
    this.#skipAnswer = null
    this.#frames()
  }

  /** Publishes the message under way, if it is complete and there is room. */
  #passOn(): void {
    const passage = this.#passage
    if (!passage) return
    const { output, head } = passage
    if (passage.data !== null) {
      if (!output.publish(head, passage.data)) this.#blocked = true
      else this.#passed()
      return
    }
    if (passage.chunk < 0) {
      // It found no memory: read the head again, the staging buffer still has it.
      this.#passage = null
      this.#frames()
      return
    }
    if (passage.filled < head.length || this.#end - this.#start < passage.tail) return
    const stamp = this.#staging.subarray(this.#start, this.#start + passage.tail)
    const reader = new Reader(stamp)
    const sent = readStamp(reader)
    reader.end()
    if (!output.writer.ready(false)) {
      this.#blocked = true
      return
    }
    this.#merge(sent)
    this.#start += passage.tail
    output.publishChunk(head, passage.chunk, head.length)
    this.#passed()
  }

  #passed(): void {
    this.#passage!.output.writer.unwant()
    this.#passage = null
    this.deadlineNs = Number.POSITIVE_INFINITY
  }

  #merge(stamp: Stamp): void {
    this.#clock.merge(stamp)
  }
}
