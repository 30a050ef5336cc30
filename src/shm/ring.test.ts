import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { STARTS, TestEdge } from "../../test/support/edge.ts"
import type { QueuePolicy } from "../core/policy.ts"
import { HEAD_WORD, LENGTH_WORD, WAITED_WORD, WANT_HALF, WANT_ROOM } from "./layout.ts"
import type { ConsumerRing, ProducerRing } from "./ring.ts"

const SEED = 20_261_201
const RUNS = 200

type Step = "publish" | "take" | "look" | "claim" | "restart" | "successor" | "close"
const steps = fc.array(
  fc.constantFrom<Step>(
    ...(["publish", "publish", "publish", "take", "take", "look", "claim", "restart"] as const),
    ...(["successor", "close"] as const),
  ),
  { maxLength: 80, size: "max" },
)

/** A ring and a plain queue that is told the same; every step compares them. */
class Twin implements Disposable {
  readonly edge: TestEdge
  producer: ProducerRing
  consumer: ConsumerRing
  readonly queue: number[] = []
  sent = 0
  taken = 0
  dropped = 0
  closed = false
  /** What the consumer has read of a slot and not claimed yet. */
  seen: number | null = null

  constructor(queueSize: number, policy: QueuePolicy, startIndex: number) {
    this.edge = new TestEdge({ queueSize, policy }, startIndex)
    this.producer = this.edge.producerRing()
    this.consumer = this.edge.consumerRing()
  }

  step(step: Step): void {
    this[step]()
    const { sent, taken, dropped, queue } = this
    expect(this.edge.counts()).toEqual({ sent, taken, dropped, queued: queue.length })
  }

  publish(): void {
    if (this.closed) return
    const { producer, queue, edge } = this
    expect(producer.hasRoom()).toBe(queue.length < edge.queueSize)
    if (!producer.hasRoom()) {
      if (edge.policy === "backpressure") return
      expect(producer.dropOldest()).toBe(true)
      queue.shift()
      this.dropped++
    }
    producer.words[producer.slot + LENGTH_WORD] = ++this.sent
    producer.commit(8)
    queue.push(this.sent)
  }

  take(): void {
    const { taken } = this
    const some = this.queue.length > 0
    do this.look()
    while (this.seen !== null && !this.claim())
    expect(this.taken - taken).toBe(some ? 1 : 0)
  }

  look(): void {
    const found = this.consumer.ready()
    expect(found).toBe(this.queue.length > 0)
    this.seen = found ? this.consumer.words[this.consumer.slot + LENGTH_WORD]! : null
    // It may be one that was dropped; the claim will tell.
    if (found) expect(this.seen).toBeLessThanOrEqual(this.queue[0]!)
  }

  claim(): boolean {
    if (this.seen === null) return false
    const honest = this.seen === this.queue[0]
    expect(this.consumer.claim()).toBe(honest)
    this.seen = null
    if (!honest) return false
    expect(this.consumer.depth()).toBe(this.queue.length)
    this.queue.shift()
    this.taken++
    expect(this.consumer.taken()).toBe(false)
    return true
  }

  /** The consumer's process is another one; it was in the middle of nothing. */
  restart(): void {
    this.consumer = this.edge.consumerRing()
    this.seen = null
  }

  successor(): void {
    this.producer = this.edge.producerRing()
  }

  close(): void {
    this.producer.close()
    this.closed = true
    this.seen = null
    expect(this.consumer.checkEnd()).toBe(this.queue.length === 0)
  }

  [Symbol.dispose](): void {
    this.edge[Symbol.dispose]()
  }
}

function expectTwin(queueSize: number, policy: QueuePolicy, startIndex: number): void {
  const property = fc.property(steps, (list) => {
    using twin = new Twin(queueSize, policy, startIndex)
    for (const step of list) twin.step(step)
    twin.step("close")
    while (twin.queue.length > 0) twin.step("take")
    expect(twin.consumer.checkEnd()).toBe(true)
    expect(twin.sent).toBe(twin.taken + twin.dropped)
  })
  fc.assert(property, { seed: SEED, numRuns: RUNS, includeErrorInReport: true })
}

describe("a ring behaves as a queue, and its counters are exact at every step", () => {
  for (const start of STARTS) {
    for (const queueSize of [1, 3, 4]) {
      test(`of ${queueSize} that loses the oldest, from index ${start}`, () => {
        expectTwin(queueSize, "drop_oldest", start)
      })
      test(`of ${queueSize} that holds the sender, from index ${start}`, () => {
        expectTwin(queueSize, "backpressure", start)
      })
    }
  }
})

describe("a consumer", () => {
  test.each(STARTS)("that was lapped goes on with the oldest message left (%i)", (start) => {
    using twin = new Twin(3, "drop_oldest", start)
    twin.publish()
    twin.look()
    for (let i = 0; i < 100; i++) twin.step("publish")
    expect(twin.consumer.claim()).toBe(false)
    twin.seen = null
    for (const left of [99, 100, 101]) {
      expect(twin.queue[0]).toBe(left)
      twin.step("take")
    }
    expect(twin.consumer.ready()).toBe(false)
  })

  test("sees the end only after the last message, and nothing after it", () => {
    using twin = new Twin(4, "drop_oldest", 0)
    twin.publish()
    twin.publish()
    twin.producer.close()
    expect(twin.consumer.checkEnd()).toBe(false)
    twin.take()
    expect(twin.consumer.checkEnd()).toBe(false)
    twin.take()
    expect(twin.consumer.checkEnd()).toBe(true)
    expect(twin.consumer.ready()).toBe(false)
  })
})

describe("a producer", () => {
  test("that waits for credit is told after the next claim, until it no longer waits", () => {
    using twin = new Twin(2, "backpressure", -1)
    twin.step("publish")
    twin.step("publish")
    expect(twin.producer.hasRoom()).toBe(false)
    twin.producer.want(WANT_ROOM)
    twin.producer.want(WANT_ROOM)
    expect(twin.edge.inbox.words[twin.edge.word(WAITED_WORD)]).toBe(1)
    expect(twin.consumer.ready() && twin.consumer.claim() && twin.consumer.taken()).toBe(true)
    twin.producer.want(0)
    expect(twin.consumer.ready() && twin.consumer.claim()).toBe(true)
    expect(twin.consumer.taken()).toBe(false)
    expect(twin.producer.hasRoom()).toBe(true)
  })

  test("that waits for half of the queue is told when half is free, and looks for that itself", () => {
    using twin = new Twin(4, "backpressure", 2 ** 31 - 2)
    for (let i = 0; i < 4; i++) twin.step("publish")
    twin.producer.want(WANT_HALF)
    const told: [boolean, boolean][] = []
    for (let i = 0; i < 4; i++) {
      expect(twin.consumer.ready() && twin.consumer.claim()).toBe(true)
      told.push([twin.consumer.taken(), twin.producer.isRoomy()])
    }
    expect(told).toEqual([
      [false, false],
      [true, true],
      [true, true],
      [true, true],
    ])
  })

  test.each(STARTS)("takes over behind everything that was published (%i)", (start) => {
    using edge = new TestEdge({ queueSize: 4 }, start)
    const consumer = edge.consumerRing()
    // Each predecessor dies between its commit and the hint.
    for (let death = 1; death <= 3; death++) {
      const producer = edge.producerRing()
      producer.words[producer.slot + LENGTH_WORD] = death
      producer.commit(8)
      edge.inbox.words[edge.word(HEAD_WORD)] = start
    }
    const producer = edge.producerRing()
    expect(producer.head).toBe((start + 3) | 0)
    // For C code that publishes beside it the hint must be exact.
    producer.follow()
    expect(producer.head).toBe((start + 3) | 0)
    for (let expected = 1; expected <= 3; expected++) {
      expect(consumer.ready()).toBe(true)
      expect(consumer.words[consumer.slot + LENGTH_WORD]).toBe(expected)
      expect(consumer.claim()).toBe(true)
    }
    expect(consumer.ready()).toBe(false)
  })
})
