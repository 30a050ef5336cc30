// Large messages lie in chunks of a pool: one pool per output and generation. Only the producer decides which chunk is
// free; each consumer marks what it reads in a borrow line of its own. Layout: docs/layout.md. Protocol and its model:
// docs/adr/0003-chunk-ownership.md, test/model/pool.ts.
import { type Pointer, toArrayBuffer } from "bun:ffi"
import { fstatSync } from "node:fs"
import { assert } from "../core/assert.ts"
import { MAX_POOL_CHUNKS } from "../core/limits.ts"
import { balance } from "./ballast.ts"
import {
  borrowLineBytes,
  CHUNK_BITS,
  CHUNK_MASK,
  chunksOffset,
  LINES_OFFSET,
  POOL_CHUNK_COUNT_WORD,
  POOL_LINE_COUNT_WORD,
  POOL_STRIDE_FLOAT,
} from "./layout.ts"
import { closeFd, mapMemory, openPeerFd, SharedMemoryError, unmapMemory } from "./libc.ts"
import type { SegmentRef } from "./plan.ts"
import type { ProducerRing } from "./ring.ts"
import { checkHeader } from "./segment.ts"
import { addressOf, sharedWords } from "./shared.ts"

/** A pool mapped into this process. It is larger than one ArrayBuffer may be, so views are made chunk by chunk. */
export class Pool {
  readonly chunks: number
  readonly strideBytes: number
  /** The borrow lines of all consumers, as words. */
  readonly lines: Int32Array
  readonly lineWords: number
  readonly #address: number
  readonly #size: number
  readonly #firstChunk: number
  /** Buffers of messages that were given back, by chunk: moving one is cheaper than making one. */
  readonly #kept: (ArrayBuffer | null)[]
  readonly #keptOffsets: Int32Array

  /** @throws SharedMemoryError  when it can't be mapped or is not a pool of this version */
  constructor(pid: number, ref: SegmentRef) {
    const name = `pool ${ref.fd} of process ${pid}`
    const fd = openPeerFd(pid, ref.fd, "memory")
    try {
      // Beyond the end of a file every access is a crash.
      if (fstatSync(fd).size < ref.size) throw new SharedMemoryError(`${name} is too small`)
      this.#address = mapMemory(fd, ref.size) as number
    } finally {
      closeFd(fd)
    }
    this.#size = ref.size
    const header = new Int32Array(toArrayBuffer(this.#address as Pointer, 0, LINES_OFFSET))
    checkHeader(header, name)
    this.chunks = header[POOL_CHUNK_COUNT_WORD]!
    const lineCount = header[POOL_LINE_COUNT_WORD]!
    this.strideBytes = new Float64Array(header.buffer)[POOL_STRIDE_FLOAT]!
    this.#firstChunk = chunksOffset(this.chunks, lineCount)
    const end = this.#firstChunk + this.chunks * this.strideBytes
    const counts = this.chunks > 0 && this.chunks <= MAX_POOL_CHUNKS && lineCount > 0
    if (!counts || !(this.strideBytes > 0) || !(end <= ref.size)) {
      throw new SharedMemoryError(`${name} does not have the size that its header says`)
    }
    this.#kept = new Array<ArrayBuffer | null>(this.chunks).fill(null)
    this.#keptOffsets = new Int32Array(this.chunks)
    this.lineWords = borrowLineBytes(this.chunks) >> 2
    this.lines = new Int32Array(
      toArrayBuffer(this.#address as Pointer, LINES_OFFSET, lineCount * this.lineWords * 4),
    )
  }

  /** Address of a chunk. */
  chunkPointer(chunk: number): Pointer {
    return (this.#address + this.#firstChunk + chunk * this.strideBytes) as Pointer
  }

  /** A new buffer over part of a chunk. */
  view(chunk: number, offset: number, length: number): ArrayBuffer {
    if (length === 0) return new ArrayBuffer(0)
    balance(this.#address as Pointer, this.#size, length)
    return toArrayBuffer(this.chunkPointer(chunk), offset, length)
  }

  /** A buffer over part of a chunk that nobody else has; {@link detach} it when the chunk is given back. */
  lend(chunk: number, offset: number, length: number): ArrayBuffer {
    const kept = this.#kept[chunk]!
    if (kept === null || this.#keptOffsets[chunk] !== offset || kept.byteLength !== length) {
      return this.view(chunk, offset, length)
    }
    this.#kept[chunk] = null
    return kept
  }

  /** Makes every view of a lent buffer empty. The memory moves to a buffer that serves the next message of this size. */
  detach(chunk: number, offset: number, buffer: ArrayBuffer): void {
    if (buffer.detached) return
    this.#kept[chunk] = buffer.transfer()
    this.#keptOffsets[chunk] = offset
  }

  /** Ends the mapping. Every view must be detached before. */
  unmap(): void {
    unmapMemory(this.#address as Pointer, this.#size)
  }
}

/** What the slot says of a message in a chunk. */
export function chunkWord(chunk: number, generation: number): number {
  return chunk | (generation << CHUNK_BITS)
}

/** Chunk index of a slot's chunk word. */
export function chunkOf(word: number): number {
  return word & CHUNK_MASK
}

/** Pool generation of a slot's chunk word. */
export function generationOf(word: number): number {
  return word >>> CHUNK_BITS
}

/** Words of an {@link EdgeRecord}: messages before this index are no longer counted as queued; the consumer left for good. */
const COUNTED = 0
const GONE = 1

/** The producer's view of one edge: which of its queued messages lie in which chunk. Shared with C: ffi/dora_pool.h. */
class EdgeRecord {
  readonly ring: ProducerRing
  readonly line: number
  readonly state = sharedWords(2)
  /** Chunk + 1 by slot, 0 for an inline message. */
  readonly chunkAt: Int32Array<ArrayBuffer>

  constructor(ring: ProducerRing, line: number, slots: number) {
    this.ring = ring
    this.line = line
    this.chunkAt = sharedWords(slots)
    this.state[COUNTED] = ring.tail
  }
}

/** A chunk that its owner fills in, and one that a message was copied into. */
const LENT = 1
const COPIED = 2

/** As many chunks as one look at the consumers' lines may find for the next messages: … */
const LEAST_AHEAD = 2
const MOST_AHEAD = 4
/** … more than the least only if these messages stay in the cache together. */
const AHEAD_BYTES = 1024 * 1024
/** Where they are kept: how many, the next one, and then they. */
const AHEAD_COUNT = 0
const AHEAD_NEXT = 1
const AHEAD_FIRST = 2

/** The producer's half: gives out free chunks, lowest first, so that few pages are touched. */
export class ProducerPool {
  readonly pool: Pool
  readonly generation: number
  readonly #edges: EdgeRecord[] = []
  /** Queued slots that refer to a chunk, over all edges. */
  readonly #queued: Int32Array<ArrayBuffer>
  /** {@link LENT}, {@link COPIED}, or 0: not lent. */
  readonly #lent: Uint8Array<ArrayBuffer>
  /** Template whose header lies at the start of a chunk; 0: unknown. */
  readonly #templates: Int32Array<ArrayBuffer>
  /** Chunks that the last look found free, in their order. Only we can change that: to look again takes lines from the consumers. */
  readonly #ahead = sharedWords(AHEAD_FIRST + MOST_AHEAD)
  /** Views over whole chunks for our own writes, as large as was needed so far. */
  readonly #writeViews: Uint8Array[] = []

  constructor(pool: Pool, generation: number) {
    this.pool = pool
    this.generation = generation
    this.#queued = sharedWords(pool.chunks)
    this.#lent = new Uint8Array(new ArrayBuffer(pool.chunks))
    this.#templates = sharedWords(pool.chunks)
  }

  /** Adds an edge; `slots` is the size of its ring, `line` its borrow line in the pool. */
  addEdge(ring: ProducerRing, line: number, slots: number): void {
    assert(
      (line + 1) * this.pool.lineWords <= this.pool.lines.length,
      "a borrow line lies in its pool",
    )
    this.#edges.push(new EdgeRecord(ring, line, slots))
  }

  /** Addresses and numbers for C code of this thread that publishes here as well (ffi/dora_pool.h). */
  share(): Float64Array {
    const { pool } = this
    const state = [this.#queued, this.#lent, this.#templates, this.#ahead]
    const edges = this.#edges.flatMap(({ state, chunkAt, line }) => [
      addressOf(state),
      addressOf(chunkAt),
      addressOf(pool.lines) + line * pool.lineWords * 4,
    ])
    const facts = [pool.chunkPointer(0) as number, pool.strideBytes, pool.chunks, this.generation]
    return Float64Array.from([...facts, ...state.map(addressOf), ...edges])
  }

  /**
   * A free chunk, the lowest of all when it was looked for, lent to the caller until {@link giveBack}; −1 when there is none. A chunk is free when it is
   * not lent, no queued slot refers to it, and no consumer has marked it. Per edge the tail is read before the line: a
   * consumer marks before it claims, so what has just left the queue shows up as borrowed.
   *
   * @param bytes  of the message
   */
  allocate(bytes: number): number {
    const ahead = this.#ahead
    if (ahead[AHEAD_NEXT] === ahead[AHEAD_COUNT] && !this.#look(bytes)) return -1
    const chunk = ahead[AHEAD_FIRST + ahead[AHEAD_NEXT]!++]!
    this.#lent[chunk] = LENT
    return chunk
  }

  /** Looks for free chunks; false when there is none. */
  #look(bytes: number): boolean {
    const together = Math.floor(AHEAD_BYTES / bytes)
    const most = Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, together))
    const ahead = this.#ahead
    ahead[AHEAD_NEXT] = 0
    ahead[AHEAD_COUNT] = 0
    for (const edge of this.#edges) {
      if (edge.state[GONE]) continue
      edge.ring.refreshTail()
      this.#uncount(edge)
    }
    const { lines, lineWords, chunks } = this.pool
    for (let word = 0; word * 32 < chunks; word++) {
      let busy = 0
      for (const edge of this.#edges) busy |= Atomics.load(lines, edge.line * lineWords + word)
      const end = Math.min(chunks, word * 32 + 32)
      for (let chunk = word * 32; chunk < end; chunk++) {
        if ((busy >>> (chunk & 31)) & 1 || this.#lent[chunk] || this.#queued[chunk]) continue
        ahead[AHEAD_FIRST + ahead[AHEAD_COUNT]!++] = chunk
        if (ahead[AHEAD_COUNT] === most) return true
      }
    }
    return ahead[AHEAD_COUNT]! > 0
  }

  /** Is a lent chunk one that its owner fills in? */
  isLoan(chunk: number): boolean {
    return this.#lent[chunk] === LENT
  }

  /** The loan of a chunk ends: unsent, or after the last publish. */
  giveBack(chunk: number): void {
    this.#lent[chunk] = 0
  }

  /** Before a publish on edge `edge`: the slot of `index` will refer to `chunk` (−1: inline). */
  record(edge: number, index: number, chunk: number): void {
    const record = this.#edges[edge]!
    this.#uncount(record)
    record.chunkAt[index & (record.chunkAt.length - 1)] = chunk + 1
    if (chunk >= 0) this.#queued[chunk]!++
  }

  /** The consumer of an edge left for good: nothing of it is queued any more. */
  forget(edge: number): void {
    const record = this.#edges[edge]!
    if (record.state[GONE]) return
    record.state[GONE] = 1
    record.ring.tail = record.ring.head
    this.#uncount(record)
  }

  /** Does a chunk hold header and trailer of this template already? */
  holds(chunk: number, template: number): boolean {
    return template > 0 && this.#templates[chunk] === template
  }

  /** A message of this template was written to a lent chunk, or all of it but the elements of a loan. */
  wrote(chunk: number, template: number, isLoan: boolean): void {
    this.#templates[chunk] = template
    this.#lent[chunk] = isLoan ? LENT : COPIED
  }

  /** A view for writing the first `length` bytes of a chunk. */
  writeView(chunk: number, length: number): Uint8Array {
    const view = this.#writeViews[chunk]
    if (view && view.byteLength >= length) return view
    const size = Math.min(this.pool.strideBytes, Math.max(65536, 2 ** Math.ceil(Math.log2(length))))
    const made = new Uint8Array(this.pool.view(chunk, 0, size))
    this.#writeViews[chunk] = made
    return made
  }

  /** Takes what has left the queue out of the count. */
  #uncount(edge: EdgeRecord): void {
    const { chunkAt, ring, state } = edge
    // C code may have looked later than we have.
    if (((ring.tail - state[COUNTED]!) | 0) <= 0) return
    const mask = chunkAt.length - 1
    // Never more than slots, unless somebody damaged the tail.
    let left = chunkAt.length
    for (let i = state[COUNTED]!; i !== ring.tail && left > 0; i = (i + 1) | 0, left--) {
      const chunk = chunkAt[i & mask]!
      if (chunk > 0) {
        this.#queued[chunk - 1]!--
        chunkAt[i & mask] = 0
      }
    }
    state[COUNTED] = ring.tail
  }
}
