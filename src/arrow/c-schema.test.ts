import { describe, expect, test } from "bun:test"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { flatKinds, mapType, sample } from "../../test/support/arrow.ts"
import { nodesOf, planOf, readSchemaKey, unknownSchemaKey, writeSchemaKey } from "./c-schema.ts"
import { ArrowTypeError } from "./errors.ts"
import { fieldOf } from "./fields.ts"
import { Field, TypeId } from "./types.ts"

const SEED = 20_261_122

/** The key of a schema of one node. */
function keyOf(format: string, ...children: Uint8Array[]): Uint8Array {
  const numbers = new Uint8Array(Int32Array.of(2, children.length, 0, 0).buffer)
  return Buffer.concat([Buffer.from(`${format}\0item\0`), numbers, ...children])
}

/** A field of a key, with the name that a column has in a message. */
function read(key: Uint8Array): Field {
  return readSchemaKey(key)
}

describe("a schema of the C data interface", () => {
  test("is the same after a way there and back, for every type", () => {
    const types = flatKinds.map(({ type }) => type)
    const map = mapType(true)
    const union = new arrow.Union(
      arrow.UnionMode.Dense,
      [3, 7],
      [
        new arrow.Field("a", new arrow.Int8(), true),
        new arrow.Field(
          "b",
          new arrow.Dictionary(new arrow.Utf8(), new arrow.Uint16(), 5, true),
          false,
        ),
      ],
    )
    for (const type of [...types, map, union]) {
      const field = fieldOf(type)
      const key = writeSchemaKey(field)
      expect(read(key)).toEqual(field)
      expect(writeSchemaKey(read(key))).toEqual(key)
    }
  })

  test("is the same after a way there and back, for nested types", () => {
    fc.assert(
      fc.property(sample(3), ({ type }) => {
        const field = fieldOf(type)
        expect(read(writeSchemaKey(field))).toEqual(field)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test("keeps names, metadata and what may be null", () => {
    const child = new Field(TypeId.Utf8)
    child.name = "Größe"
    child.nullable = false
    child.metadata = new Map([
      ["unit", "m"],
      ["", "ü"],
    ])
    const field = new Field(TypeId.Struct)
    field.children = [child]
    expect(read(writeSchemaKey(field))).toEqual(field)
  })

  test("has formats of types that apache-arrow doesn't make", () => {
    for (const format of ["d:38,10,256", "d:9,2,32", "tin", "+us:", "w:0", "+w:0", "tsu:+01:00"]) {
      const children = format === "+w:0" ? [keyOf("i")] : []
      const field = read(keyOf(format, ...children))
      const again = Buffer.from(writeSchemaKey(field)).toString("latin1")
      expect(again.slice(0, again.indexOf("\0"))).toBe(format)
    }
  })

  test("of a format that nobody knows, or that its children don't fit, is refused", () => {
    const formats = [
      "",
      "x",
      "cc",
      "w:",
      "w:-1",
      "w:x",
      "d:1",
      "d:1,2,100",
      "tt",
      "ttx",
      "tsx:",
      "+r",
      "+vl",
      "+us:200",
      "ud",
    ]
    for (const format of [...formats, "?".repeat(1000)]) {
      expect(() => read(keyOf(format))).toThrow(ArrowTypeError)
    }
    for (const key of [
      keyOf("+l"),
      keyOf("+l", keyOf("i"), keyOf("i")),
      keyOf("i", keyOf("i")),
      keyOf("+us:0,1", keyOf("i")),
    ]) {
      expect(() => read(key)).toThrow(ArrowTypeError)
    }
    let deep = keyOf("i")
    for (let i = 0; i < 100; i++) deep = keyOf("+l", deep)
    expect(() => read(deep)).toThrow("too many levels")
  })

  test("that says what is wrong with a message is a text of one format", () => {
    const key = Buffer.from(unknownSchemaKey("it is\0torn")).toString("latin1")
    expect(key.slice(0, key.indexOf("\0"))).toBe("it is torn")
  })
})

test("a plan has the nodes in order, with the values of a dictionary behind its indices", () => {
  const words = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())
  const type = new arrow.Struct([
    new arrow.Field("a", new arrow.Float64(), true),
    new arrow.Field("b", words, true),
  ])
  const plan = planOf(fieldOf(type))
  expect(nodesOf(plan)).toBe(4)
  // kind, width, children, buffers, where the dictionary's values begin, what comes after
  expect(Array.from({ length: 4 }, (_, i) => [...plan.slice(6 * i, 6 * i + 6)])).toEqual([
    [9, 0, 2, 1, 0, 4],
    [1, 8, 0, 2, 0, 2],
    [1, 1, 0, 2, 3, 4],
    [3, 0, 0, 3, 0, 4],
  ])
})
