import { jscDescribe } from "bun:jsc"
import { describe, expect, test } from "bun:test"
import * as arrow from "apache-arrow"
import { plain } from "../../test/support/arrow.ts"
import { Random } from "../../test/support/flechette.ts"
import { arrayOf, readLayout, vectorOf } from "./decoder.ts"
import { Encoder, type Sendable } from "./encoder.ts"
import { ArrowDataError, ArrowTypeError } from "./errors.ts"

const SEED = 20_261_122
const MUTATIONS = 200_000

function encode(data: Sendable): Uint8Array {
  const prepared = new Encoder().prepare(data)
  const bytes = new Uint8Array(prepared.byteLength)
  prepared.write(bytes, 0)
  return bytes
}

function write(...batches: arrow.RecordBatch[]): Uint8Array {
  return arrow.tableToIPC(new arrow.Table(batches), "stream")
}

describe("readLayout", () => {
  test("knows a plain primitive column, and gives the same object for the same header", () => {
    const bytes = encode(new Float32Array([1, 2, 3]))
    const layout = readLayout(bytes)
    expect(layout.rows).toBe(3)
    expect(layout.byteLength).toBe(bytes.byteLength)
    expect(layout.simple).toMatchObject({ kind: "float32", length: 3, offset: layout.headerLength })
    expect(readLayout(encode(new Float32Array([4, 5, 6])))).toBe(layout)
    expect(readLayout(encode(new Float32Array(4)))).not.toBe(layout)
  })

  test("gives integers, also once it is compiled: with doubles arrays are made the slow way", () => {
    for (let length = 1; length < 5000; length++) readLayout(encode(new Uint8Array(length)))
    const layout = readLayout(encode(new Uint8Array(5000)))
    const { length, offset } = layout.simple!
    const numbers = [length, offset, layout.headerLength, layout.bodyLength, layout.byteLength]
    expect(numbers.map(jscDescribe).filter((said) => !said.startsWith("Int32"))).toEqual([])
  })

  test("reads the official example of a UInt8 column", () => {
    // pyarrow 25, 8-byte alignment, empty validity buffer.
    const bytes = Uint8Array.fromHex(
      `ffffffff7800000010000000000 00a000c000600050008000a0000000001040 00c0000000800080000000400080000
      0004000000010000001400000010001400080006000700 0c0000001000100000000000010210000000 1c000000
      040000000000000004000000646174610000060008000400060000000800000000000000ffffffff88000000140000
      00000000000c0016000600050008000c000c0000000003040018000000080000000000000000000a0018000c000400
      08000a0000003c00000010000000030000000000000000000000020000000000000000000000000000000000000000
      0000000000000003000000000000000000000001000000030000000000000000000000000000000102030000000000
      ffffffff00000000`.replaceAll(/\s/g, ""),
    )
    expect(arrayOf(readLayout(bytes), bytes)).toEqual(new Uint8Array([1, 2, 3]))
  })

  const batch = (values: number[]) =>
    new arrow.RecordBatch({
      data: arrow.makeData({ type: new arrow.Int32(), data: Int32Array.from(values) }),
    })

  const bytes = encode(new Float32Array([1, 2]))
  const refused: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(0), "ends without an end-of-stream marker"],
    ["a stream that is cut off", bytes.slice(0, -8), "ends without an end-of-stream marker"],
    ["bytes after the end", Uint8Array.of(...bytes, 0), "1 bytes follow the end-of-stream marker"],
    [
      "a stream without batches",
      arrow.tableToIPC(new arrow.Table(new arrow.Schema([])), "stream"),
      "0 columns",
    ],
    ["two record batches", write(batch([1]), batch([2])), "more than one record batch"],
    [
      "two columns",
      arrow.tableToIPC(arrow.tableFromArrays({ a: [1], b: [2] }), "stream"),
      "2 columns instead of one",
    ],
    [
      "something else",
      new TextEncoder().encode("hello, this is no arrow"),
      "no message starts at byte 0",
    ],
  ]
  for (const [what, stream, why] of refused) {
    test(`refuses ${what}`, () => {
      expect(() => readLayout(stream)).toThrow(ArrowDataError)
      expect(() => readLayout(stream)).toThrow(why)
    })
  }

  test("refuses a known header with another end", () => {
    const broken = bytes.slice()
    readLayout(broken)
    broken[broken.byteLength - 1] = 1
    expect(() => readLayout(broken)).toThrow(ArrowDataError)
  })
})

describe("arrayOf", () => {
  test("is a view, or a copy when the bytes are misaligned", () => {
    const bytes = encode(new Float64Array([1, 2]))
    expect(arrayOf(readLayout(bytes), bytes).buffer).toBe(bytes.buffer)
    const moved = new Uint8Array(bytes.byteLength + 1)
    moved.set(bytes, 1)
    const shifted = moved.subarray(1)
    expect(arrayOf(readLayout(shifted), shifted)).toEqual(new Float64Array([1, 2]))
    expect(plain(vectorOf(readLayout(shifted), shifted))).toEqual([1, 2])
  })

  test("gives the storage of temporal and fixed-size types", () => {
    const item = new arrow.Field("item", new arrow.Int16(), true)
    const cases: [arrow.Vector, ArrayBufferView][] = [
      [
        arrow.vectorFromArray([5, 6], new arrow.TimestampMillisecond()),
        new BigInt64Array([5n, 6n]),
      ],
      [arrow.vectorFromArray([new Date(864e5)], new arrow.DateDay()), new Int32Array([1])],
      [
        arrow.vectorFromArray(
          [
            [1, 2],
            [3, 4],
          ],
          new arrow.FixedSizeList(2, item),
        ),
        new Int16Array([1, 2, 3, 4]),
      ],
      [
        arrow.vectorFromArray(
          [Uint8Array.of(1, 2), Uint8Array.of(3, 4)],
          new arrow.FixedSizeBinary(2),
        ),
        new Uint8Array([1, 2, 3, 4]),
      ],
    ]
    for (const [vector, wanted] of cases) {
      const bytes = encode(vector)
      expect(arrayOf(readLayout(bytes), bytes)).toEqual(wanted as Uint8Array)
    }
  })

  test("gives a column with nulls, which `simple` does not promise", () => {
    const bytes = encode([1, null, 3])
    const layout = readLayout(bytes)
    expect(layout.simple).toBeNull()
    expect(arrayOf(layout, bytes).length).toBe(3)
    expect(arrayOf(layout, bytes)[2]).toBe(3)
  })

  test("refuses types without one, by name", () => {
    for (const [data, name] of [
      ["a", "Utf8"],
      [[true], "Bool"],
      [{ a: 1 }, "Struct"],
      [null, "Null"],
    ] as const) {
      const bytes = encode(data)
      expect(() => arrayOf(readLayout(bytes), bytes)).toThrow(ArrowTypeError)
      expect(() => arrayOf(readLayout(bytes), bytes)).toThrow(
        `a column of ${name} has no typed array`,
      )
    }
  })

  test("refuses bytes that are gone", () => {
    const bytes = encode(new Float64Array([1, 2]))
    const layout = readLayout(bytes)
    ;(bytes.buffer as ArrayBuffer).transfer(0)
    expect(() => arrayOf(layout, bytes)).toThrow(ArrowDataError)
  })
})

test("apache-arrow is loaded by the first vector that is read, not before", async () => {
  const program = `
    import { arrayOf, readLayout, vectorOf } from "${import.meta.dir}/decoder.ts"
    import { Encoder } from "${import.meta.dir}/encoder.ts"
    const loaded = () => Object.keys(require.cache).filter((file) => file.includes("apache-arrow")).length
    const encoder = new Encoder()
    let bytes
    for (const data of [{ a: "x" }, "text", [[1], null], new Float32Array(3)]) {
      const prepared = encoder.prepare(data)
      bytes = new Uint8Array(prepared.byteLength)
      prepared.write(bytes, 0)
      readLayout(bytes)
    }
    arrayOf(readLayout(bytes), bytes)
    const before = loaded()
    vectorOf(readLayout(bytes), bytes)
    console.log(before, loaded() > 0)`
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" })
  expect((await new Response(child.stdout).text()).trim()).toBe("0 true")
})

test("hostile offsets are refused", () => {
  const bytes = encode(["ab", "cd"])
  const layout = readLayout(bytes)
  const offsets = new Int32Array(bytes.buffer, layout.headerLength, 3)
  for (const wrong of [
    [0, 3, 2],
    [-1, 2, 4],
    [0, 2, 5],
    [0, 2, 2 ** 30],
  ]) {
    offsets.set(wrong)
    expect(() => vectorOf(layout, bytes)).toThrow(ArrowDataError)
  }
})

/** Every kind of column, from us and from apache-arrow. */
function originals(): Uint8Array[] {
  const names = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())
  const fields = [
    new arrow.Field("n", new arrow.Int32(), true),
    new arrow.Field("s", new arrow.Utf8(), true),
  ]
  const union = arrow.makeData({
    type: new arrow.DenseUnion([0, 1], fields),
    typeIds: Int8Array.from([0, 1, 0]),
    valueOffsets: Int32Array.from([0, 0, 1]),
    children: [
      arrow.vectorFromArray([1, 2], new arrow.Int32()).data[0]!,
      arrow.vectorFromArray(["a"], new arrow.Utf8()).data[0]!,
    ],
  } as never)
  const entry = new arrow.Struct([
    new arrow.Field("key", new arrow.Utf8(), false),
    new arrow.Field("value", new arrow.Float64(), true),
  ])
  const map = new arrow.Map_(new arrow.Field("entries", entry, false) as never)
  const item = new arrow.Field("item", new arrow.Int16(), true)
  const vectors: arrow.Vector[] = [
    arrow.vectorFromArray(["a", null, "bc"], new arrow.LargeUtf8()),
    arrow.vectorFromArray(
      ["short", null, "a text of more than twelve bytes"],
      new arrow.Utf8View(),
    ),
    arrow.vectorFromArray(["a", "b", null, "a"], names),
    arrow.vectorFromArray([new Map([["a", 1]]), null], map),
    arrow.vectorFromArray([[1, 2], null], new arrow.FixedSizeList(2, item)),
    arrow.vectorFromArray([true, null, false], new arrow.Bool()),
    arrow.vectorFromArray([5, null], new arrow.TimestampNanosecond("UTC")),
    new arrow.Vector([union]),
  ]
  const values: Sendable[] = [
    new Float32Array([1, 2, 3]),
    new Uint8Array(3),
    "hello",
    [{ x: 1, name: "a", list: [1, 2] }, null, { x: 2, name: "b", list: [] }],
    [[["a"], null], [[]]],
    null,
    ...vectors,
  ]
  const theirs = vectors.map((v) => arrow.tableToIPC(new arrow.Table({ data: v }), "stream"))
  return [...values.map(encode), ...theirs]
}

const TEMPTING = [0, 1, 2, 4, 7, 8, 12, 16, 24, 63, 64, 127, 128, 254, 255]

function mutate(original: Uint8Array, random: Random): Uint8Array {
  const kind = random.below(20)
  if (kind === 0) return original.slice(0, random.below(original.length))
  if (kind === 1) return Uint8Array.of(...original, ...new Uint8Array(1 + random.below(9)))
  const bytes = original.slice()
  const times = 1 + random.below(3)
  for (let i = 0; i < times; i++) {
    // Metadata is where the danger is.
    const at = random.below(random.below(4) === 0 ? bytes.length : Math.min(bytes.length, 512))
    if (kind < 8) bytes[at] = TEMPTING[random.below(TEMPTING.length)]!
    else if (kind < 14) bytes[at]! ^= 1 << random.below(8)
    else if (kind < 17) bytes[at] = random.below(256)
    else bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length))
  }
  return bytes
}

/** Does with a stream what a node does. Returns how far it got. */
function use(bytes: Uint8Array): "refused" | "read" {
  try {
    const layout = readLayout(bytes)
    if (layout.elements) arrayOf(layout, bytes).at(-1)
    const vector = vectorOf(layout, bytes)
    for (const index of [0, 1, vector.length - 1]) plain(vector.get(index))
    return "read"
  } catch (error) {
    if (error instanceof ArrowDataError || error instanceof ArrowTypeError) return "refused"
    throw error
  }
}

test(`${MUTATIONS} mutated streams are read or refused, quickly`, () => {
  const random = new Random(SEED)
  const all = originals()
  for (const bytes of all) expect(use(bytes)).toBe("read")
  const counts = { read: 0, refused: 0 }
  let slowest = 0
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutate(all[i % all.length]!, random)
    const start = performance.now()
    try {
      counts[use(bytes)]++
    } catch (cause) {
      throw new Error(`seed ${SEED}, mutation ${i}: ${bytes.toHex()}`, { cause })
    }
    slowest = Math.max(slowest, performance.now() - start)
  }
  expect(counts.read).toBeGreaterThan(MUTATIONS / 100)
  expect(counts.refused).toBeGreaterThan(MUTATIONS / 10)
  expect(slowest).toBeLessThan(1000)
}, 120_000)
