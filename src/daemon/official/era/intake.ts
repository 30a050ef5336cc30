// What arrives from a node of dora 0.4 or 0.5. Frames are collected whole, since only small messages come in them; the data of others
// lies in shared memory, from where it is copied into ours.
import { ptr } from "bun:ffi"
import { DoraError } from "../../../core/errors.ts"
import { MAX_FRAME_BYTES } from "../../../core/limits.ts"
import type { PassingHead, PassingOutput } from "../../../shm/passing.ts"
import { BincodeReader } from "../../../wire/bincode/codec.ts"
import { OldRequest } from "../../../wire/bincode/messages.ts"
import { readOldParameters, readStamp } from "../../../wire/bincode/metadata.ts"
import { bodyLength, HEADER_BYTES } from "../../../wire/frame.ts"
import { readDataId } from "../../../wire/identifiers.ts"
import { WireError } from "../../../wire/postcard.ts"
import type { FrameIntake, IntakeOwner } from "../intake.ts"
import type { RelayNode } from "../node.ts"
import { STAGING_BYTES } from "../staging.ts"
import { requestOf } from "./form.ts"
import { FrameSample, type Sample, SharedSample } from "./sample.ts"
import { StreamPayload } from "./to-stream.ts"
import { type ArrayInfo, type KnownType, TypeInfoReader } from "./type-info.ts"

const FIRST_BYTES = 64 * 1024
/** A buffer that one frame made larger than this is not kept for the next. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024
const IN_FRAME = 0
const SHARED = 1
const TOKEN_BYTES = 16

/** A message as it was read. */
type OldMessage = PassingHead & {
  output: string
  type: KnownType
  info: ArrayInfo
  /** In the frame; null when it lies elsewhere, or there is none. */
  data: Uint8Array | null
  shared: { id: string; length: number; token: Uint8Array } | null
}

/** A message for which there is no room yet. */
type Waiting = {
  sender: RelayNode
  output: PassingOutput
  head: PassingHead
  payload: StreamPayload | null
  sample: Sample | null
  token: Uint8Array | null
}

/** Takes the bytes of one connection. Every method throws {@link WireError} on what is no frame. */
export class OldIntake implements FrameIntake {
  blocked = false
  readonly plain = false
  readonly filling = 0
  readonly #owner: IntakeOwner
  readonly #types = new TypeInfoReader()
  /** Has room for all that may have arrived behind the first frame. */
  #buffer = new Uint8Array(new ArrayBuffer(STAGING_BYTES))
  #start = 0
  #end = 0
  /** Bytes of the frame that has begun. */
  #wanted = 0
  #waiting: Waiting | null = null

  /** @param rest  what has arrived behind the frame that told the era */
  constructor(owner: IntakeOwner, rest: Uint8Array) {
    this.#owner = owner
    this.#buffer.set(rest)
    this.#end = rest.byteLength
  }

  get partial(): boolean {
    return !this.blocked && this.#end > this.#start
  }

  /** Memory for a frame grows as it arrives, so that a length alone costs nothing. */
  next(): { address: number; room: number } {
    const rest = this.#buffer.subarray(this.#start, this.#end)
    const filled = rest.byteLength
    const kept = filled === 0 && this.#buffer.byteLength > MOST_KEPT_BYTES ? FIRST_BYTES : 0
    const grown = Math.min(2 * filled, this.#wanted)
    const bytes = kept || (filled < this.#buffer.byteLength ? this.#buffer.byteLength : grown)
    if (bytes !== this.#buffer.byteLength) this.#buffer = new Uint8Array(new ArrayBuffer(bytes))
    if (rest.byteOffset > 0 || rest.buffer !== this.#buffer.buffer) this.#buffer.set(rest)
    this.#start = 0
    this.#end = filled
    return { address: (ptr(this.#buffer.buffer) as number) + filled, room: bytes - filled }
  }

  arrived(bytes: number): void {
    this.#end += bytes
    this.serve()
  }

  serve(): void {
    while (!this.#waiting && this.#owner.ready) {
      const available = this.#end - this.#start
      if (available < HEADER_BYTES) return
      const length = bodyLength(new DataView(this.#buffer.buffer), this.#start)
      if (length > MAX_FRAME_BYTES) {
        throw new WireError(`a frame of ${length} bytes is larger than ${MAX_FRAME_BYTES}`)
      }
      if (length > FIRST_BYTES && !this.#owner.sender) {
        throw new WireError(`a frame of ${length} bytes before Subscribe`)
      }
      this.#wanted = HEADER_BYTES + length
      if (available < this.#wanted) return
      const frame = this.#buffer.subarray(this.#start, this.#start + HEADER_BYTES + length)
      this.#start += frame.byteLength
      this.#frame(frame)
    }
  }

  hasRoom(ask: boolean): boolean {
    return this.#waiting?.output.writer.ready(ask) ?? false
  }

  unblock(): void {
    this.blocked = false
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) this.#guarded(waiting, () => this.#publish(waiting))
    this.serve()
  }

  release(): void {
    const waiting = this.#waiting
    this.#waiting = null
    this.blocked = false
    waiting?.output.writer.unwant()
    waiting?.sample?.close()
  }

  #frame(frame: Uint8Array): void {
    const body = frame.subarray(HEADER_BYTES)
    const { sender } = this.#owner
    if (sender && requestOf(body) === OldRequest.SendMessage) this.#message(sender, body)
    else this.#owner.request(frame)
  }

  #message(sender: RelayNode, body: Uint8Array): void {
    const reader = new BincodeReader(body)
    const message = readMessage(reader, this.#types)
    this.#owner.saw(readStamp(reader))
    reader.end()
    const { shared } = message
    const token = shared?.token ?? null
    const length = message.data?.byteLength ?? shared?.length ?? -1
    const output = sender.hears({ ...message, length })
    if (!output) {
      if (token) sender.drops.finish(token)
      return
    }
    const waiting: Waiting = { sender, output, head: message, payload: null, sample: null, token }
    this.#guarded(waiting, () => {
      if (shared) waiting.sample = new SharedSample(shared.id, shared.length)
      else if (message.data) waiting.sample = new FrameSample(message.data)
      const { sample } = waiting
      waiting.payload = sample && new StreamPayload(message.type, message.info, sample)
      this.#publish(waiting)
    })
  }

  #publish(waiting: Waiting): void {
    const { output, head, payload } = waiting
    const published = payload ? output.publishPayload(head, payload) : output.publish(head, NOTHING)
    if (published) this.#done(waiting)
    else {
      this.#waiting = waiting
      this.blocked = true
    }
  }

  /** What is wrong with one message costs no more than that. */
  #guarded(waiting: Waiting, work: () => void): void {
    try {
      work()
    } catch (error) {
      if (error instanceof WireError || !(error instanceof DoraError)) throw error
      waiting.sender.complaints.leftOut("output", waiting.output.writer.id, error)
      this.#done(waiting)
    }
  }

  /** The message is in memory, or nowhere: its sender may use its own memory again. */
  #done({ sender, output, sample, token }: Waiting): void {
    output.writer.unwant()
    sample?.close()
    if (token) sender.drops.finish(token)
  }
}

const NOTHING = new Uint8Array(0)

function readMessage(reader: BincodeReader, types: TypeInfoReader): OldMessage {
  reader.variant()
  const output = readDataId(reader)
  // Of the metadata; it was never anything but 0, and nobody has looked.
  reader.u16()
  const stamp = readStamp(reader)
  const { type, info } = types.read(reader)
  const parameters = readOldParameters(reader)
  const message = { output, stamp, type, info, parameters, data: null, shared: null }
  if (!reader.bool()) return message
  const place = reader.variant()
  if (place === IN_FRAME) return { ...message, data: reader.blob() }
  if (place !== SHARED) throw new WireError("unknown kind of data")
  const shared = { id: reader.text(), length: reader.varint(), token: reader.blob() }
  if (shared.token.byteLength !== TOKEN_BYTES) throw new WireError("a drop token that is no UUID")
  return { ...message, shared }
}
