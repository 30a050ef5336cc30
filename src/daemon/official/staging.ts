// Where the frames of a connection are collected. The lane reads into it as well, so where its bytes begin and end lies in words that
// both know.
import { bodyLength, HEADER_BYTES } from "../../wire/frame.ts"
import { addressOf } from "../../shm/shared.ts"
import { PLACE } from "./lane.ts"

/** Frames up to this size are collected: a message of 64 KiB with its Arrow framing is one. Of larger ones only messages are taken. */
export const STAGING_BYTES = 128 * 1024

/** The bytes of one connection that are not served yet. */
export class Staging {
  readonly bytes = new Uint8Array(new ArrayBuffer(STAGING_BYTES))
  readonly #view = new DataView(this.bytes.buffer)
  readonly #address = addressOf(this.bytes)
  readonly #words: Int32Array

  /** @param words  those of a {@link PLACE} */
  constructor(words: Int32Array) {
    this.#words = words
  }

  get start(): number {
    return this.#words[PLACE.START]!
  }

  set start(value: number) {
    this.#words[PLACE.START] = value
  }

  get end(): number {
    return this.#words[PLACE.END]!
  }

  set end(value: number) {
    this.#words[PLACE.END] = value
  }

  /** Bytes that are there. */
  get available(): number {
    return this.end - this.start
  }

  /** Bytes of the frame that comes next, whose header is there. */
  get frameBytes(): number {
    return bodyLength(this.#view, this.start)
  }

  /** Moves what is there to the front. @returns where the next bytes go */
  compact(): number {
    const { start, available } = this
    if (start > 0) {
      if (available > 0) this.bytes.copyWithin(0, start, start + available)
      this.end = available
      this.start = 0
    }
    return this.#address + available
  }

  /** Takes bytes from the front, as a view: valid until more are read. */
  take(bytes: number): Uint8Array {
    this.start += bytes
    return this.bytes.subarray(this.start - bytes, this.start)
  }

  /** Is the frame that comes next too large to be collected? Its header is there. */
  get isTooSmall(): boolean {
    return HEADER_BYTES + this.frameBytes > STAGING_BYTES
  }
}
