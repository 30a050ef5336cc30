// The body of a record batch while it is being measured: nodes and buffers in the order of the format (parents first,
// children depth first), and from where the bytes of each buffer come.
import { MAX_PAYLOAD_BYTES } from "../core/limits.ts"
import { PayloadTooLargeError } from "./errors.ts"
import { BUFFER_ALIGNMENT, roundUp } from "./header.ts"

const copy = Buffer.prototype.copy
const fill = Uint8Array.prototype.fill
const KEPT_SCRATCH_BYTES = 1024 * 1024

/** Figures and sources of one batch; reused from message to message. */
export class Batch {
  /** Length and null count of each node, flat. */
  readonly nodes: number[] = []
  /** Offset and length of each buffer, flat. */
  readonly buffers: number[] = []
  /** Number of data buffers of each column of views. */
  readonly variadic: number[] = []
  /** Bytes of all buffers with the padding between them. */
  bodyLength = 0
  /** Computed content that exists nowhere else; grows, so places in it stay valid and views don't. */
  scratch: Buffer
  view: DataView
  #used = 0
  #elsewhere = 0
  // Parts: three numbers (place in the body, start in the source, length) and a source; null is the scratch.
  readonly #parts: number[] = []
  readonly #sources: (Uint8Array | null)[] = []
  #next = 0
  // Used lengths of the lists above: to cut a list and push to it again costs more than the rest of a small message.
  #nodes = 0
  #buffers = 0
  #partCount = 0

  constructor(scratchBytes = 4096) {
    this.scratch = Buffer.from(new ArrayBuffer(scratchBytes))
    this.view = new DataView(this.scratch.buffer)
  }

  get nodeCount(): number {
    return this.#nodes / 2
  }

  get bufferCount(): number {
    return this.#buffers / 2
  }

  /** Forgets the last message. */
  reset(): void {
    // What was sent last must not be kept alive by what it was copied from.
    for (let i = 0; i < this.#partCount; i++) this.#sources[i] = null
    if (this.variadic.length > 0) this.variadic.length = 0
    this.#nodes = 0
    this.#buffers = 0
    this.#partCount = 0
    this.bodyLength = 0
    this.#next = 0
    this.#used = 0
    this.#elsewhere = 0
    if (this.scratch.byteLength > KEPT_SCRATCH_BYTES) {
      this.scratch = Buffer.from(new ArrayBuffer(KEPT_SCRATCH_BYTES))
      this.view = new DataView(this.scratch.buffer)
    }
  }

  node(length: number, nullCount: number): void {
    this.nodes[this.#nodes++] = length
    this.nodes[this.#nodes++] = nullCount
  }

  /** Opens the next buffer; the parts that follow fill it, and what they leave is zero. */
  buffer(length: number): void {
    const at = roundUp(this.bodyLength, BUFFER_ALIGNMENT)
    this.buffers[this.#buffers++] = at
    this.buffers[this.#buffers++] = length
    this.#next = at
    this.bodyLength = roundUp(at + length, 8)
    this.#check()
  }

  /** Counts bytes that travel in another body of the same message. */
  also(length: number): void {
    this.#elsewhere += length
    this.#check()
  }

  #check(): void {
    const size = this.bodyLength + this.#elsewhere
    if (size > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(size)
  }

  /** Adds bytes of `source` to the open buffer; they are read by `write`, not now. */
  part(source: Uint8Array, start: number, length: number): void {
    this.#part(source, start, length)
  }

  /** Adds bytes of the scratch to the open buffer. */
  own(start: number, length: number): void {
    this.#part(null, start, length)
  }

  #part(source: Uint8Array | null, start: number, length: number): void {
    const at = 3 * this.#partCount
    this.#parts[at] = this.#next
    this.#parts[at + 1] = start
    this.#parts[at + 2] = length
    this.#sources[this.#partCount++] = source
    this.#next += length
  }

  /** Leaves the next `length` bytes of the open buffer zero. */
  skip(length: number): void {
    this.#next += length
  }

  /** Reserves `length` zero bytes of scratch at a multiple of 8. */
  zeros(length: number): number {
    const start = this.reserve(length)
    zero(this.scratch, start, start + length)
    return start
  }

  /** Reserves `length` bytes of scratch at a multiple of 8. Their content is undefined. */
  reserve(length: number): number {
    this.#used = (this.#used + 7) & ~7
    return this.extend(length)
  }

  /** Reserves `length` bytes of scratch right behind the last. */
  extend(length: number): number {
    const start = this.#used
    const end = start + length
    if (end > this.scratch.byteLength) this.#grow(end)
    this.#used = end
    return start
  }

  /** Gives back what was reserved from `end` on. */
  trim(end: number): void {
    this.#used = end
  }

  #grow(end: number): void {
    // Content of at most two limits: the values and what describes them.
    if (end > 2 * MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(end)
    const larger = Buffer.from(new ArrayBuffer(Math.max(end, this.scratch.byteLength * 2)))
    this.scratch.copy(larger, 0, 0, this.#used)
    this.scratch = larger
    this.view = new DataView(larger.buffer)
  }

  /** Writes the body at `at`, gaps zeroed. */
  write(target: Uint8Array, at: number): void {
    const parts = this.#parts
    const end = at + this.bodyLength
    let cursor = at
    for (let i = 0; i < this.#partCount; i++) {
      const p = 3 * i
      const place = at + parts[p]!
      const start = parts[p + 1]!
      const length = parts[p + 2]!
      if (place > cursor) zero(target, cursor, place)
      copy.call(this.#sources[i] ?? this.scratch, target, place, start, start + length)
      cursor = place + length
    }
    if (end > cursor) zero(target, cursor, end)
  }
}

/** A short stretch is zeroed faster by hand. */
function zero(bytes: Uint8Array, start: number, end: number): void {
  if (end - start > 64) fill.call(bytes, 0, start, end)
  else for (let i = start; i < end; i++) bytes[i] = 0
}
