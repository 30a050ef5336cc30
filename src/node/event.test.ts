import { describe, expect, test } from "bun:test"
import { tableFromIPC } from "apache-arrow"
import { Nodes } from "../../test/support/nodes.ts"
import type { Sendable } from "../arrow/encoder.ts"
import { ArrowTypeError } from "../arrow/errors.ts"
import { INLINE_BYTES } from "../core/limits.ts"
import type { Parameters } from "../core/parameters.ts"
import { type InputEvent, Metadata } from "./event.ts"

describe("metadata", () => {
  test("tells the date of the stamp, to the millisecond", () => {
    for (const ms of [0, 1, 250, 500, 999]) {
      const fraction = Math.ceil((ms * 2 ** 32) / 1000)
      const { date } = new Metadata({ seconds: 1_700_000_000, fraction }, null)
      expect(date.toISOString()).toBe(`2023-11-14T22:13:20.${String(ms).padStart(3, "0")}Z`)
    }
  })

  test("has no parameters when none were sent", () => {
    expect(new Metadata({ seconds: 1, fraction: 0 }, null).parameters).toEqual({})
  })
})

/** Sends values and hands each to the consumer before the next is sent. */
class Road implements Disposable {
  readonly #nodes = new Nodes([
    { id: "a", outputs: ["out"] },
    { id: "b", inputs: { in: { source: "a/out", queue_size: 8 } } },
  ])
  readonly #out = this.#nodes.attach("a").outputs.get("out")!
  readonly #receiver = this.#nodes.attach("b").receiver

  pass(data: Sendable, parameters?: Parameters): InputEvent {
    void this.#out.send(data, parameters)
    const event = this.#receiver.poll()
    if (event?.type !== "INPUT") throw new Error(`no message but ${event?.type}`)
    return event
  }

  [Symbol.dispose](): void {
    this.#nodes[Symbol.dispose]()
  }
}

describe("a message", () => {
  test("is printed as what came from where", () => {
    using road = new Road()
    const event = road.pass(new Uint8Array(8))
    const { date } = event.metadata
    const bytes = event.data.byteLength
    expect(Bun.inspect(event)).toBe(Bun.inspect({ type: "INPUT", id: "in", date, bytes }))
  })

  const sizes = [0, 1, 3, 100, INLINE_BYTES / 4, INLINE_BYTES]
  test.each(sizes)("of %i floats is the same by every way of reading, again and again", (size) => {
    using road = new Road()
    for (let i = 0; i < 12; i++) {
      const data = Float32Array.from({ length: size }, (_, k) => i + k)
      const event = road.pass(data, { round: i })
      // A different one first, each time.
      const reads = [
        () => expect(event.array).toEqual(data),
        () => expect(event.value!.toArray()).toEqual(data),
        () => expect(tableFromIPC(event.data).getChild("data")!.toArray()).toEqual(data),
        () => expect(tableFromIPC(event.copy()).getChild("data")!.toArray()).toEqual(data),
        () => expect(event.metadata.parameters).toEqual({ round: i }),
      ]
      for (let k = 0; k < reads.length; k++) reads[(i + k) % reads.length]!()
      expect([event.array, event.value, event.data]).toEqual([
        ...[event.array, event.value, event.data],
      ])
      expect(event.array).toBe(event.array)
    }
  })

  test("of many lengths and types in turn is not taken for another one", () => {
    using road = new Road()
    const classes = [Uint8Array, Int16Array, Int32Array, Float32Array, Float64Array]
    for (let round = 0; round < 3; round++) {
      for (let length = 1; length < 60; length++) {
        const data = new classes[length % classes.length]!(length).fill(round + length)
        const event = road.pass(data)
        expect([event.array.constructor, event.array]).toEqual([data.constructor, data])
        if (length % 7 === 0) expect(event.value!.toArray()).toEqual(data)
      }
    }
  })

  test("of text has a value and no array", () => {
    using road = new Road()
    for (let i = 0; i < 3; i++) {
      const event = road.pass(["a", `${i}`])
      expect(() => event.array).toThrow(ArrowTypeError)
      expect([...event.value!]).toEqual(["a", `${i}`])
    }
  })

  test("of rows, of numbers alone, and of nothing", () => {
    using road = new Road()
    const rows = road.pass([{ x: 1, tags: ["a"] }, null])
    expect(JSON.stringify([...rows.value!])).toBe('[{"x":1,"tags":["a"]},null]')
    expect(road.pass(5).array).toEqual(Float64Array.of(5))
    expect(road.pass(5n).array).toEqual(BigInt64Array.of(5n))
    expect(road.pass(null).value!.length).toBe(0)
  })

  test("that is small stays what it is when the next ones come", () => {
    using road = new Road()
    const events = Array.from({ length: 30 }, (_, i) => road.pass(Uint16Array.of(i, i)))
    events.forEach((event, i) => {
      expect(event.array).toEqual(Uint16Array.of(i, i))
      expect(event.value!.get(1)).toBe(i)
      expect(event.borrowed).toBe(false)
      event.release()
      expect(event.array).toEqual(Uint16Array.of(i, i))
    })
  })
})
