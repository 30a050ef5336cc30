import { describe, expect, test } from "bun:test"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { plain } from "../../test/support/arrow.ts"
import { MAX_PAYLOAD_BYTES } from "../core/limits.ts"
import { arrayOf, readLayout, vectorOf } from "./decoder.ts"
import { Encoder, type Sendable } from "./encoder.ts"
import { ArrowTypeError, PayloadTooLargeError } from "./errors.ts"
import type { TypedArray } from "./types.ts"

const SEED = 20_261_122

function encode(data: Sendable, encoder = new Encoder(), at = 0): Uint8Array {
  const prepared = encoder.prepare(data)
  const bytes = new Uint8Array(at + prepared.byteLength).fill(0xaa)
  prepared.write(bytes, at)
  return bytes.slice(at)
}

function back(data: Sendable, encoder?: Encoder): { type: string; values: unknown } {
  const stream = encode(data, encoder)
  const column = arrow.tableFromIPC(stream).getChildAt(0)!
  const ours = vectorOf(readLayout(stream), stream)
  expect(plain(ours)).toEqual(plain(column))
  return { type: `${column.type}`, values: plain(column) }
}

function refusal(data: unknown): string {
  try {
    new Encoder().prepare(data as Sendable)
  } catch (error) {
    expect(error).toBeInstanceOf(ArrowTypeError)
    return (error as Error).message
  }
  throw new Error("it was accepted")
}

const arrays: TypedArray[] = [
  new Int8Array([1, -2]),
  new Uint8Array(5).fill(7),
  new Int16Array([-300]),
  new Uint16Array([60000, 1, 2]),
  new Int32Array([-70000]),
  new Uint32Array([4e9]),
  new BigInt64Array([1n, -2n]),
  new BigUint64Array([1n << 63n]),
  new Float32Array([1.5, -0.25]),
  new Float64Array(0),
  new Float64Array(1000).map((_, i) => i / 3),
]

describe("typed arrays", () => {
  test("come back as they were, from us and from apache-arrow", () => {
    for (const array of [...arrays, ...arrays]) {
      const bytes = encode(array)
      const layout = readLayout(bytes)
      expect(arrayOf(layout, bytes)).toEqual(array)
      expect(arrayOf(layout, bytes).buffer).toBe(bytes.buffer)
      expect(vectorOf(layout, bytes).toArray()).toEqual(array)
      expect(arrow.tableFromIPC(bytes).getChild("data")?.toArray()).toEqual(array)
    }
  })

  test("of half floats come back as such, and as apache-arrow's words", () => {
    const bytes = encode(new Float16Array([1.5, -2]))
    const layout = readLayout(bytes)
    expect(arrayOf(layout, bytes)).toEqual(new Float16Array([1.5, -2]))
    expect([...vectorOf(layout, bytes)]).toEqual([1.5, -2])
  })

  test("are written to any place, aligned or not", () => {
    const encoder = new Encoder()
    for (const at of [0, 1, 4, 8, 61, 64]) {
      for (const array of arrays) {
        const bytes = encode(array, encoder, at)
        expect(arrayOf(readLayout(bytes), bytes)).toEqual(array)
      }
    }
  })

  test("that are views of larger buffers send only their part", () => {
    const large = Float32Array.from({ length: 100 }, (_, i) => i)
    const bytes = encode(large.subarray(10, 13))
    expect(arrayOf(readLayout(bytes), bytes)).toEqual(new Float32Array([10, 11, 12]))
  })

  test("bytes in any form are a UInt8 column", () => {
    const buffer = new Uint8Array([1, 2, 3]).buffer
    for (const data of [
      buffer,
      Buffer.from(buffer),
      new DataView(buffer),
      new Uint8ClampedArray(buffer),
    ]) {
      expect(back(data)).toEqual({ type: "Uint8", values: [1, 2, 3] })
    }
  })

  test("the measured message says what it is made of", () => {
    const array = new Float32Array(16)
    const prepared = new Encoder().prepare(array)
    expect(prepared.flat).toBe(array)
    expect(prepared.headerLength % 64).toBe(0)
    expect(prepared.bodyLength).toBe(64)
    expect(prepared.byteLength).toBe(prepared.headerLength + 64 + 8)
  })
})

describe("templates", () => {
  test("name equal headers, and no others", () => {
    const encoder = new Encoder()
    const headers = new Map<number, string>()
    const data: Sendable[] = ["a", "b", "ab", 1, 2, 3n, true, { x: 1 }, { x: 2 }, { x: "a" }, null]
    for (let round = 0; round < 3; round++) {
      for (const value of [...arrays, ...data, ...arrays.toReversed()]) {
        const prepared = encoder.prepare(value)
        const bytes = new Uint8Array(prepared.byteLength)
        prepared.write(bytes, 0)
        const size = `${prepared.bodyLength}`
        const header = bytes.subarray(0, prepared.headerLength).toHex() + size
        expect(prepared.template).toBeGreaterThan(0)
        expect(headers.get(prepared.template) ?? header).toBe(header)
        headers.set(prepared.template, header)
      }
    }
  })

  test("are the same for the same class and length, after any number of others", () => {
    const encoder = new Encoder()
    const first = encoder.prepare(new Float32Array(16)).template
    encoder.prepare("other")
    expect(encoder.prepare(new Float32Array(16)).template).toBe(first)
    expect(encoder.prepare(new Float32Array(17)).template).not.toBe(first)
  })

  test("that were forgotten are numbered anew", () => {
    const encoder = new Encoder()
    const first = encoder.prepare(new Float32Array(16)).template
    for (let length = 0; length < 1000; length++) encoder.prepare(new Uint8Array(length))
    expect(encoder.prepare(new Float32Array(16)).template).not.toBe(first)
  })

  test("of dictionaries promise nothing", () => {
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())
    expect(new Encoder().prepare(arrow.vectorFromArray(["a"], type)).template).toBe(0)
  })
})

describe("plain values", () => {
  test("become columns of one element", () => {
    expect(back(1.5)).toEqual({ type: "Float64", values: [1.5] })
    expect(back(-3n)).toEqual({ type: "Int64", values: [-3] })
    expect(back(true)).toEqual({ type: "Bool", values: [true] })
    expect(back("grün 🚀")).toEqual({ type: "Utf8", values: ["grün 🚀"] })
    expect(back("")).toEqual({ type: "Utf8", values: [""] })
    expect(back(new Date(-5))).toEqual({ type: "Timestamp<MILLISECOND>", values: [-5] })
    expect(back({ a: 1, b: "x" }).values).toEqual([{ a: 1, b: "x" }])
  })

  test("null and undefined are a Null column without elements", () => {
    expect(back(null)).toEqual({ type: "Null", values: [] })
    expect(back(undefined)).toEqual({ type: "Null", values: [] })
  })

  test("lists have the type of their elements, and nulls", () => {
    expect(back([1, null, 2])).toEqual({ type: "Float64", values: [1, null, 2] })
    expect(back([1n, undefined])).toEqual({ type: "Int64", values: [1, null] })
    expect(back([false, null, true]).values).toEqual([false, null, true])
    expect(back(["a", null, ""])).toEqual({ type: "Utf8", values: ["a", null, ""] })
    expect(back([new Date(7), null]).values).toEqual([7, null])
    expect(back([new Uint8Array([1]), null, new ArrayBuffer(2)])).toEqual({
      type: "Binary",
      values: [[1], null, [0, 0]],
    })
    const lists = [[1, null], null, []]
    expect(back(lists)).toEqual({ type: "List<Float64>", values: lists })
    const typed = back([new Int16Array([1, 2]), null])
    expect(typed).toEqual({ type: "List<Int16>", values: [[1, 2], null] })
    expect(back([])).toEqual({ type: "Null", values: [] })
    expect(back([null, undefined])).toEqual({ type: "Null", values: [null, null] })
  })

  test("rows have the keys of all of them, in the order of their first appearance", () => {
    const rows = [{ a: 1, b: "x" }, null, { b: "y", c: [true] }, { c: null, a: 2 }]
    const { type, values } = back(rows)
    expect(type).toBe("Struct<{a:Float64, b:Utf8, c:List<Bool>}>")
    expect(values).toEqual([
      { a: 1, b: "x", c: null },
      null,
      { a: null, b: "y", c: [true] },
      { a: 2, b: null, c: null },
    ])
  })

  test("rows may have keys that every object inherits", () => {
    expect(back([{ toString: "a" }, {}]).values).toEqual([{ toString: "a" }, { toString: null }])
  })

  test("long and odd texts arrive as UTF-8", () => {
    const long = "aß€🚀".repeat(50_000)
    expect(back([long, "x", long]).values).toEqual([long, "x", long])
    expect(back("a\ud800b").values).toEqual(["a\ufffdb"])
  })

  test("have the same type whatever was sent before", () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null))
    const keys = fc.constantFrom("a", "b", "c", "1")
    const member = fc.oneof(leaf, fc.array(fc.integer(), { maxLength: 3 }))
    const row = fc.dictionary(keys, member, { noNullPrototype: true })
    const list = fc.oneof(fc.array(row, { maxLength: 4 }), fc.array(leaf, { maxLength: 4 }))
    const messages = fc.array(fc.oneof(leaf, row, list), { maxLength: 12 })
    const property = fc.property(messages, (all) => {
      const encoder = new Encoder()
      for (const message of all) {
        let alone: Uint8Array
        try {
          alone = encode(message)
        } catch {
          expect(() => encode(message, encoder)).toThrow(ArrowTypeError)
          continue
        }
        expect(encode(message, encoder).toHex()).toBe(alone.toHex())
      }
    })
    fc.assert(property, { seed: SEED, numRuns: 1000, includeErrorInReport: true })
  })

  test("are taken when they are measured: what changes later does not arrive", () => {
    const row = { x: 1, name: "a" }
    const prepared = new Encoder().prepare(row)
    row.name = "a much longer name"
    const bytes = new Uint8Array(prepared.byteLength)
    prepared.write(bytes, 0)
    expect(plain(vectorOf(readLayout(bytes), bytes))).toEqual([{ x: 1, name: "a" }])
  })
})

describe("what can't be sent", () => {
  test("is named, with its place and the types that clash", () => {
    expect(refusal([1, 2, "a"])).toContain("element 2 is a string, but element 0 is a number")
    expect(refusal([[1], null, [2, true]])).toContain("element 2[1] is a boolean, but element 0[0]")
    expect(refusal([{ p: { x: 1 } }, { p: { x: "a" } }])).toContain("element 1.p.x is a string")
    expect(refusal(new Map())).toContain("the value is a Map, which has no Arrow form")
    expect(refusal({ f: () => 1 })).toContain("the value.f is a function")
    expect(refusal(Symbol("s"))).toContain("the value is a symbol")
    expect(refusal([1n, 1n << 63n])).toContain("9223372036854775808, does not fit into int64")
    expect(refusal(1n << 64n)).toContain("does not fit into int64")
    expect(refusal([new Date(Number.NaN)])).toContain("element 0 is an invalid date")
  })

  test("ends soon when it contains itself", () => {
    const list: unknown[] = []
    list.push(list)
    expect(refusal(list)).toContain("nested deeper than 64 levels")
    const row: Record<string, unknown> = {}
    row.self = row
    expect(refusal(row)).toContain("nested deeper than 64 levels")
  })

  test("may be too large, and says by how much", () => {
    const oversize = new Uint8Array(new ArrayBuffer(MAX_PAYLOAD_BYTES + 1))
    const encoder = new Encoder()
    for (const data of [oversize, [oversize]]) {
      try {
        encoder.prepare(data)
        throw new Error("it was accepted")
      } catch (error) {
        expect(error).toBeInstanceOf(PayloadTooLargeError)
        expect((error as PayloadTooLargeError).code).toBe("PAYLOAD_TOO_LARGE")
        expect((error as Error).message).toContain(`the limit of ${MAX_PAYLOAD_BYTES} bytes`)
      }
    }
    expect(encoder.prepare(oversize.subarray(1)).bodyLength).toBe(MAX_PAYLOAD_BYTES)
  })

  test("leaves the encoder as good as new", () => {
    const encoder = new Encoder()
    const array = new Float32Array([1, 2])
    encode(array, encoder)
    expect(() => encoder.prepare([1, "a"])).toThrow(ArrowTypeError)
    const bytes = encode(array, encoder)
    expect(arrayOf(readLayout(bytes), bytes)).toEqual(array)
  })
})

describe("loans", () => {
  test("are streams whose elements the sender fills in", () => {
    const encoder = new Encoder()
    for (const type of [Float32Array, "float32", new arrow.Float32()] as const) {
      const prepared = encoder.prepareLoan(type, 5)
      const bytes = new Uint8Array(prepared.byteLength).fill(0xaa)
      new Float32Array(bytes.buffer, prepared.headerLength, 5).set([1, 2, 3, 4, 5])
      prepared.write(bytes, 0)
      expect(arrayOf(readLayout(bytes), bytes)).toEqual(new Float32Array([1, 2, 3, 4, 5]))
      expect(plain(arrow.tableFromIPC(bytes).getChildAt(0))).toEqual([1, 2, 3, 4, 5])
    }
    expect(encoder.prepareLoan(new arrow.TimestampMillisecond(), 3).bodyLength).toBe(24)
  })

  test("of other types or lengths are refused", () => {
    const encoder = new Encoder()
    expect(() => encoder.prepareLoan(new arrow.Utf8(), 3)).toThrow("a loan of Utf8")
    expect(() => encoder.prepareLoan("float31" as "float32", 3)).toThrow("a loan of float31")
    expect(() => encoder.prepareLoan(Float32Array, -1)).toThrow("a loan of -1 elements")
    expect(() => encoder.prepareLoan(Float64Array, 2 ** 40)).toThrow(PayloadTooLargeError)
  })
})
