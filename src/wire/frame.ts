// Frames: body length as u64 little endian, then the body. Section 2.1 of the protocol reference.
import { MAX_FRAME_BYTES } from "../core/limits.ts"
import { WireError } from "./postcard.ts"

/** The length before each body. */
export const HEADER_BYTES = 8
/** A body is allocated as it arrives, so that a length alone costs nothing. */
const FIRST_BODY_BYTES = 64 * 1024

/**
 * A frame ready to be written in one go.
 *
 * @throws WireError  the body is larger than MAX_FRAME_BYTES
 * @example socket.write(frame(encodeReply({ type: "Result", error: null })))
 */
export function frame(body: Uint8Array): Uint8Array<ArrayBuffer> {
  if (body.byteLength > MAX_FRAME_BYTES) throw tooLarge(body.byteLength, MAX_FRAME_BYTES)
  const framed = new Uint8Array(new ArrayBuffer(HEADER_BYTES + body.byteLength))
  new DataView(framed.buffer).setUint32(0, body.byteLength, true)
  framed.set(body, HEADER_BYTES)
  return framed
}

/** Bytes of the body that follows the header at `at`. */
export function bodyLength(view: DataView, at = 0): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
}

/**
 * Cuts a byte stream into frame bodies: each byte is copied at most once (amortised), none when a frame lies
 * complete in one chunk.
 *
 * @example const deframer = new Deframer(handle); socket.on("data", (chunk) => deframer.push(chunk))
 */
export class Deframer {
  readonly #onBody: (body: Uint8Array) => void
  readonly #limit: number
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerLength = 0
  #body: Uint8Array | null = null
  #bodyLength = 0
  #filled = 0
  #failure: WireError | null = null

  /**
   * @param onBody  gets each body; the bytes may be a view of the pushed chunk, copy what is kept
   * @param limit   largest body in bytes
   */
  constructor(onBody: (body: Uint8Array) => void, limit = MAX_FRAME_BYTES) {
    this.#onBody = onBody
    this.#limit = limit
  }

  /** A frame has begun and is not complete. */
  get pending(): boolean {
    return this.#headerLength > 0
  }

  /**
   * Takes the next bytes of the stream and calls back for each body they complete.
   *
   * @throws WireError  a frame is larger than the limit; every later push throws it again
   */
  push(chunk: Uint8Array): void {
    if (this.#failure) throw this.#failure
    let offset = 0
    while (offset < chunk.byteLength || this.#complete()) {
      if (this.#headerLength < HEADER_BYTES) {
        offset += this.#fillHeader(chunk, offset)
        continue
      }
      offset += this.#fillBody(chunk, offset)
    }
  }

  /** An empty body is complete without another byte. */
  #complete(): boolean {
    return this.#headerLength === HEADER_BYTES && this.#filled === this.#bodyLength
  }

  #fillHeader(chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + HEADER_BYTES - this.#headerLength)
    this.#header.set(part, this.#headerLength)
    this.#headerLength += part.byteLength
    if (this.#headerLength === HEADER_BYTES) {
      this.#bodyLength = bodyLength(new DataView(this.#header.buffer))
      if (this.#bodyLength > this.#limit) {
        this.#failure = tooLarge(this.#bodyLength, this.#limit)
        throw this.#failure
      }
    }
    return part.byteLength
  }

  #fillBody(chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + this.#bodyLength - this.#filled)
    if (this.#filled === 0 && part.byteLength === this.#bodyLength) {
      this.#emit(part)
      return part.byteLength
    }
    this.#room(this.#filled + part.byteLength).set(part, this.#filled)
    this.#filled += part.byteLength
    if (this.#filled === this.#bodyLength) this.#emit(this.#body!.subarray(0, this.#bodyLength))
    return part.byteLength
  }

  #room(needed: number): Uint8Array {
    const body = this.#body
    if (body && body.byteLength >= needed) return body
    const doubled = Math.max(needed, FIRST_BODY_BYTES, (body?.byteLength ?? 0) * 2)
    const grown = new Uint8Array(Math.min(doubled, this.#bodyLength))
    if (body) grown.set(body.subarray(0, this.#filled))
    this.#body = grown
    return grown
  }

  /** The state is that of a new frame before the callback runs: it may throw. */
  #emit(body: Uint8Array): void {
    this.#headerLength = 0
    this.#body = null
    this.#filled = 0
    this.#onBody(body)
  }
}

/** What to say of a frame beyond the limit. */
export function tooLarge(bytes: number, limit: number): WireError {
  return new WireError(`a frame of ${bytes} bytes is larger than ${limit}`)
}
