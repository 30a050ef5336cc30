import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type ConsumerOptions, STARTS, TestEdge } from "../../test/support/edge.ts"
import { MAX_POOL_CHUNKS } from "../core/limits.ts"
import { CHUNK_WORD } from "./layout.ts"
import { closeFd } from "./libc.ts"
import { chunkCount, makePool } from "./make.ts"
import type { SegmentRef } from "./plan.ts"
import { ConsumerPool } from "./consumer-pool.ts"
import { chunkOf, chunkWord, generationOf, Pool, ProducerPool } from "./pool.ts"
import type { ConsumerRing, ProducerRing } from "./ring.ts"

const SEED = 20_261_202
const LOANS = 2
/** Of which two chunks are looked for at a time, and four. */
const LARGE_BYTES = 8 * 1024 * 1024
const SMALL_BYTES = 8 * 1024

/** One consumer: its real ends, and what the test knows of it. */
type Side = {
  edge: TestEdge
  producer: ProducerRing
  consumer: ConsumerRing
  pool: ConsumerPool
  /** Chunk by queued message, −1 for an inline one. */
  queue: number[]
  held: number[]
  /** Marked and not claimed. */
  marked: number | null
  /** Whether the message of the mark is still in the queue is for the claim to find out. */
  alive: boolean
}

/** A pool, its producer and its consumers. */
class World implements Disposable {
  readonly ref: SegmentRef
  readonly producer: ProducerPool
  readonly sides: Side[]
  readonly lent: number[] = []
  readonly chunks: number

  /** Bytes of each message. */
  readonly bytes: number

  constructor(
    consumers: ConsumerOptions[],
    startIndex: number,
    { missing = 0, bytes = LARGE_BYTES } = {},
  ) {
    this.bytes = bytes
    const edges = consumers.map((options) => new TestEdge(options, startIndex))
    this.chunks = chunkCount(edges, LOANS) - missing
    this.ref = makePool("test-pool", this.chunks, edges.length)
    this.producer = new ProducerPool(edges[0]!.mapPool(this.ref), 0)
    this.sides = edges.map((edge, line) => {
      const ring = edge.producerRing()
      this.producer.addEdge(ring, line, edge.consumerRing().slotCount)
      return {
        edge,
        producer: ring,
        consumer: edge.consumerRing(),
        pool: new ConsumerPool(edge.mapPool(this.ref), line),
        queue: [],
        held: [],
        marked: null,
        alive: true,
      }
    })
  }

  /** Chunks that nobody has any claim to. What was free before it was marked is so for whom it was found free. */
  free(withMarked = false): number[] {
    const used = new Set(this.lent)
    for (const { queue, held, marked } of this.sides) {
      for (const chunk of [...queue, ...held]) used.add(chunk)
      if (!withMarked && marked !== null) used.add(marked)
    }
    return Array.from({ length: this.chunks }, (_, chunk) => chunk).filter((c) => !used.has(c))
  }

  allocate(): number {
    const free = this.free()
    const chunk = this.producer.allocate(this.bytes)
    if (free.length === 0) expect(chunk).toBe(-1)
    else expect(this.free(true)).toContain(chunk)
    if (chunk >= 0) this.lent.push(chunk)
    return chunk
  }

  /** Sends a lent chunk to everybody, or an inline message. */
  publish(chunk: number): void {
    this.sides.forEach((side, i) => {
      const { producer, queue, edge } = side
      if (producer.abandoned) return
      if (!producer.hasRoom()) {
        expect(producer.dropOldest()).toBe(true)
        queue.shift()
      }
      this.producer.record(i, producer.head, chunk)
      producer.words[producer.slot + CHUNK_WORD] = chunk < 0 ? -1 : chunkWord(chunk, 0)
      producer.commit(8)
      queue.push(chunk)
      expect(queue.length).toBeLessThanOrEqual(edge.queueSize)
    })
    if (chunk >= 0) this.giveBack(chunk)
  }

  giveBack(chunk: number): void {
    this.producer.giveBack(chunk)
    this.lent.splice(this.lent.indexOf(chunk), 1)
  }

  mark(side: Side): void {
    const { consumer, pool, edge } = side
    // What it marked and has not claimed is thrown away first, as after a lost claim.
    if (side.marked !== null) this.claim(side)
    if (side.held.length > edge.budget || !consumer.ready()) return
    const word = consumer.words[consumer.slot + CHUNK_WORD]!
    if (word < 0) {
      if (consumer.claim()) side.queue.shift()
      return
    }
    expect(pool.borrow(chunkOf(word))).toBe(true)
    side.marked = chunkOf(word)
  }

  claim(side: Side): void {
    const { consumer, pool, marked } = side
    if (marked === null) return
    side.marked = null
    if (consumer.claim()) {
      expect(side.queue.shift()).toBe(marked)
      if (side.held.length < side.edge.budget) side.held.push(marked)
      else pool.release(marked)
    } else pool.release(marked)
    expect(pool.borrowed).toBe(side.held.length)
  }

  release(side: Side, at: number): void {
    if (side.held.length === 0) return
    const [chunk] = side.held.splice(at % side.held.length, 1)
    side.pool.release(chunk!)
  }

  /** The consumer dies and a successor goes on where it was: its line is zeroed. */
  succeed(side: Side, line: number): void {
    side.held.length = 0
    side.marked = null
    side.consumer = side.edge.consumerRing()
    side.pool = new ConsumerPool(side.edge.mapPool(this.ref), line)
  }

  /** The consumer dies for good. */
  forget(side: Side, line: number): void {
    this.succeed(side, line)
    side.alive = false
    side.queue.length = 0
    side.producer = Object.defineProperty(side.producer, "abandoned", { value: true })
    this.producer.forget(line)
  }

  [Symbol.dispose](): void {
    for (const { edge } of this.sides) edge[Symbol.dispose]()
    closeFd(this.ref.fd)
  }
}

const consumers: ConsumerOptions[] = [
  { queueSize: 2, budget: 1 },
  { queueSize: 3, budget: 2 },
]
const side = fc.nat(consumers.length - 1)
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "send" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "inline" } as const) },
  { weight: 2, arbitrary: fc.constant({ do: "lend" } as const) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("return" as const), at: fc.nat(9) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("mark" as const), side }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("claim" as const), side }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("release" as const), side, at: fc.nat(9) }) },
)
const lastStep = fc.record({ do: fc.constantFrom("succeed" as const, "forget" as const), side })
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never
type Last = typeof lastStep extends fc.Arbitrary<infer S> ? S : never

function run(world: World, step: Step | Last): void {
  const who = "side" in step ? world.sides[step.side]! : null
  if (who && !who.alive) return
  switch (step.do) {
    case "send":
      return world.publish(world.lent.length > 0 ? world.lent[0]! : world.allocate())
    case "inline":
      return world.publish(-1)
    case "lend":
      if (world.lent.length < LOANS) expect(world.allocate()).toBeGreaterThanOrEqual(0)
      return
    case "return":
      return world.lent.length > 0
        ? world.giveBack(world.lent[step.at % world.lent.length]!)
        : undefined
    case "release":
      return world.release(who!, step.at)
    case "mark":
    case "claim":
      return world[step.do](who!)
    case "succeed":
    case "forget":
      return world[step.do](who!, step.side)
  }
}

describe("a chunk", () => {
  for (const start of STARTS) {
    test.each([
      ["two at a time", LARGE_BYTES],
      ["four at a time", SMALL_BYTES],
    ])(
      `is given out exactly when nobody lends, queues or borrows it, %s (from index ${start})`,
      (_, bytes) => {
        const list = fc.array(anyStep, { maxLength: 120, size: "max" })
        const tail = fc.array(fc.oneof(anyStep, lastStep), { maxLength: 60, size: "max" })
        const property = fc.property(list, tail, (steps, last) => {
          using world = new World(consumers, start, { bytes })
          // There is always one: the pool has as many as everybody together may hold.
          for (const step of [...steps, ...last]) {
            run(world, step)
            expect(world.free().length).toBeGreaterThan(0)
          }
        })
        fc.assert(property, { seed: SEED, numRuns: 100, includeErrorInReport: true })
      },
    )
  }

  for (const missing of [0, 1]) {
    const found = missing === 0 ? "is left" : "is not left, had the pool one less,"
    test(`${found} for a sender when a consumer has stopped with all it may hold`, () => {
      using world = new World([{ queueSize: 3, budget: 2 }], -3, { missing })
      const side = world.sides[0]!
      for (let i = 0; i < 2; i++) {
        world.publish(world.allocate())
        world.mark(side)
        world.claim(side)
      }
      world.publish(world.allocate())
      world.mark(side)
      // It never claims what it has marked; the queue fills up and goes on without it.
      for (let i = 0; i < 4; i++) if (world.allocate() >= 0) world.publish(world.lent[0]!)
      expect([side.held.length, side.queue.length, side.queue.includes(side.marked!)]).toEqual([
        ...[2, 3, false],
      ])
      for (let i = 0; i < LOANS; i++) expect(world.allocate()).toBeGreaterThanOrEqual(0)
      expect(world.allocate() >= 0).toBe(missing === 0)
    })
  }
})

describe("a pool", () => {
  test("has no more chunks than its borrow lines have bits for", () => {
    expect(chunkCount([{ queueSize: 9000, budget: 9008 }], 8)).toBe(MAX_POOL_CHUNKS)
    expect(chunkCount([{ queueSize: 2, budget: 3 }], 8)).toBe(2 + 3 + 1 + 8 + 1)
    const word = chunkWord(MAX_POOL_CHUNKS - 1, 77)
    expect([chunkOf(word), generationOf(word)]).toEqual([MAX_POOL_CHUNKS - 1, 77])
  })

  test("keeps its last byte apart from everything else", () => {
    const ref = makePool("test-pool", 40, 3)
    const pool = new Pool(process.pid, ref)
    try {
      const last = pool.view(39, pool.strideBytes - 8, 8)
      new Uint8Array(last).fill(0xff)
      expect([...new Uint8Array(pool.view(39, pool.strideBytes - 8, 8))]).toEqual(
        Array(8).fill(255),
      )
      expect(pool.lines.every((word) => word === 0)).toBe(true)
      expect(new Uint8Array(pool.view(0, 0, 4096)).every((byte) => byte === 0)).toBe(true)
      expect(new Uint8Array(pool.view(39, 0, 4096)).every((byte) => byte === 0)).toBe(true)
    } finally {
      pool.unmap()
      closeFd(ref.fd)
    }
  })
})
