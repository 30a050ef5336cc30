// An output with its edges and consumers over real shared memory, all of it in this process.
import { BORROW_EXTRA, MAX_LOANS } from "../../src/core/limits.ts"
import type { QueuePolicy } from "../../src/core/policy.ts"
import { FlowClock, readEpoch } from "../../src/shm/clock.ts"
import { closeFd, createPipe } from "../../src/shm/libc.ts"
import { announcePool, chunkCount, makeInbox, makePool } from "../../src/shm/make.ts"
import type { InputPlan, OutputPlan, SegmentRef } from "../../src/shm/plan.ts"
import { Pool } from "../../src/shm/pool.ts"
import { EdgeReader } from "../../src/shm/reader.ts"
import { ConsumerRing, ProducerRing } from "../../src/shm/ring.ts"
import { type RingCounts, ringCounts } from "../../src/shm/ring-counts.ts"
import { Inbox } from "../../src/shm/segment.ts"
import type { Payload } from "../../src/shm/payload.ts"
import { OutputWriter } from "../../src/shm/writer.ts"

/** One consumer of an output. */
export type ConsumerOptions = { queueSize?: number; policy?: QueuePolicy; budget?: number }
/** Options of the output: the first index of every ring, and loans that the pool has room for. */
export type EdgeOptions = { startIndex?: number; loans?: number }

/** Start indices at which counters go wrong if they can: at 0, before 2³¹, before the wrap at 2³². */
export const STARTS = [0, 2 ** 31 - 5, -5]

/** The memory of one edge, and a mapping of it for each end. */
export class TestEdge implements Disposable {
  readonly ref: SegmentRef
  /** Offset of the ring. */
  readonly ring: number
  readonly pipe = createPipe()
  readonly queueSize: number
  readonly policy: QueuePolicy
  readonly budget: number
  /** As the consumer has it mapped. */
  readonly inbox: Inbox
  readonly #pools: Pool[] = []

  constructor(options: ConsumerOptions = {}, startIndex = 0) {
    this.queueSize = options.queueSize ?? 4
    this.policy = options.policy ?? "drop_oldest"
    this.budget = options.budget ?? this.queueSize + BORROW_EXTRA
    const geometry = { queueSize: this.queueSize, policy: this.policy, timer: false }
    const made = makeInbox("test-inbox", [geometry], startIndex)
    this.ref = made.ref
    this.ring = made.rings[0]!
    this.inbox = this.map()
  }

  /** Another mapping of the inbox, as another process has it. */
  map(): Inbox {
    return new Inbox(process.pid, this.ref, this.pipe[0])
  }

  producerRing(): ProducerRing {
    return new ProducerRing(this.map(), this.ring)
  }

  consumerRing(): ConsumerRing {
    return new ConsumerRing(this.inbox, this.ring)
  }

  /** Word index of a word of the ring header. */
  word(name: number): number {
    return (this.ring >> 2) + name
  }

  counts(): RingCounts {
    return ringCounts(this.inbox.words, this.ring)
  }

  inputPlan(pool: SegmentRef | null, line: number): InputPlan {
    return {
      id: "in",
      source: "camera/image",
      ring: this.ring,
      borrowBudget: this.budget,
      periodNs: null,
      pool: pool && { ref: pool, line },
      producer: { inbox: this.ref, wakeFd: this.pipe[0] },
    }
  }

  /** A mapping that is ended with this edge. */
  mapPool(ref: SegmentRef): Pool {
    const pool = new Pool(process.pid, ref)
    this.#pools.push(pool)
    return pool
  }

  [Symbol.dispose](): void {
    for (const fd of [this.ref.fd, ...this.pipe]) closeFd(fd)
    for (const pool of this.#pools) pool.unmap()
  }
}

/** One output with its pool and consumers. */
export class TestOutput implements Disposable {
  readonly edges: TestEdge[]
  readonly pool: SegmentRef
  readonly clock = new FlowClock(readEpoch())
  readonly clockId = Int32Array.of(1, 2, 3, 4)

  /** @example using output = new TestOutput([{ queueSize: 2 }], { startIndex: -5 }) */
  constructor(consumers: ConsumerOptions[] = [{}], options: EdgeOptions = {}) {
    this.edges = consumers.map((consumer) => new TestEdge(consumer, options.startIndex ?? 0))
    this.pool = makePool(
      "test-pool",
      chunkCount(this.edges, options.loans ?? MAX_LOANS),
      this.edges.length,
    )
    for (const edge of this.edges) announcePool(edge.inbox.words, edge.ring, this.pool)
  }

  get plan(): OutputPlan {
    const edges = this.edges.map((edge, line) => ({
      node: "display",
      input: "in",
      inbox: edge.ref,
      wakeFd: edge.pipe[0],
      ring: edge.ring,
      line,
      policy: edge.policy,
    }))
    return { id: "image", pool: this.pool, edges }
  }

  /** A new producer, as a process that starts or takes over makes it. */
  writer(): OutputWriter {
    const edgeOf = (plan: { line: number }) => this.edges[plan.line]!.map()
    return new OutputWriter(this.plan, process.pid, edgeOf, this.clock, this.clockId)
  }

  /** A new consumer of an edge. */
  reader(edge = 0): EdgeReader {
    const one = this.edges[edge]!
    return new EdgeReader(one.inbox, one.inputPlan(this.pool, edge), process.pid)
  }

  [Symbol.dispose](): void {
    for (const edge of this.edges) edge[Symbol.dispose]()
    closeFd(this.pool.fd)
  }
}

/** A message of `byteLength` bytes that follow from `seed`; no Arrow in it. */
export function payload(byteLength: number, seed = 0): Payload {
  return {
    byteLength,
    headerLength: 0,
    template: 0,
    flat: null,
    write: (target, at) => {
      for (let i = 0; i < byteLength; i++) target[at + i] = byteAt(seed, i)
    },
  }
}

/** Are these the bytes of {@link payload}? */
export function isPayload(bytes: Uint8Array, byteLength: number, seed = 0): boolean {
  if (bytes.byteLength !== byteLength) return false
  return bytes.every((byte, i) => byte === byteAt(seed, i))
}

/** Sends a payload through a slot or a chunk, as an output of a node does. False: there is no room. */
export function send(
  writer: OutputWriter,
  message: Payload,
  parameters: Uint8Array | null = null,
): boolean {
  if (!writer.ready(false)) return false
  const total = ((message.byteLength + 7) & ~7) + (parameters?.byteLength ?? 0)
  if (total <= writer.inlineBytes) {
    writer.publishInline(message, parameters)
    return true
  }
  const chunk = writer.allocate(message.byteLength)
  if (chunk < 0) return false
  writer.write(chunk, message)
  writer.publishChunk(chunk, message, parameters)
  return true
}

function byteAt(seed: number, i: number): number {
  return (Math.imul(seed, 31) + Math.imul(i, 7) + (i >> 8)) & 0xff
}
