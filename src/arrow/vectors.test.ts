import { describe, expect, test } from "bun:test"
import * as flechette from "@uwdata/flechette"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { cut, flatKinds, plain, type Sample, sample } from "../../test/support/arrow.ts"
import { Random, shared } from "../../test/support/flechette.ts"
import { readLayout, vectorOf } from "./decoder.ts"
import { Encoder, type Sendable } from "./encoder.ts"

const SEED = 20_261_122
const nat = fc.nat(40)

function encode(data: Sendable, encoder = new Encoder()): Uint8Array {
  const prepared = encoder.prepare(data)
  const guarded = new Uint8Array(prepared.byteLength + 16).fill(0xaa)
  prepared.write(guarded, 8)
  expect([...guarded.slice(0, 8), ...guarded.slice(-8)]).toEqual(Array(16).fill(0xaa))
  expect(prepared.headerLength % 64).toBe(0)
  return guarded.slice(8, -8)
}

function vector({ type, values }: Sample): arrow.Vector {
  return arrow.vectorFromArray(values, type)
}

function byUs(stream: Uint8Array): unknown {
  return plain(vectorOf(readLayout(stream), stream))
}

function byArrow(stream: Uint8Array): unknown {
  const table = arrow.tableFromIPC(stream)
  expect(table.schema.fields.map((field) => field.name)).toEqual(["data"])
  expect(table.batches.length).toBeLessThanOrEqual(1)
  return plain(table.getChildAt(0))
}

const FLECHETTE = { useBigInt: true, useDecimalInt: true }

function byFlechette(stream: Uint8Array): unknown {
  return plain(flechette.tableFromIPC(stream, FLECHETTE).getChildAt(0))
}

/** `fc.assert` that shows what went wrong, not only with what. */
function forAll<T extends [unknown, ...unknown[]]>(
  property: fc.IProperty<T>,
  numRuns: number,
): void {
  fc.assert(property, { seed: SEED, numRuns, includeErrorInReport: true })
}

describe("a vector of any type", () => {
  for (const { type, value } of flatKinds) {
    test(`${type} comes back from us and from apache-arrow`, () => {
      const values = fc.array(fc.option(value, { nil: null }), { maxLength: 40 })
      const property = fc.property(values, nat, nat, fc.boolean(), (all, a, b, chunked) => {
        const sent = cut(vector({ type, values: all }), a, b, chunked)
        const stream = encode(sent)
        expect(byArrow(stream)).toEqual(plain(sent))
        expect(byUs(stream)).toEqual(plain(sent))
      })
      forAll(property, 40)
    })
  }

  test("nested, sliced or in chunks comes back from us and from apache-arrow", () => {
    const encoder = new Encoder()
    const property = fc.property(sample(3), nat, nat, fc.boolean(), (made, a, b, chunked) => {
      const sent = cut(vector(made), a, b, chunked)
      const stream = encode(sent, encoder)
      expect(byArrow(stream)).toEqual(plain(sent))
      expect(byUs(stream)).toEqual(plain(sent))
    })
    forAll(property, 500)
  })

  test("is read by us when apache-arrow wrote it", () => {
    const property = fc.property(sample(2), (made) => {
      // It leaves out the elements of null fixed-size lists, and counts −1 nulls in nested Null columns: both are no
      // valid streams.
      fc.pre(!/FixedSizeList|[:<]Null/.test(`${made.type}`))
      const stream = arrow.tableToIPC(new arrow.Table({ data: vector(made) }), "stream")
      expect(byUs(stream)).toEqual(byArrow(stream))
    })
    forAll(property, 300)
  })

  test("is read by flechette when we wrote it, and by us when flechette wrote it", () => {
    const property = fc.property(fc.constantFrom(...shared), fc.integer(), (make, seed) => {
      const { type, sent } = make(new Random(seed))
      // It writes no record batch then.
      fc.pre(sent.length > 0)
      const column = flechette.columnFromArray(sent, type)
      const theirs = flechette.tableToIPC(flechette.tableFromColumns({ data: column }), {})!
      const read = vectorOf(readLayout(theirs), theirs)
      expect(plain(read)).toEqual(plain(column))
      expect(byFlechette(encode(read))).toEqual(plain(column))
    })
    forAll(property, 400)
  })
})

describe("a vector that takes special care", () => {
  const names = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())

  test("of chunks with different dictionaries gets one dictionary", () => {
    const first = arrow.vectorFromArray(["a", "b", null, "a"], names)
    const other = arrow.vectorFromArray(
      ["x", "b"],
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
    )
    const sent = new arrow.Vector([...first.data, ...other.data] as never)
    expect(byUs(encode(sent))).toEqual(["a", "b", null, "a", "x", "b"])
    expect(byArrow(encode(sent))).toEqual(["a", "b", null, "a", "x", "b"])
  })

  test("of chunks whose dictionaries are too many for their index is refused", () => {
    const chunk = (from: number) =>
      arrow.vectorFromArray(
        Array.from({ length: 100 }, (_, i) => `${from + i}`),
        new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
      )
    const sent = new arrow.Vector([...chunk(0).data, ...chunk(100).data] as never)
    expect(() => new Encoder().prepare(sent)).toThrow("have 200 values together")
  })

  test("with a dictionary inside of a list inside of a dictionary comes back", () => {
    const inner = arrow.vectorFromArray(["r", "g", "r"], names)
    const list = new arrow.List(new arrow.Field("item", names, true))
    const lists = arrow.makeData({
      type: list,
      length: 2,
      valueOffsets: new Int32Array([0, 2, 3]),
      child: inner.data[0] as never,
    })
    const type = new arrow.Dictionary(list, new arrow.Int32())
    const dictionary = new arrow.Vector([lists])
    const data = new Int32Array([1, 0, 1])
    const sent = new arrow.Vector([arrow.makeData({ type, data, dictionary } as never)])
    expect(byUs(encode(sent))).toEqual([["r"], ["r", "g"], ["r"]])
    expect(byArrow(encode(sent))).toEqual([["r"], ["r", "g"], ["r"]])
  })

  test("of a dense or sparse union comes back, sliced and in chunks", () => {
    const fields = [
      new arrow.Field("n", new arrow.Int32(), true),
      new arrow.Field("s", new arrow.Utf8(), true),
    ]
    const typeIds = Int8Array.from([5, 9, 5, 9, 9])
    const texts = arrow.vectorFromArray(["a", null, "c"], new arrow.Utf8()).data[0]!
    const numbers = arrow.vectorFromArray([1, 2], new arrow.Int32()).data[0]!
    const dense = new arrow.Vector([
      arrow.makeData({
        type: new arrow.DenseUnion([5, 9], fields),
        typeIds,
        valueOffsets: Int32Array.from([0, 0, 1, 1, 2]),
        children: [numbers, texts],
      } as never),
    ])
    const sparse = new arrow.Vector([
      arrow.makeData({
        type: new arrow.SparseUnion([5, 9], fields),
        typeIds,
        children: [
          arrow.vectorFromArray([1, 0, 2, 0, 0], new arrow.Int32()).data[0]!,
          arrow.vectorFromArray(["", "a", "", null, "c"], new arrow.Utf8()).data[0]!,
        ],
      } as never),
    ])
    const wanted = [1, "a", 2, null, "c"]
    for (const union of [dense, sparse]) {
      expect(plain(union)).toEqual(wanted)
      for (const sent of [union, union.slice(1, 4), union.slice(2).concat(union)]) {
        const stream = encode(sent)
        expect(byUs(stream)).toEqual(plain(sent))
        expect(byArrow(stream)).toEqual(plain(sent))
      }
    }
  })

  test("of maps comes back", () => {
    const entry = new arrow.Struct([
      new arrow.Field("key", new arrow.Utf8(), false),
      new arrow.Field("value", new arrow.Float64(), true),
    ])
    const type = new arrow.Map_(new arrow.Field("entries", entry, false) as never)
    const sent = arrow.vectorFromArray([new Map([["a", 1]]), null, new Map([["b", 2]])], type)
    expect(byUs(encode(sent))).toEqual([[["a", 1]], null, [["b", 2]]])
    expect(byArrow(encode(sent.slice(1)))).toEqual([null, [["b", 2]]])
  })

  test("keeps the metadata of its children", () => {
    const metadata = new Map([["unit", "metre"]])
    const type = new arrow.Struct([new arrow.Field("x", new arrow.Float64(), true, metadata)])
    const stream = encode(arrow.vectorFromArray([{ x: 1 }], type))
    const back = vectorOf(readLayout(stream), stream)
    expect((back.type as arrow.Struct).children[0]!.metadata.get("unit")).toBe("metre")
    const read = arrow.tableFromIPC(stream).getChildAt(0)!.type as arrow.Struct
    expect(read.children[0]!.metadata.get("unit")).toBe("metre")
  })

  test("is of the class that a user's import gives", () => {
    const stream = encode(arrow.vectorFromArray([1, 2], new arrow.Int32()))
    const back = vectorOf(readLayout(stream), stream)
    expect(Object.getPrototypeOf(back)).toBe(arrow.Vector.prototype)
    expect(back.type).toBeInstanceOf(arrow.Int)
  })
})
