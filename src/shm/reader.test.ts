import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import {
  isPayload,
  payload,
  send,
  STARTS,
  TestOutput,
  type ConsumerOptions,
} from "../../test/support/edge.ts"
import { INLINE_BYTES, MAX_PARAMETER_BYTES, MAX_PAYLOAD_BYTES } from "../core/limits.ts"
import {
  CHUNK_WORD,
  COPIED_BYTES_FLOAT,
  COPIED_WORD,
  GENERATION_WORD,
  TEMPLATE_WORD,
  WANT_WORD,
} from "./layout.ts"
import { chunkWord } from "./pool.ts"
import { EdgePoisonedError } from "./errors.ts"
import type { Borrow } from "./consumer-pool.ts"
import type { EdgeReader } from "./reader.ts"

const SEED = 20_261_203
/** Too large for a slot. */
const LARGE = INLINE_BYTES + 100

/** The stream that was taken, wherever it lies. */
function streamOf(reader: EdgeReader): Uint8Array {
  return reader.borrow ? new Uint8Array(reader.borrow.buffer) : reader.stream!
}

describe("what is sent is what is taken", () => {
  const near = (size: number) => [-9, -8, -1, 0, 1, 7, 8].map((by) => size + by)
  const sizes = [0, 1, 7, 8, 9, 500, ...near(INLINE_BYTES), 2 * LARGE, 70_000]
  const parameters = [0, 1, 8, 100, MAX_PARAMETER_BYTES]

  test.each(sizes)("for a stream of %i bytes, with and without parameters", (size) => {
    using output = new TestOutput()
    const [writer, reader] = [output.writer(), output.reader()]
    for (const extra of parameters) {
      const bytes = crypto.getRandomValues(new Uint8Array(extra))
      expect(send(writer, payload(size, extra), extra > 0 ? bytes : null)).toBe(true)
      expect(reader.take()).toBe(true)
      expect(reader.length).toBe(size)
      const rounded = (size + 7) & ~7
      expect(reader.borrow === null).toBe(rounded + extra <= INLINE_BYTES)
      expect(isPayload(streamOf(reader), size, extra)).toBe(true)
      expect(reader.parameters ?? new Uint8Array(0)).toEqual(bytes)
      reader.borrow?.release()
    }
    expect(reader.take()).toBe(false)
  })

  test("for 256 MiB and its parameters, in memory that is only there where it is touched", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const [writer, reader] = [output.writer(), output.reader()]
    const size = MAX_PAYLOAD_BYTES + 512
    const chunk = writer.allocate(8192)
    const buffer = writer.lend(chunk, size)
    const view = new Uint8Array(buffer)
    view[0] = 17
    view[size - 1] = 71
    writer.detach(chunk, buffer)
    writer.publishChunk(chunk, payload(size), Uint8Array.of(1, 2, 3))
    expect(reader.take()).toBe(true)
    const stream = new Uint8Array(reader.borrow!.buffer)
    expect([stream.length, stream[0], stream[1e6], stream[size - 1]]).toEqual([size, 17, 0, 71])
    expect(reader.parameters).toEqual(Uint8Array.of(1, 2, 3))
    reader.borrow!.release()
    expect(stream.length).toBe(0)
  })

  type Step = { do: "send" | "take" | "drop" | "restart"; size: number; extra: number }
  const aroundLimit = fc.integer({ min: INLINE_BYTES - 100, max: LARGE })
  const size = fc.oneof(fc.nat(20), aroundLimit, fc.nat(2 * LARGE))
  const steps = fc.array(
    fc.record<Step>({
      do: fc.constantFrom("send", "send", "send", "take", "take", "take", "drop", "restart"),
      size,
      extra: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(2000)),
    }),
    { maxLength: 60, size: "max" },
  )

  for (const startIndex of STARTS) {
    for (const policy of ["drop_oldest", "backpressure"] as const) {
      test(`in order, whole, and counted, with ${policy} from index ${startIndex}`, () => {
        const property = fc.property(steps, (list) => expectStream(list, { policy }, startIndex))
        fc.assert(property, { seed: SEED, numRuns: 60, includeErrorInReport: true })
      })
    }
  }

  /** A consumer that keeps some messages, a producer that is replaced now and then: nothing is mixed up. */
  function expectStream(list: Step[], options: ConsumerOptions, startIndex: number): void {
    using output = new TestOutput([{ queueSize: 3, budget: 2, ...options }], { startIndex })
    const reader = output.reader()
    const queue: { size: number; extra: number; seed: number }[] = []
    const held: { borrow: Borrow; size: number; seed: number }[] = []
    let writer = output.writer()
    let sent = 0
    for (const { do: what, size, extra } of list) {
      if (what === "send") {
        const parameters = new Uint8Array(extra).fill(sent)
        if (!send(writer, payload(size, sent), extra > 0 ? parameters : null)) continue
        if (queue.push({ size, extra, seed: sent++ }) > 3) queue.shift()
      } else if (what === "take") {
        expect(reader.take()).toBe(queue.length > 0)
        const next = queue.shift()
        if (!next) continue
        expect(isPayload(streamOf(reader), next.size, next.seed)).toBe(true)
        expect(reader.parameters?.length ?? 0).toBe(next.extra)
        expect(reader.parameters?.every((byte) => byte === (next.seed & 0xff)) ?? true).toBe(true)
        if (reader.borrow) held.push({ ...next, borrow: reader.borrow })
      } else if (what === "drop") held.shift()?.borrow.release()
      // Its pool is one generation on, so it can't give out what consumers still hold.
      else if (held.length === 0 && queue.length === 0) writer = output.writer()
      for (const { borrow, size, seed } of held) {
        expect(isPayload(new Uint8Array(borrow.buffer), size, seed)).toBe(true)
      }
    }
    const { taken, dropped, queued } = output.edges[0]!.counts()
    expect(taken + dropped + queued).toBe(sent)
    expect(queued).toBe(queue.length)
  }
})

describe("a consumer", () => {
  test("that holds as many large messages as it may gets the next ones as copies, and they are counted", () => {
    using output = new TestOutput([{ queueSize: 2, budget: 3 }])
    const [writer, reader] = [output.writer(), output.reader()]
    const held: Borrow[] = []
    const next = (seed: number) => {
      send(writer, payload(LARGE, seed))
      expect(reader.take()).toBe(true)
      expect(isPayload(streamOf(reader), LARGE, seed)).toBe(true)
      return reader.borrow
    }
    const { inbox, ring } = output.edges[0]!
    const copied = () => inbox.words[(ring >> 2) + COPIED_WORD]
    const copiedBytes = () => inbox.floats[(ring >> 3) + COPIED_BYTES_FLOAT]
    for (let i = 0; i < 3; i++) held.push(next(i)!)
    expect([next(3), next(4), copied(), copiedBytes()]).toEqual([null, null, 2, 2 * LARGE])
    expect(reader.stream!.length).toBe(LARGE)
    held.shift()!.release()
    expect(next(5)).not.toBeNull()
    expect(copied()).toBe(2)
    held.forEach((borrow, i) => {
      expect(isPayload(new Uint8Array(borrow.buffer), LARGE, i + 1)).toBe(true)
    })
  })

  test("whose message gave way while it read gets the next one, and marks nothing for good", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const [writer, reader] = [output.writer(), output.reader()]
    send(writer, payload(LARGE, 1))
    const claim = reader.ring.claim.bind(reader.ring)
    let lost = 0
    reader.ring.claim = () => {
      if (lost++ === 0) send(writer, payload(2 * LARGE, 2))
      return claim()
    }
    expect(reader.take()).toBe(true)
    expect(isPayload(streamOf(reader), 2 * LARGE, 2)).toBe(true)
    expect(reader.borrow!.pool.borrowed).toBe(1)
    expect(output.edges[0]!.counts()).toEqual({ sent: 2, taken: 1, dropped: 1, queued: 0 })
  })

  test("gives credit once for each claim that is waited for", () => {
    using output = new TestOutput([{ queueSize: 1, policy: "backpressure" }])
    const [writer, reader] = [output.writer(), output.reader()]
    let credits = 0
    reader.onCredit = () => void credits++
    send(writer, payload(8))
    expect(writer.ready(true)).toBe(false)
    expect(output.edges[0]!.inbox.words[output.edges[0]!.word(WANT_WORD)]).toBe(1)
    reader.take()
    expect([credits, writer.ready(true)]).toEqual([1, true])
    writer.unwant()
    send(writer, payload(8))
    reader.take()
    expect(credits).toBe(1)
  })
})

describe("messages of a template", () => {
  const floats = (template: number, ...values: number[]) => {
    const flat = Float32Array.from(values)
    const write = (target: Uint8Array, at: number) => {
      target.fill(9, at, at + 64)
      target.set(new Uint8Array(flat.buffer), at + 64)
    }
    return { byteLength: 64 + flat.byteLength + 8, headerLength: 64, template, flat, write }
  }

  test("come as their elements once the template is known", () => {
    using output = new TestOutput([{ queueSize: 4 }])
    const [writer, reader] = [output.writer(), output.reader()]
    for (let i = 0; i < 12; i++) {
      send(writer, floats(5, i, i + 0.5))
      expect(reader.take()).toBe(true)
      expect(reader.template).toBe(5)
      if (i === 0) {
        expect(reader.stream!.length).toBe(80)
        reader.learn(5, Float32Array, 64, 2)
      } else {
        expect(reader.stream).toBeNull()
        expect(reader.body).toEqual(Float32Array.of(i, i + 0.5))
      }
    }
  })

  test("are told apart from those of another template and of none", () => {
    using output = new TestOutput([{ queueSize: 4 }])
    const [writer, reader] = [output.writer(), output.reader()]
    reader.learn(1, Float32Array, 64, 1)
    reader.learn(2, Float32Array, 64, 3)
    for (let i = 0; i < 8; i++) {
      send(writer, floats(1, i))
      send(writer, floats(2, i, i, i))
      send(writer, payload(80, i))
      reader.take()
      expect(reader.body).toEqual(Float32Array.of(i))
      reader.take()
      expect(reader.body).toEqual(Float32Array.of(i, i, i))
      reader.take()
      expect(isPayload(reader.stream!, 80, i)).toBe(true)
    }
  })

  test("that are large don't mislead what is read of a slot while it is rewritten", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const [writer, reader] = [output.writer(), output.reader()]
    reader.learn(7, Float32Array, 64, 10_000_000)
    send(writer, payload(80, 1))
    const { words } = reader.ring
    // The consumer sees the template of the next message beside the chunk word of this one.
    words[reader.ring.slot + TEMPLATE_WORD] = 7
    const claim = reader.ring.claim.bind(reader.ring)
    let tries = 0
    reader.ring.claim = () => {
      if (tries++ === 0) send(writer, payload(96, 2))
      return claim()
    }
    expect(reader.take()).toBe(true)
    expect(isPayload(reader.stream!, 96, 2)).toBe(true)
  })
})

test("a generation that the daemon did not announce is no pool of this edge", () => {
  using output = new TestOutput([{ queueSize: 4 }])
  const [writer, reader] = [output.writer(), output.reader()]
  send(writer, payload(LARGE, 1))
  reader.take()
  const { borrow, ring } = reader
  send(writer, payload(LARGE, 2))
  ring.words[ring.slot + CHUNK_WORD] = chunkWord(1, 3)
  expect(() => reader.take()).toThrow(EdgePoisonedError)
  // What the consumer holds stays marked.
  expect(Atomics.load(borrow!.pool.pool.lines, 0)).toBe(1)
  ring.words[ring.base + GENERATION_WORD] = 3
})
