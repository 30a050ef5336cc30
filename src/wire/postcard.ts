// postcard 1.x: positional, little-endian, LEB128 varints. Section 3.1 of the protocol reference.
import { DoraError } from "../core/errors.ts"

/** Bytes of a peer that are no message of the node protocol; the connection can't be trusted any more. */
export class WireError extends DoraError {
  constructor(what: string, cause?: unknown) {
    super("WIRE", {
      what: `undecodable bytes of the dora node protocol: ${what}`,
      fix: "both ends must speak the node protocol of dora 1.x (metadata version 2), 0.5 or 0.4",
      cause,
    })
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const LOW_32 = 0x1_0000_0000

/**
 * Builds postcard bytes in a buffer that grows as needed; `bytes` is a view of it.
 *
 * @example new Writer().varint(3).text("image").bytes // 03 05 69 6d 61 67 65
 */
export class Writer {
  #buffer: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  /** @param capacity  bytes to begin with */
  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(new ArrayBuffer(capacity))
    this.#view = new DataView(this.#buffer.buffer)
  }

  /** What has been written, without a copy: valid until the next write or `reset`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length)
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length
  }

  /** Starts again in the same buffer. */
  reset(): this {
    this.#length = 0
    return this
  }

  /** Takes back what was written after `length` bytes. */
  truncate(length: number): this {
    this.#length = Math.min(this.#length, length)
    return this
  }

  /** One byte. */
  byte(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
    return this
  }

  /** `bool`. */
  bool(value: boolean): this {
    return this.byte(value ? 1 : 0)
  }

  /** Number of an enum's variant; dora's enums have fewer than 128. */
  variant(value: number): this {
    return this.byte(value)
  }

  /** Unsigned integer up to 2^53 - 1. */
  varint(value: number): this {
    this.#reserve(10)
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.#length++] = rest
    return this
  }

  /** Unsigned 64-bit integer given as its upper and lower 32 bits. */
  varint64(high: number, low: number): this {
    this.#reserve(10)
    let upper = high >>> 0
    let lower = low >>> 0
    while (upper !== 0 || lower >= 0x80) {
      this.#buffer[this.#length++] = (lower & 0x7f) | 0x80
      lower = ((lower >>> 7) | (upper << 25)) >>> 0
      upper >>>= 7
    }
    this.#buffer[this.#length++] = lower
    return this
  }

  /** `i64` in zigzag form; a number must be a safe integer. */
  signed(value: number | bigint): this {
    if (typeof value === "number" && Math.abs(value) <= 0x3fff_ffff) {
      return this.varint(value < 0 ? -2 * value - 1 : 2 * value)
    }
    const wide = BigInt(value)
    const zigzag = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
    return this.varint64(Number(zigzag >> 32n), Number(zigzag & 0xffff_ffffn))
  }

  /** `f64`. */
  double(value: number): this {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** Bytes without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.byteLength)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.byteLength
    return this
  }

  /** Length and bytes. */
  blob(bytes: Uint8Array): this {
    return this.varint(bytes.byteLength).raw(bytes)
  }

  /** Length and UTF-8; a lone surrogate becomes U+FFFD. */
  text(value: string): this {
    // Most texts are short ids: one pass when the length surely fits in one byte.
    if (value.length * 3 < 0x80) {
      this.#reserve(value.length * 3 + 1)
      const { written } = encoder.encodeInto(value, this.#buffer.subarray(this.#length + 1))
      this.#buffer[this.#length] = written
      this.#length += 1 + written
      return this
    }
    return this.blob(encoder.encode(value))
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.byteLength) return
    const grown = new Uint8Array(new ArrayBuffer(Math.max(needed, this.#buffer.byteLength * 2)))
    grown.set(this.bytes)
    this.#buffer = grown
    this.#view = new DataView(grown.buffer)
  }
}

/**
 * Reads postcard bytes and never beyond them. Every method throws {@link WireError} on bytes that the official
 * decoder would refuse as well.
 *
 * @example const reader = new Reader(body); const id = reader.text(); reader.end()
 */
export class Reader {
  readonly #bytes: Uint8Array
  #position = 0

  /** @param bytes  read in place; slices that are handed out are views of it */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.byteLength - this.#position
  }

  /** A view of the bytes between two positions. */
  slice(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from, to)
  }

  /** Goes past these bytes if they come next. */
  skips(expected: Uint8Array): boolean {
    const { length } = expected
    if (length > this.remaining) return false
    for (let i = 0; i < length; i++) {
      if (this.#bytes[this.#position + i] !== expected[i]) return false
    }
    this.#position += length
    return true
  }

  /** One byte. */
  byte(): number {
    const value = this.#bytes[this.#position]
    if (value === undefined) throw new WireError("unexpected end")
    this.#position++
    return value
  }

  /** `bool`, and the mark of an `Option`. */
  bool(): boolean {
    const value = this.byte()
    if (value > 1) throw new WireError(`${value} is neither true nor false`)
    return value === 1
  }

  /** Number of an enum's variant. */
  variant(): number {
    return this.varint(0xffff_ffff)
  }

  /** Unsigned integer up to `limit`, at most 2^53 - 1. */
  varint(limit: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > limit) throw new WireError(`integer ${value} is greater than ${limit}`)
        return value
      }
      scale *= 0x80
    }
    throw new WireError("varint of more than 10 bytes")
  }

  /** Unsigned 64-bit integer as its upper and lower 32 bits. */
  varint64(): { high: number; low: number } {
    let low = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      const byte = this.byte()
      const bits = byte & 0x7f
      if (i === 9 && byte > 1) break
      const shift = 7 * i
      if (shift < 32) low |= bits << shift
      if (shift > 25) high |= shift >= 32 ? bits << (shift - 32) : bits >>> (32 - shift)
      if (byte < 0x80) return { high: high >>> 0, low: low >>> 0 }
    }
    throw new WireError("varint of more than 64 bits")
  }

  /** `i64` in zigzag form: a number when it is safe, else a bigint. */
  signed(): number | bigint {
    const { high, low } = this.varint64()
    if (high < 0x20_0000) {
      const zigzag = high * LOW_32 + low
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
    }
    const zigzag = (BigInt(high) << 32n) | BigInt(low)
    const wide = (zigzag >> 1n) ^ -(zigzag & 1n)
    const narrow = Number(wide)
    return Number.isSafeInteger(narrow) ? narrow : wide
  }

  /** `f64`. */
  double(): number {
    const bytes = this.raw(8)
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true)
  }

  /** A view of the next `count` bytes. */
  raw(count: number): Uint8Array {
    if (count > this.remaining) {
      throw new WireError(`${count} bytes announced, ${this.remaining} left`)
    }
    const from = this.#position
    this.#position += count
    return this.#bytes.subarray(from, this.#position)
  }

  /** Length and bytes, as a view. */
  blob(): Uint8Array {
    return this.raw(this.varint())
  }

  /** Length and UTF-8. */
  text(): string {
    const bytes = this.blob()
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new WireError("a text is not UTF-8", cause)
    }
  }

  /** Number of items of a sequence whose items take at least `itemBytes` each: a lie is found before anything is made. */
  count(itemBytes = 1): number {
    const count = this.varint()
    if (count * itemBytes > this.remaining) {
      throw new WireError(`${count} items announced, ${this.remaining} bytes left`)
    }
    return count
  }

  /** `Vec<T>`. */
  list<T>(item: () => T, itemBytes = 1): T[] {
    const items: T[] = []
    for (let left = this.count(itemBytes); left > 0; left--) items.push(item())
    return items
  }

  /** Checks that nothing is left. */
  end(): void {
    if (this.remaining > 0) throw new WireError(`${this.remaining} bytes too many`)
  }
}
