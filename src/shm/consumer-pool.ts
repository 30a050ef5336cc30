// A consumer's half of a pool: which chunks it reads, and until when. docs/adr/0003-chunk-ownership.md.
import { assert } from "../core/assert.ts"
import type { Pool } from "./pool.ts"
import { addressOf, sharedWords } from "./shared.ts"

/** The consumer's half: marks what it reads. One writer, so marks are stores of a private copy. */
export class ConsumerPool {
  readonly pool: Pool
  /** Our copy of the line, and behind it how many chunks are marked. Shared with C: ffi/relay_lane.c. */
  readonly #words: Int32Array<ArrayBuffer>
  readonly #first: number

  constructor(pool: Pool, line: number) {
    assert(
      line >= 0 && (line + 1) * pool.lineWords <= pool.lines.length,
      "a borrow line lies in its pool",
    )
    this.pool = pool
    this.#first = line * pool.lineWords
    this.#words = sharedWords(pool.lineWords + 1)
    // A predecessor's marks are gone: the daemon zeroed the line before it started us.
    for (let i = 0; i < pool.lineWords; i++) Atomics.store(pool.lines, this.#first + i, 0)
  }

  /** Chunks that are marked now. */
  get borrowed(): number {
    return this.#words[this.pool.lineWords]!
  }

  /** Addresses and numbers for C code of this thread that borrows here as well. */
  share(): Float64Array {
    const { pool } = this
    const marks = addressOf(this.#words)
    const line = addressOf(pool.lines) + this.#first * 4
    const facts = [pool.chunkPointer(0) as number, pool.strideBytes, pool.chunks]
    return Float64Array.of(...facts, line, marks, marks + pool.lineWords * 4)
  }

  /** Marks a chunk before the claim. False: we hold it already, so its producer is not honest. */
  borrow(chunk: number): boolean {
    const word = chunk >>> 5
    const bit = 1 << (chunk & 31)
    if (this.#words[word]! & bit) return false
    this.#words[word]! |= bit
    Atomics.store(this.pool.lines, this.#first + word, this.#words[word]!)
    this.#words[this.pool.lineWords]!++
    return true
  }

  /** Takes a mark back: the claim was lost, or the message was released and its view detached. */
  release(chunk: number): void {
    const word = chunk >>> 5
    this.#words[word]! &= ~(1 << (chunk & 31))
    Atomics.store(this.pool.lines, this.#first + word, this.#words[word]!)
    this.#words[this.pool.lineWords]!--
  }
}

/** Where a message's large body lies until it is released. */
export class Borrow {
  readonly pool: ConsumerPool
  readonly chunk: number
  readonly offset: number
  readonly length: number
  #buffer: ArrayBuffer | null = null

  constructor(pool: ConsumerPool, chunk: number, offset: number, length: number) {
    this.pool = pool
    this.chunk = chunk
    this.offset = offset
    this.length = length
  }

  /** The stream's bytes in shared memory; made on first touch. */
  get buffer(): ArrayBuffer {
    this.#buffer ??= this.pool.pool.lend(this.chunk, this.offset, this.length)
    return this.#buffer
  }

  /** Address of the stream's first byte, for who needs no view. */
  get address(): number {
    return (this.pool.pool.chunkPointer(this.chunk) as number) + this.offset
  }

  /** Gives the chunk back: first every view of it becomes empty, then the producer may use it again. */
  release(): void {
    if (this.#buffer !== null) this.pool.pool.detach(this.chunk, this.offset, this.#buffer)
    this.pool.release(this.chunk)
  }
}
