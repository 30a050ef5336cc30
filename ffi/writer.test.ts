// C and JavaScript publish on the same edges in turns: order, bytes, stamps and counts stay those of one producer.
import { describe, expect } from "bun:test"
import { dlopen } from "bun:ffi"
import { Random } from "../test/faults/random.ts"
import { type ConsumerOptions, send, STARTS, TestOutput } from "../test/support/edge.ts"
import { buildPeer, LIBRARY, withCc } from "../test/support/peer.ts"
import { INLINE_BYTES } from "../src/core/limits.ts"
import {
  ABANDONED_WORD,
  SENT_BYTES_FLOAT,
  WAKE_PARKED_FUTEX,
  WAKE_RUNNING,
  WAKE_WORD,
} from "../src/shm/layout.ts"
import type { Payload } from "../src/shm/payload.ts"
import type { EdgeReader } from "../src/shm/reader.ts"

const SEED = 20_261_128
const STEPS = 4000
const HEADER = 64
const END = 8
const LARGE = INLINE_BYTES + 64
const SYMBOLS = {
  wp_open: { args: ["buffer"], returns: "i32" },
  wp_send: {
    args: ["buffer", "i32", "buffer", "i32", "i32", "buffer", "i32", "i32"],
    returns: "i32",
  },
  wp_pass: { args: ["buffer", "i32"], returns: "i32" },
} as const
const USUAL = Uint8Array.of(1, 2, 3)

let peer: ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"]

buildPeer("writer_peer", LIBRARY, (path) => {
  peer = dlopen(path, SYMBOLS).symbols
})

/** A message: a header that is its template's, elements, an end mark. Large ones repeat their number. */
function message(template: number, number: number, bytes: number): Payload {
  const flat = new Int32Array(new ArrayBuffer(bytes)).fill(number)
  const byteLength = HEADER + bytes + END
  const write = (target: Uint8Array, at: number) => {
    target.fill(template, at, at + HEADER)
    target.set(new Uint8Array(flat.buffer), at + HEADER)
    target.set([255, 255, 255, 255, 0, 0, 0, 0], at + HEADER + bytes)
  }
  return { byteLength, headerLength: HEADER, template, flat, write }
}

type Expected = { template: number; number: number; parameters: string }

/** What an edge must hold, and what it has counted. */
class Model {
  readonly queue: Expected[] = []
  sent = 0
  bytes = 0
  taken = 0
  gone = false
  last = -1n
}

function publishByC(template: number, number: number, bytes: number): number {
  const header = new Uint8Array(HEADER).fill(template)
  const body = new Int32Array(new ArrayBuffer(bytes)).fill(number)
  return peer.wp_send(header, HEADER, body, bytes, template, USUAL, USUAL.byteLength, -1)
}

function takeOne(reader: EdgeReader, model: Model): void {
  const expected = model.queue.shift()
  expect(reader.take()).toBe(expected !== undefined)
  if (!expected) return
  model.taken++
  const bytes = reader.borrow ? new Uint8Array(reader.borrow.buffer).slice() : reader.stream!
  reader.borrow?.release()
  const end = bytes.byteLength - END
  const elements = new Int32Array(bytes.slice(HEADER, end).buffer)
  expect([bytes[0], bytes[HEADER - 1], elements[0], elements.at(-1)]).toEqual([
    expected.template,
    expected.template,
    expected.number,
    expected.number,
  ])
  expect([...bytes.subarray(end)]).toEqual([255, 255, 255, 255, 0, 0, 0, 0])
  expect(String(reader.parameters)).toBe(expected.parameters)
  const stamp = BigInt(reader.seconds >>> 0) * 2n ** 32n + BigInt(reader.fraction >>> 0)
  expect(stamp > model.last).toBe(true)
  model.last = stamp
}

const held = (queueSize: number) => ({ queueSize, policy: "backpressure" }) as const
const MIXES: [string, ConsumerOptions[]][] = [
  ["one that drops", [{ queueSize: 4 }]],
  ["one of a single slot", [{ queueSize: 1 }]],
  ["one that holds back", [held(3)]],
  ["several", [{ queueSize: 3 }, held(5), { queueSize: 70 }]],
  ["two that hold back", [held(2), held(9)]],
]

describe.each(MIXES)("with consumers like %s", (name, consumers) => {
  for (const startIndex of STARTS) {
    withCc(`C and JavaScript are one producer, from index ${startIndex}`, () => {
      using output = new TestOutput(consumers, { startIndex })
      const writer = output.writer()
      expect(peer.wp_open(writer.share())).toBe(1)
      const readers = consumers.map((_, edge) => output.reader(edge))
      const models = consumers.map(() => new Model())
      const random = new Random(SEED + startIndex + name.length)
      const inline = writer.inlineBytes > 1024 ? [8, 4096] : [8, 64]
      const made = { c: 0, js: 0 }
      for (let number = 1; number <= STEPS; number++) {
        const what = random.below(16)
        if (what === 15 && number > STEPS / 2) leave(random.below(40))
        else if (what > 8) takeFrom(random.below(readers.length))
        else if (what === 8) output.clock.idle()
        else if (what === 7) output.clock.observe(output.clock.seconds, output.clock.fraction + 99)
        else publish(what, 1 + random.below(2), number)
      }
      for (const [edge, model] of models.entries()) {
        if (model.gone) continue
        while (model.queue.length > 0) takeFrom(edge)
        takeFrom(edge)
        const { sent, taken, dropped, queued } = output.edges[edge]!.counts()
        expect([sent, taken, dropped + taken, queued]).toEqual([
          model.sent,
          model.taken,
          model.sent,
          0,
        ])
        const { inbox, ring } = output.edges[edge]!
        expect(inbox.floats[(ring >> 3) + SENT_BYTES_FLOAT]).toBe(model.bytes)
      }
      expect(Math.min(made.c, made.js)).toBeGreaterThan(STEPS / 20)

      function takeFrom(edge: number): void {
        if (!models[edge]!.gone) takeOne(readers[edge]!, models[edge]!)
      }

      /** The last of several consumers leaves for good, once. */
      function leave(chance: number): void {
        if (chance > 0 || consumers.length === 1) return
        const edge = consumers.length - 1
        models[edge]!.gone = true
        Atomics.store(output.edges[edge]!.inbox.words, output.edges[edge]!.word(ABANDONED_WORD), 1)
      }

      function publish(how: number, kind: number, number: number): void {
        const large = how === 6
        const bytes = large ? LARGE : inline[kind - 1]!
        const full = consumers.some(
          ({ policy, queueSize }, edge) =>
            policy === "backpressure" &&
            !models[edge]!.gone &&
            models[edge]!.queue.length === queueSize,
        )
        const parameters = how === 4 ? Uint8Array.of(9, number & 127) : how === 5 ? null : USUAL
        const template = large ? 9 : kind
        if (how < 4) {
          expect(publishByC(template, number, bytes)).toBe(full ? -1 : 0)
          made.c++
        } else {
          expect(send(writer, message(template, number, bytes), parameters)).toBe(!full)
          made.js++
        }
        if (full) return
        for (const [edge, model] of models.entries()) {
          if (model.gone) continue
          model.sent++
          model.bytes += bytes
          model.queue.push({ template, number, parameters: String(how < 4 ? USUAL : parameters) })
          if (model.queue.length > consumers[edge]!.queueSize!) model.queue.shift()
        }
      }
    })
  }
})

describe("C code that publishes", () => {
  withCc("leaves the header of a slot alone that it has written, and no other", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const [writer, reader] = [output.writer(), output.reader()]
    peer.wp_open(writer.share())
    const takes = (template: number, number: number) => {
      expect(reader.take()).toBe(true)
      expect([reader.stream![0], reader.stream![HEADER]]).toEqual([template, number])
    }
    publishByC(1, 5, 8)
    takes(1, 5)
    // What is there is not looked at, so damage stays …
    const { inbox, ring } = output.edges[0]!
    const slot = output.edges[0]!.consumerRing().slot * 4 + 64
    expect(slot).toBeGreaterThan(ring)
    inbox.bytes[slot] = 77
    publishByC(1, 6, 8)
    takes(77, 6)
    // … until JavaScript, or another template, has been there.
    send(writer, message(1, 7, 8), USUAL)
    takes(1, 7)
    inbox.bytes[slot] = 77
    publishByC(1, 8, 8)
    takes(1, 8)
    inbox.bytes[slot] = 77
    publishByC(2, 9, 8)
    takes(2, 9)
  })

  withCc("passes on streams of which it knows nothing", () => {
    using output = new TestOutput([{ queueSize: 2 }])
    const [writer, reader] = [output.writer(), output.reader()]
    peer.wp_open(writer.share())
    for (const length of [1, 8, 777]) {
      publishByC(1, 3, 8)
      expect(peer.wp_pass(new Uint8Array(length).fill(length), length)).toBe(0)
      reader.take()
      expect(reader.take()).toBe(true)
      expect(reader.stream).toEqual(new Uint8Array(length).fill(length))
      expect([reader.template, reader.parameters]).toEqual([0, null])
    }
  })

  withCc("refers to a chunk that JavaScript has filled", () => {
    using output = new TestOutput([{ queueSize: 2 }])
    const [writer, reader] = [output.writer(), output.reader()]
    peer.wp_open(writer.share())
    const chunk = writer.allocate(LARGE)
    const large = message(9, 4, LARGE)
    writer.write(chunk, large)
    const nothing = new Uint8Array(8)
    expect(peer.wp_send(nothing, HEADER, nothing, LARGE, 9, nothing, 0, chunk)).toBe(0)
    expect(reader.take()).toBe(true)
    expect(new Uint8Array(reader.borrow!.buffer)[HEADER]).toBe(4)
    reader.borrow!.release()
  })

  withCc("reads the clock as JavaScript does, and seldom while stamps follow each other", () => {
    using output = new TestOutput([{ queueSize: 1 }])
    const { clock } = output
    const stamped = () => clock.monotonicNs(clock.seconds, clock.fraction)
    peer.wp_open(output.writer().share())
    for (let i = 0; i < 100; i++) {
      clock.idle()
      const before = clock.nowNs()
      publishByC(1, i, 8)
      const [stamp, after] = [stamped(), clock.nowNs()]
      // The two ways to the same clock differ by what one reading takes.
      expect(stamp).toBeGreaterThan(before - 1e6)
      expect(stamp).toBeLessThan(after + 1e6)
    }
    let shared = 0
    for (let i = 0; i < 100_000 && shared < 64; i++) {
      const before = stamped()
      publishByC(1, 0, 8)
      expect(stamped()).toBeGreaterThan(before)
      if (stamped() - before < 1) shared++
    }
    expect(shared).toBe(64)
  })

  withCc("says when somebody sleeps, who can then be woken", () => {
    using output = new TestOutput([{}, {}])
    const writer = output.writer()
    peer.wp_open(writer.share())
    expect(publishByC(1, 1, 8)).toBe(0)
    const { words } = output.edges[1]!.inbox
    Atomics.store(words, WAKE_WORD, WAKE_PARKED_FUTEX)
    expect(publishByC(1, 2, 8)).toBe(1)
    writer.wake()
    expect(Atomics.load(words, WAKE_WORD)).toBe(WAKE_RUNNING)
    expect(publishByC(1, 3, 8)).toBe(0)
  })
})
