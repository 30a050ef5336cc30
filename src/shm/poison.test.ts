// Damaged memory: whatever stands in the words of an edge, its reader ends it with an error that names it, or delivers a
// message that lies where messages lie. A read outside would kill this process.
import { describe, expect, test } from "bun:test"
import { payload, send, TestOutput } from "../../test/support/edge.ts"
import { Random } from "../../test/faults/random.ts"
import { INLINE_BYTES, MAX_PARAMETER_BYTES } from "../core/limits.ts"
import {
  CHUNK_BITS,
  CHUNK_WORD,
  CLOCK_ID_WORD,
  LENGTH_WORD,
  OFFSET_WORD,
  PARAMETERS_WORD,
  POOL_CHUNK_COUNT_WORD,
  POOL_FDS_WORD,
  POOL_STRIDE_FLOAT,
  RING_HEADER_BYTES,
  SEQ_WORD,
  SLOT_HEADER_BYTES,
  TAIL_WORD,
  TEMPLATE_WORD,
} from "./layout.ts"
import { SharedMemoryError } from "./libc.ts"
import { Pool } from "./pool.ts"
import { EdgePoisonedError } from "./errors.ts"
import type { EdgeReader } from "./reader.ts"

const SEED = 20_261_206
const MUTATIONS = 1_000_000
const LARGE = INLINE_BYTES + 40
const TEMPLATE = 3
const SLOT_WORDS = SLOT_HEADER_BYTES >> 2
const WORDS_READ = [
  ...[LENGTH_WORD, CHUNK_WORD, TEMPLATE_WORD, PARAMETERS_WORD, OFFSET_WORD, SEQ_WORD],
  CLOCK_ID_WORD,
]

let touched = 0

/** An edge with every kind of message in its queue, and a picture of its words. */
class Victim implements Disposable {
  readonly output = new TestOutput([{ queueSize: 8 }], { startIndex: -3 })
  readonly reader: EdgeReader
  readonly words: Int32Array
  /** Borrow lines of the pool. */
  readonly lines: Int32Array
  /** Word indices at which something may be damaged: slots more often than the header. */
  readonly targets: number[] = []
  readonly #pictures: { at: number; words: Int32Array }[]

  constructor() {
    const writer = this.output.writer()
    this.reader = this.output.reader()
    this.words = this.reader.ring.words
    this.reader.learn(TEMPLATE, Float32Array, 64, 2)
    const flat = { ...payload(80, 1), headerLength: 64, template: TEMPLATE }
    // The pool is opened before anything is damaged, as it is in a dataflow that was well so far.
    send(writer, payload(LARGE))
    this.reader.take()
    this.lines = this.reader.borrow!.pool.pool.lines
    this.reader.borrow!.release()
    for (let i = 0; i < 2; i++) {
      send(writer, flat, i > 0 ? new Uint8Array(40) : null)
      send(writer, payload(LARGE, 3), i > 0 ? new Uint8Array(300) : null)
      send(writer, { ...payload(4 * LARGE, 3), template: 4 })
      send(writer, payload(INLINE_BYTES, 2))
    }
    const header = this.reader.ring.base
    const starts = [header]
    for (let word = 0; word < RING_HEADER_BYTES >> 2; word++) this.targets.push(header + word)
    const { ring } = this.reader
    for (let i = 0; i < ring.slotCount; i++) {
      const slot = ring.slot
      starts.push(slot)
      for (const word of WORDS_READ) for (let n = 0; n < 8; n++) this.targets.push(slot + word)
      ring.tail = (ring.tail + 1) | 0
    }
    this.#pictures = starts.map((at, i) => {
      const length = i === 0 ? RING_HEADER_BYTES >> 2 : SLOT_WORDS
      return { at, words: this.words.slice(at, at + length) }
    })
  }

  restore(): void {
    for (const { at, words } of this.#pictures) this.words.set(words, at)
    const { ring } = this.reader
    ring.tail = this.words[ring.base + TAIL_WORD]!
    ring.ended = false
  }

  /** Takes a message, and touches its first and last byte. Says what is wrong with it. */
  take(reader = this.reader): "none" | "valid" | "poisoned" {
    try {
      if (!reader.take()) return "none"
    } catch (error) {
      // The latter: a descriptor that is none of a pool.
      if (!(error instanceof EdgePoisonedError || error instanceof SharedMemoryError)) throw error
      return "poisoned"
    }
    const { borrow, stream, body, parameters, length } = reader
    if (parameters && parameters.length > MAX_PARAMETER_BYTES) throw new Error("parameters")
    if (borrow) {
      const view = new Uint8Array(borrow.buffer)
      const end = borrow.offset + length
      if (view.length !== length || end > borrow.pool.pool.strideBytes) throw new Error("borrow")
      touched += (view[0] ?? 0) + (view[length - 1] ?? 0)
      borrow.release()
    } else if (body ? body.length !== 2 : stream!.length !== length) throw new Error("stream")
    return "valid"
  }

  [Symbol.dispose](): void {
    this.output[Symbol.dispose]()
  }
}

function damage(random: Random, words: Int32Array, at: number): void {
  const old = words[at]!
  const extremes = [0, -1, 1, 7, 2 ** 31 - 1, -(2 ** 31), 1 << CHUNK_BITS, (1 << CHUNK_BITS) - 1]
  const sizes = [INLINE_BYTES, MAX_PARAMETER_BYTES, 257 << 20, (257 << 20) - 300]
  const values = [...extremes, ...sizes]
  const kind = random.between(0, 4)
  if (kind === 0) words[at] = random.between(-(2 ** 31), 2 ** 31 - 1)
  else if (kind === 1) words[at] = old ^ (1 << random.between(0, 31))
  else if (kind === 2) words[at] = old + random.between(-9, 9)
  else words[at] = values[random.between(0, values.length - 1)]! + random.between(-1, 1)
}

describe("an edge whose memory is damaged", () => {
  test(`${MUTATIONS} times ends with an error or delivers what lies within bounds`, () => {
    console.log(`damaged memory: seed ${SEED}`)
    const random = new Random(SEED)
    using victim = new Victim()
    const { words, targets, reader, lines } = victim
    const seen = { none: 0, valid: 0, poisoned: 0 }
    for (let round = 0; round < MUTATIONS; round++) {
      victim.restore()
      for (let n = random.between(1, 3); n > 0; n--) {
        damage(random, words, targets[random.between(0, targets.length - 1)]!)
      }
      let left = reader.ring.slotCount + 1
      for (;;) {
        const outcome = victim.take()
        seen[outcome]++
        if (outcome !== "valid") break
        if (left-- === 0) throw new Error(`round ${round}: more messages than slots`)
      }
      reader.ring.checkEnd()
      if (lines[0] !== 0) throw new Error(`round ${round}: a chunk stays marked`)
    }
    console.log(JSON.stringify(seen))
    expect(seen.none + seen.poisoned).toBe(MUTATIONS)
    expect(seen.poisoned).toBeGreaterThan(MUTATIONS / 10)
    expect(seen.valid).toBeGreaterThan(MUTATIONS)
  }, 120_000)

  test("before its ends are attached is refused, or works within its own memory", () => {
    const random = new Random(SEED)
    using victim = new Victim()
    const { words, reader, output } = victim
    const outcomes = { refused: 0, none: 0, valid: 0, poisoned: 0 }
    for (let round = 0; round < 20_000; round++) {
      victim.restore()
      // Inline messages only: opening a pool in each round would use up the address space.
      words[reader.ring.slot + CHUNK_WORD] = -1
      for (let n = random.between(1, 2); n > 0; n--) {
        damage(random, words, reader.ring.base + random.between(0, 70))
      }
      try {
        const other = output.reader()
        for (let i = 0; i < 3; i++) {
          if (words[other.ring.slot + CHUNK_WORD]! >= 0) break
          outcomes[victim.take(other)]++
        }
        send(output.writer(), payload(100))
      } catch (error) {
        if (!(error instanceof SharedMemoryError)) throw error
        outcomes.refused++
      }
    }
    expect(outcomes.refused).toBeGreaterThan(1000)
    expect(outcomes.valid).toBeGreaterThan(1000)
  }, 60_000)

  test("does not stop its producer for long, wherever its consumer pretends to be", () => {
    const random = new Random(SEED)
    for (let round = 0; round < 300; round++) {
      using output = new TestOutput([{ queueSize: 4 }, { queueSize: 4 }])
      const [writer, healthy] = [output.writer(), output.reader(1)]
      const { inbox, ring } = output.edges[0]!
      for (let i = 0; i < 20; i++) {
        if (i === 10) damage(random, inbox.words, (ring >> 2) + TAIL_WORD)
        send(writer, payload(i % 2 === 0 ? 20 : LARGE, i))
        expect(healthy.take()).toBe(true)
        healthy.borrow?.release()
      }
    }
  }, 30_000)
})

describe("a pool whose memory is damaged", () => {
  test("is refused when its header leads outside", () => {
    const random = new Random(SEED)
    using output = new TestOutput()
    const { words, floats } = headerOf(output)
    const good = words.slice()
    let refused = 0
    for (let round = 0; round < 3000; round++) {
      words.set(good)
      if (round % 4 > 0) damage(random, words, random.between(0, POOL_STRIDE_FLOAT * 2 + 1))
      else floats[POOL_STRIDE_FLOAT] = [Number.NaN, -1e9, 1e300, 0][random.between(0, 3)]!
      try {
        const pool = new Pool(process.pid, output.pool)
        const last = new Uint8Array(pool.view(pool.chunks - 1, 0, 1))
        touched += last[0]! + pool.lines[pool.lines.length - 1]!
        pool.unmap()
      } catch (error) {
        if (!(error instanceof SharedMemoryError)) throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
    words.set(good)
  })

  test("is refused when it is another segment, or none", () => {
    for (const announce of ["inbox", "pipe", "nothing"] as const) {
      using output = new TestOutput()
      const [writer, reader] = [output.writer(), output.reader()]
      const { ref, pipe } = output.edges[0]!
      const { words, base } = reader.ring
      words[base + POOL_FDS_WORD] = { inbox: ref.fd, pipe: pipe[0], nothing: 99_999 }[announce]
      send(writer, payload(LARGE))
      expect(() => reader.take()).toThrow(SharedMemoryError)
    }
  })
})

function headerOf(output: TestOutput): { words: Int32Array; floats: Float64Array } {
  const path = `/proc/${process.pid}/fd/${output.pool.fd}`
  const { buffer } = Bun.mmap(path, { shared: true, size: 4096 })
  expect(new Int32Array(buffer)[POOL_CHUNK_COUNT_WORD]).toBeGreaterThan(1)
  return { words: new Int32Array(buffer, 0, 8), floats: new Float64Array(buffer, 0, 4) }
}
