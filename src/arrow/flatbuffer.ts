// The little of FlatBuffers that Arrow messages need. Wire format: https://flatbuffers.dev/internals/ .
// A table starts with the distance back to its vtable; the vtable holds two sizes and one u16 for each field: its
// place in the table, 0 when absent. References to other objects are forward distances (u32).
import { ArrowDataError } from "./errors.ts"

const utf8 = new TextEncoder()
const utf8Decoder = new TextDecoder()

/**
 * Writes tables front to back: a parent first, then what it refers to, then the reference by `ref`.
 * Places count from the start of `bytes`, which has to be 8-byte aligned wherever the bytes end up.
 */
export class FlatWriter {
  /** Next free place. */
  at = 0
  bytes = new Uint8Array(512)
  view = new DataView(this.bytes.buffer)

  /** Reserves `size` zero bytes so that the byte `lead` bytes after their start is aligned. Returns their place. */
  reserve(size: number, alignment: number, lead = 0): number {
    const place = Math.ceil((this.at + lead) / alignment) * alignment - lead
    this.at = place + size
    if (this.at > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.at, this.bytes.length * 2))
      larger.set(this.bytes)
      this.bytes = larger
      this.view = new DataView(larger.buffer)
    }
    return place
  }

  /** A table whose field i takes `sizes[i]` bytes: 8, 4, 2, 1, or 0 when absent. */
  table(...sizes: number[]): number {
    const vtable = this.reserve(4 + 2 * sizes.length, 2)
    const size = sizes.reduce((sum, s) => sum + s, 4)
    const table = this.reserve(size, sizes.includes(8) ? 8 : 4, 4)
    this.view.setInt32(table, table - vtable, true)
    this.view.setUint16(vtable, 4 + 2 * sizes.length, true)
    this.view.setUint16(vtable + 2, size, true)
    let offset = 4
    // Largest first: then the alignment of the first field aligns all of them.
    for (const width of [8, 4, 2, 1]) {
      for (let i = 0; i < sizes.length; i++) {
        if (sizes[i] !== width) continue
        this.view.setUint16(vtable + 4 + 2 * i, offset, true)
        offset += width
      }
    }
    return table
  }

  /** Place of a field that the table was given room for. */
  field(table: number, index: number): number {
    const vtable = table - this.view.getInt32(table, true)
    return table + this.view.getUint16(vtable + 4 + 2 * index, true)
  }

  /** Makes field `index` of `table` refer to `target`. */
  ref(table: number, index: number, target: number): void {
    this.refAt(this.field(table, index), target)
  }

  /** Makes the reference at `place` refer to `target`. */
  refAt(place: number, target: number): void {
    this.view.setUint32(place, target - place, true)
  }

  i8(table: number, index: number, value: number): void {
    this.view.setInt8(this.field(table, index), value)
  }

  i16(table: number, index: number, value: number): void {
    this.view.setInt16(this.field(table, index), value, true)
  }

  i32(table: number, index: number, value: number): void {
    this.view.setInt32(this.field(table, index), value, true)
  }

  i64(table: number, index: number, value: number): void {
    putInt64(this.view, this.field(table, index), value)
  }

  /** A vector of `count` elements of `size` bytes, which start aligned to min(size, 8). Its place; elements follow 4 later. */
  vector(count: number, size: number): number {
    const place = this.reserve(4 + count * size, Math.max(4, Math.min(size, 8)), 4)
    this.view.setUint32(place, count, true)
    return place
  }

  string(text: string): number {
    const encoded = utf8.encode(text)
    // One zero byte more than its length, as the format asks for.
    const place = this.vector(encoded.length + 1, 1)
    this.view.setUint32(place, encoded.length, true)
    this.bytes.set(encoded, place + 4)
    return place
  }
}

/** Stores a safe integer as little-endian int64. */
export function putInt64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 0x1_0000_0000, true)
  view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** Reads FlatBuffers that somebody else wrote: every access is checked against `[start, end)`. */
export class FlatReader {
  readonly view: DataView
  readonly start: number
  readonly end: number
  // Tables can share what they refer to, so hostile ones could be read for ever: vectors have a budget.
  #budget: number

  constructor(view: DataView, start: number, end: number) {
    this.view = view
    this.start = start
    this.end = end
    this.#budget = 65_536 + 8 * (end - start)
  }

  #check(at: number, size: number): void {
    if (at < this.start || at + size > this.end) {
      throw new ArrowDataError(
        `metadata refers to byte ${at}, outside its ${this.start}…${this.end}`,
      )
    }
  }

  u8(at: number): number {
    this.#check(at, 1)
    return this.view.getUint8(at)
  }

  i16(at: number): number {
    this.#check(at, 2)
    return this.view.getInt16(at, true)
  }

  i32(at: number): number {
    this.#check(at, 4)
    return this.view.getInt32(at, true)
  }

  u32(at: number): number {
    this.#check(at, 4)
    return this.view.getUint32(at, true)
  }

  /** A non-negative int64 that is a safe integer; all lengths and offsets of Arrow are. */
  length(at: number): number {
    this.#check(at, 8)
    const high = this.view.getInt32(at + 4, true)
    const low = this.view.getInt32(at, true)
    return high === 0 && low >= 0 ? low : this.#longLength(high, low)
  }

  /** Apart: where this sum is compiled, JavaScriptCore keeps all lengths as doubles, with which it makes arrays the slow way. */
  #longLength(high: number, low: number): number {
    const value = high * 0x1_0000_0000 + (low >>> 0)
    if (high < 0 || high > 0x1f_ffff) throw new ArrowDataError(`metadata holds the length ${value}`)
    return value
  }

  /** Follows the reference at `at`. */
  target(at: number): number {
    return at + this.u32(at)
  }

  /** Place of a field, or 0 when the table leaves it out. */
  field(table: number, index: number): number {
    const vtable = table - this.i32(table)
    this.#check(vtable, 4)
    const entry = 4 + 2 * index
    if (entry + 2 > this.view.getUint16(vtable, true)) return 0
    this.#check(vtable + entry, 2)
    const offset = this.view.getUint16(vtable + entry, true)
    return offset === 0 ? 0 : table + offset
  }

  /** The table or vector that a field refers to, or 0 when absent. */
  child(table: number, index: number): number {
    const field = this.field(table, index)
    return field === 0 ? 0 : this.target(field)
  }

  fieldU8(table: number, index: number, absent = 0): number {
    const field = this.field(table, index)
    return field === 0 ? absent : this.u8(field)
  }

  fieldI16(table: number, index: number, absent = 0): number {
    const field = this.field(table, index)
    return field === 0 ? absent : this.i16(field)
  }

  fieldI32(table: number, index: number, absent = 0): number {
    const field = this.field(table, index)
    return field === 0 ? absent : this.i32(field)
  }

  fieldLength(table: number, index: number): number {
    const field = this.field(table, index)
    return field === 0 ? 0 : this.length(field)
  }

  /** Number of elements of the vector at `vector` (0: absent), all of which lie inside. */
  count(vector: number, size: number): number {
    if (vector === 0) return 0
    const count = this.u32(vector)
    if (count > (this.end - vector - 4) / size) {
      throw new ArrowDataError(`metadata has a vector of ${count} elements that do not fit into it`)
    }
    this.#budget -= count * size
    if (this.#budget < 0)
      throw new ArrowDataError("metadata refers to the same bytes again and again")
    return count
  }

  string(table: number, index: number): string | null {
    const place = this.child(table, index)
    if (place === 0) return null
    const length = this.count(place, 1)
    const { buffer, byteOffset } = this.view
    return utf8Decoder.decode(new Uint8Array(buffer, byteOffset + place + 4, length))
  }
}
