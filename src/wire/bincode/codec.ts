// bincode 1.3 as dora 0.4 and 0.5 have it: like postcard positional and little-endian, but with integers of fixed width.
// Section 8.1 of the protocol reference.
import { Reader, WireError, Writer } from "../postcard.ts"

const encoder = new TextEncoder()
const LOW_32 = 0x1_0000_0000

/**
 * Builds bincode bytes. Lengths and counts are `varint` here too: of eight bytes.
 *
 * @example new BincodeWriter().text("image").bytes // 05 00 00 00 00 00 00 00 69 6d 61 67 65
 */
export class BincodeWriter extends Writer {
  override variant(value: number): this {
    return this.u32(value)
  }

  override varint(value: number): this {
    return this.u32(value).u32(Math.floor(value / LOW_32))
  }

  override varint64(high: number, low: number): this {
    return this.u32(low).u32(high)
  }

  override signed(value: number | bigint): this {
    if (typeof value === "number") return this.u32(value).u32(Math.floor(value / LOW_32))
    return this.u32(Number(value & 0xffff_ffffn)).u32(Number((value >> 32n) & 0xffff_ffffn))
  }

  override text(value: string): this {
    return this.blob(encoder.encode(value))
  }

  u16(value: number): this {
    return this.byte(value & 0xff).byte((value >> 8) & 0xff)
  }

  /** The lower 32 bits of an integer, whatever its sign. */
  u32(value: number): this {
    return this.u16(value).u16(value >>> 16)
  }
}

/** Reads bincode bytes and never beyond them; throws {@link WireError} on what is none. */
export class BincodeReader extends Reader {
  override variant(): number {
    return this.u32()
  }

  override varint(limit: number = Number.MAX_SAFE_INTEGER): number {
    const { high, low } = this.varint64()
    const value = high * LOW_32 + low
    if (value > limit) throw new WireError(`integer ${value} is greater than ${limit}`)
    return value
  }

  override varint64(): { high: number; low: number } {
    const low = this.u32()
    return { low, high: this.u32() }
  }

  override signed(): number | bigint {
    const { high, low } = this.varint64()
    const value = (high | 0) * LOW_32 + low
    if (Number.isSafeInteger(value)) return value
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
  }

  u16(): number {
    return this.byte() | (this.byte() << 8)
  }

  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0
  }
}
