import { describe, expect, test } from "bun:test"
import { isPayload, payload, send, TestOutput } from "../../test/support/edge.ts"
import { INLINE_BYTES, MAX_LOANS } from "../core/limits.ts"
import {
  ABANDONED_WORD,
  CHUNK_WORD,
  CLOCK_ID_WORD,
  CLOSED_WORD,
  FRACTION_WORD,
  GENERATION_WORD,
  HEADER_LENGTH_WORD,
  LENGTH_WORD,
  LENT_BYTES_FLOAT,
  PARAMETERS_WORD,
  SECONDS_WORD,
  SENT_BYTES_FLOAT,
  SLOT_HEADER_BYTES,
  TEMPLATE_WORD,
  WANT_WORD,
} from "./layout.ts"
import type { EdgeReader } from "./reader.ts"
import { PoolExhaustedError } from "./errors.ts"
import type { Payload } from "./payload.ts"
import type { OutputWriter } from "./writer.ts"

const LARGE = INLINE_BYTES + 8
const HEADER = 64

/** A flat message; `writes` counts how often the whole of it was written. */
function floats(template: number, ...values: number[]): Payload & { writes: number } {
  const flat = Float32Array.from(values)
  const message = {
    byteLength: HEADER + flat.byteLength,
    headerLength: HEADER,
    template,
    flat,
    writes: 0,
    write: (target: Uint8Array, at: number) => {
      message.writes++
      target.fill(template, at, at + HEADER)
      target.set(new Uint8Array(flat.buffer), at + HEADER)
    },
  }
  return message
}

function take(reader: EdgeReader): Uint8Array {
  expect(reader.take()).toBe(true)
  const stream = reader.borrow ? new Uint8Array(reader.borrow.buffer).slice() : reader.stream!
  reader.borrow?.release()
  return stream
}

/** Word index of a slot of an edge's ring, by message index. */
function slotAt(output: TestOutput, index: number): number {
  const ring = output.edges[0]!.consumerRing()
  ring.tail = index
  return ring.slot
}

describe("a slot", () => {
  test("says all there is to say of its message, whether the message is in it or in a chunk", () => {
    using output = new TestOutput([{ queueSize: 2 }])
    const writer = output.writer()
    send(writer, { ...payload(10), headerLength: 3, template: 5 }, Uint8Array.of(7, 8, 9))
    send(writer, { ...payload(LARGE), headerLength: 3, template: 5 })
    const { words, bytes } = output.edges[0]!.inbox
    const [inline, chunk] = [slotAt(output, 0), slotAt(output, 1)]
    const said = (slot: number) =>
      [LENGTH_WORD, CHUNK_WORD, TEMPLATE_WORD, PARAMETERS_WORD, HEADER_LENGTH_WORD].map(
        (word) => words[slot + word],
      )
    expect(said(inline)).toEqual([10, -1, 5, 3, 3])
    expect(said(chunk)).toEqual([LARGE, 0, 5, 0, 3])
    // Parameters follow the stream at the next multiple of 8.
    const at = inline * 4 + SLOT_HEADER_BYTES + 16
    expect([...bytes.subarray(at, at + 3)]).toEqual([7, 8, 9])
    for (const slot of [inline, chunk]) {
      expect(words.slice(slot + CLOCK_ID_WORD, slot + CLOCK_ID_WORD + 4)).toEqual(output.clockId)
      expect(words[slot + SECONDS_WORD]! >>> 0).toBeGreaterThan(1.7e9)
    }
    expect(words[inline + FRACTION_WORD]).not.toBe(words[chunk + FRACTION_WORD])
  })

  test("counts as the bytes of its body, and as lent when its sender filled it in place", () => {
    using output = new TestOutput([{ queueSize: 4 }])
    const writer = output.writer()
    const { ring, inbox } = output.edges[0]!
    const counted = () =>
      [SENT_BYTES_FLOAT, LENT_BYTES_FLOAT].map((at) => inbox.floats[(ring >> 3) + at])
    const [header, end] = [64, 8]
    const message = { ...payload(header + 100 + end), headerLength: header }
    send(writer, message)
    expect(counted()).toEqual([100, 0])
    const large = { ...payload(header + LARGE + end), headerLength: header }
    send(writer, large)
    expect(counted()).toEqual([100 + LARGE, 0])
    const loan = writer.allocate(LARGE)
    writer.writeFrame(loan, 0, () => large)
    writer.publishChunk(loan, large, null)
    expect(counted()).toEqual([100 + 2 * LARGE, LARGE])
    // Who does not say where its body begins is counted as a whole.
    send(writer, payload(10))
    expect(counted()).toEqual([110 + 2 * LARGE, LARGE])
  })

  test("keeps its header from one message of a template to the next", () => {
    using output = new TestOutput([{ queueSize: 2 }])
    const [writer, reader] = [output.writer(), output.reader()]
    const message = floats(3, 1, 2)
    for (let i = 0; i < 9; i++) {
      message.flat!.set([i, i + 1] as never)
      send(writer, message)
      const stream = take(reader)
      expect(stream[0]).toBe(3)
      expect(new Float32Array(stream.buffer, HEADER)).toEqual(Float32Array.of(i, i + 1))
    }
    // Once for each slot.
    expect(message.writes).toBe(2)
  })

  test("gets a header after anything else was in it, and from each new producer", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const reader = output.reader()
    const kinds: [string, (writer: OutputWriter) => void][] = [
      ["another template", (writer) => send(writer, floats(4, 1))],
      ["no template", (writer) => send(writer, payload(200, 1))],
      ["a template without elements", (writer) => send(writer, { ...payload(80), template: 9 })],
      ["a large message", (writer) => send(writer, payload(LARGE))],
    ]
    for (const [name, between] of kinds) {
      for (let producer = 1; producer <= 2; producer++) {
        const writer = output.writer()
        send(writer, floats(3, 1))
        take(reader)
        between(writer)
        take(reader)
        send(writer, floats(3, 5))
        const stream = take(reader)
        expect([name, stream[0], stream[HEADER - 1]]).toEqual([name, 3, 3])
        expect(new Float32Array(stream.buffer, HEADER)).toEqual(Float32Array.of(5))
      }
    }
  })

  test("names templates by generation, and none that has too large a number", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const reader = output.reader()
    const templateOf = (generation: number, template: number) => {
      const { inbox, word } = output.edges[0]!
      inbox.words[word.call(output.edges[0], GENERATION_WORD)] = generation
      send(output.writer(), floats(template, 1))
      take(reader)
      return reader.template
    }
    const numbers = [templateOf(0, 1), templateOf(1, 1), templateOf(1, 2), templateOf(2047, 2)]
    expect(new Set(numbers).size).toBe(4)
    expect(numbers.every((number) => number > 0)).toBe(true)
    expect([templateOf(0, 0), templateOf(1, 2 ** 20)]).toEqual([0, 0])
  })
})

describe("an output with several consumers", () => {
  test("writes a large message once and gives it to all", () => {
    using output = new TestOutput([{}, {}, {}])
    const writer = output.writer()
    const message = { ...payload(LARGE, 4), writes: 0 }
    const { write } = message
    message.write = (target, at) => {
      message.writes++
      write(target, at)
    }
    send(writer, message)
    const readers = [0, 1, 2].map((edge) => output.reader(edge))
    for (const reader of readers) expect(reader.take()).toBe(true)
    expect(new Set(readers.map((reader) => reader.borrow!.chunk)).size).toBe(1)
    for (const { borrow } of readers) {
      expect(isPayload(new Uint8Array(borrow!.buffer), LARGE, 4)).toBe(true)
    }
    expect(message.writes).toBe(1)
  })

  test("waits until every one that holds it back has room, and asks only the full ones", () => {
    const held = { queueSize: 1, policy: "backpressure" } as const
    using output = new TestOutput([held, { queueSize: 2, policy: "backpressure" }, {}])
    const writer = output.writer()
    const wants = () => output.edges.map((edge) => edge.inbox.words[edge.word(WANT_WORD)])
    expect(send(writer, payload(8))).toBe(true)
    expect(writer.ready(false)).toBe(false)
    expect(wants()).toEqual([0, 0, 0])
    expect(writer.ready(true)).toBe(false)
    expect(wants()).toEqual([1, 0, 0])
    take(output.reader(0))
    expect(writer.ready(true)).toBe(true)
    writer.unwant()
    expect(wants()).toEqual([0, 0, 0])
    expect(output.edges.map((edge) => edge.counts().sent)).toEqual([1, 1, 1])
  })

  test("goes on without those that have left for good, and uses their chunks again", () => {
    const held = { queueSize: 2, policy: "backpressure" } as const
    using output = new TestOutput([held, { queueSize: 2 }], { loans: 0 })
    const [writer, reader] = [output.writer(), output.reader(1)]
    for (let i = 0; i < 2; i++) {
      send(writer, payload(LARGE, i))
      take(reader)
    }
    expect(writer.ready(true)).toBe(false)
    const [left] = output.edges
    Atomics.store(left!.inbox.words, left!.word(ABANDONED_WORD), 1)
    for (let i = 0; i < 50; i++) {
      expect(send(writer, payload(LARGE, i))).toBe(true)
      expect(isPayload(take(reader), LARGE, i)).toBe(true)
    }
    expect(left!.counts()).toEqual({ sent: 2, taken: 0, dropped: 0, queued: 2 })
  })

  test("that is closed is closed for each of them, once they have everything", () => {
    using output = new TestOutput([{}, {}])
    const writer = output.writer()
    send(writer, payload(8))
    writer.close()
    writer.close()
    for (const edge of [0, 1]) {
      const reader = output.reader(edge)
      expect(reader.ring.checkEnd()).toBe(false)
      take(reader)
      expect(reader.ring.checkEnd()).toBe(true)
      const { inbox, word } = output.edges[edge]!
      expect(inbox.words[word.call(output.edges[edge], CLOSED_WORD)]).toBe(1)
    }
  })
})

describe("memory for large messages", () => {
  test("comes from the longest queue that may lose its oldest, and the loss is counted", () => {
    using output = new TestOutput([{ queueSize: 3 }, { queueSize: 5 }])
    const writer = output.writer()
    for (let i = 0; i < 5; i++) send(writer, payload(LARGE, i))
    const lent: number[] = []
    while (output.edges[1]!.counts().dropped === 0) lent.push(writer.allocate(LARGE))
    expect(new Set(lent).size).toBe(lent.length)
    expect(output.edges[1]!.counts()).toEqual({ sent: 5, taken: 0, dropped: 1, queued: 4 })
    expect(isPayload(take(output.reader(1)), LARGE, 1)).toBe(true)
  })

  test("is waited for where the only queue may lose nothing", () => {
    using output = new TestOutput([{ queueSize: 3, policy: "backpressure" }])
    const [writer, reader] = [output.writer(), output.reader()]
    for (let i = 0; i < 3; i++) send(writer, payload(LARGE, i))
    while (writer.allocate(LARGE) >= 0);
    expect(output.edges[0]!.counts()).toEqual({ sent: 3, taken: 0, dropped: 0, queued: 3 })
    expect(isPayload(take(reader), LARGE, 0)).toBe(true)
    expect(writer.allocate(LARGE)).toBeGreaterThanOrEqual(0)
  })

  test("that nobody gives back ends in an error which says so", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const writer = output.writer()
    const lend = () => {
      for (let i = 0; i < 100; i++) writer.allocate(LARGE)
    }
    expect(lend).toThrow(PoolExhaustedError)
    expect(lend).toThrow("output `image` has no free memory for a large message")
  })

  test("is enough for the loans that an output may have and everything its consumer may hold", () => {
    using output = new TestOutput([{ queueSize: 2, budget: 3 }])
    const [writer, reader] = [output.writer(), output.reader()]
    for (let i = 0; i < MAX_LOANS; i++) writer.allocate(LARGE)
    for (let i = 0; i < 20; i++) {
      send(writer, payload(LARGE, i))
      if (i < 3) expect(reader.take()).toBe(true)
    }
    expect(output.edges[0]!.counts()).toEqual({ sent: 20, taken: 3, dropped: 15, queued: 2 })
  })

  test("is not written where header and trailer are there already", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const [writer, reader] = [output.writer(), output.reader()]
    const message = floats(8, ...new Array<number>(LARGE))
    for (let i = 1; i <= 5; i++) {
      // So large that two are looked for together: they take turns.
      const chunk = writer.allocate(8 * 1024 * 1024)
      writer.writeFrame(chunk, 8, () => message)
      const buffer = writer.lend(chunk, message.byteLength)
      const array = new Float32Array(buffer, HEADER, LARGE)
      array.fill(i)
      writer.detach(chunk, buffer)
      expect([array.length, buffer.detached]).toEqual([0, true])
      writer.publishChunk(chunk, message, null)
      const stream = take(reader)
      expect(stream[0]).toBe(8)
      expect(new Float32Array(stream.buffer, HEADER).every((value) => value === i)).toBe(true)
    }
    expect(message.writes).toBe(2)
    for (let i = 0; i < 2; i++) {
      send(writer, payload(message.byteLength))
      take(reader)
    }
    writer.writeFrame(writer.allocate(LARGE), 8, () => message)
    expect(message.writes).toBe(3)
  })
})
