// Arrow columns for property tests: random types, values, nulls, slices and chunks, and one plain form of what a reader makes
// of them, so that readers can be compared.
import * as arrow from "apache-arrow"
import fc from "fast-check"

/** A random column: its type and its values. */
export type Sample = { type: arrow.DataType; values: unknown[] }

type Kind = { type: arrow.DataType; value: fc.Arbitrary<unknown> }

const integers: [arrow.DataType, number, number][] = [
  [new arrow.Int8(), -128, 127],
  [new arrow.Uint8(), 0, 255],
  [new arrow.Int16(), -32768, 32767],
  [new arrow.Uint16(), 0, 65535],
  [new arrow.Int32(), -(2 ** 31), 2 ** 31 - 1],
  [new arrow.Uint32(), 0, 2 ** 32 - 1],
  [new arrow.DateDay(), -100_000, 100_000],
  [new arrow.DateMillisecond(), -100_000, 100_000],
  [new arrow.TimeSecond(), 0, 86_399],
  [new arrow.TimeMillisecond(), 0, 86_399_999],
]
const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const longs: [arrow.DataType, { min: bigint; max: bigint }][] = [
  [new arrow.Int64(), int64],
  [new arrow.Uint64(), { min: 0n, max: 2n ** 64n - 1n }],
  [new arrow.TimeMicrosecond(), { min: 0n, max: 86_399_999_999n }],
  [new arrow.TimeNanosecond(), { min: 0n, max: 86_399_999_999_999n }],
  [new arrow.DurationSecond(), int64],
  [new arrow.DurationNanosecond(), int64],
]
const stamps = [
  new arrow.TimestampSecond(),
  new arrow.TimestampMillisecond("UTC"),
  new arrow.TimestampMicrosecond("Europe/Berlin"),
  new arrow.TimestampNanosecond(),
]
const texts = [new arrow.Utf8(), new arrow.LargeUtf8(), new arrow.Utf8View()]
const binaries = [new arrow.Binary(), new arrow.LargeBinary(), new arrow.BinaryView()]
const text = fc.string({ unit: "grapheme", maxLength: 20 })
const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength })

/** Kinds of columns without children. */
export const flatKinds: readonly Kind[] = [
  ...integers.map(([type, min, max]) => ({ type, value: dates(type, fc.integer({ min, max })) })),
  ...longs.map(([type, range]) => ({ type, value: fc.bigInt(range) })),
  ...stamps.map((type) => ({
    type,
    value: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map(seconds),
  })),
  { type: new arrow.Float16(), value: fc.integer({ min: -100, max: 100 }) },
  { type: new arrow.Float32(), value: fc.float({ noNaN: true }) },
  { type: new arrow.Float64(), value: fc.double({ noNaN: true }) },
  { type: new arrow.Bool(), value: fc.boolean() },
  { type: new arrow.Null(), value: fc.constant(null) },
  { type: new arrow.FixedSizeBinary(5), value: bytes(5, 5) },
  { type: new arrow.Decimal(2, 30), value: words(3).map(decimal) },
  { type: new arrow.IntervalDayTime(), value: words(2) },
  { type: new arrow.IntervalYearMonth(), value: words(1) },
  ...texts.map((type) => ({ type, value: text })),
  ...binaries.map((type) => ({ type, value: bytes(20) })),
]

/** Milliseconds that every unit can hold. */
function seconds(count: number): number {
  return count * 1000
}

function dates(type: arrow.DataType, value: fc.Arbitrary<number>): fc.Arbitrary<unknown> {
  return arrow.DataType.isDate(type) ? value.map((days) => new Date(days * 86_400_000)) : value
}

function words(count: number): fc.Arbitrary<unknown> {
  const word = fc.integer({ min: 0, max: 2 ** 31 - 1 })
  return fc
    .array(word, { minLength: count, maxLength: count })
    .map((all) =>
      count === 2 ? Int32Array.from(all) : count === 1 ? [all[0]] : Uint32Array.from(all),
    )
}

/** 128 bits of which the last 32 are zero, so that 30 digits hold them. */
function decimal(low: unknown): Uint32Array {
  return Uint32Array.of(...(low as Uint32Array), 0)
}

/** Any kind, nested up to `depth` times. */
export function kind(depth: number): fc.Arbitrary<Kind> {
  const flat = fc.constantFrom(...flatKinds)
  if (depth === 0) return flat
  const inner = kind(depth - 1)
  return fc.oneof(
    { weight: 2, arbitrary: flat },
    { weight: 1, arbitrary: inner.map(list) },
    { weight: 1, arbitrary: inner.map(fixedList) },
    { weight: 1, arbitrary: fc.array(inner, { minLength: 1, maxLength: 3 }).map(struct) },
    { weight: 1, arbitrary: fc.constantFrom(...texts.slice(0, 1)).map(dictionary) },
  )
}

function list(item: Kind): Kind {
  const field = new arrow.Field("item", item.type, true)
  const value = fc.array(nullable(item.value), { maxLength: 4 })
  return { type: new arrow.List(field), value }
}

function fixedList(item: Kind): Kind {
  const field = new arrow.Field("item", item.type, true)
  const value = fc.array(nullable(item.value), { minLength: 2, maxLength: 2 })
  return { type: new arrow.FixedSizeList(2, field), value }
}

function struct(members: Kind[]): Kind {
  const fields = members.map((m, i) => new arrow.Field(`m${i}`, m.type, true))
  const entries = members.map((m, i): [string, fc.Arbitrary<unknown>] => [
    `m${i}`,
    nullable(m.value),
  ])
  return { type: new arrow.Struct(fields), value: fc.record(Object.fromEntries(entries)) }
}

function dictionary(values: arrow.DataType): Kind {
  const type = new arrow.Dictionary(values, new arrow.Int8())
  return { type, value: fc.constantFrom("red", "green", "blue", "a longer name of a colour") }
}

function nullable(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.option(value, { freq: 4, nil: null })
}

/** A random column of a random kind. */
export function sample(depth: number): fc.Arbitrary<Sample> {
  return kind(depth).chain(({ type, value }) => {
    const present = fc.array(value, { maxLength: 40 })
    const holed = fc.array(nullable(value), { maxLength: 40 })
    return fc.oneof(present, holed).map((values) => ({ type, values }))
  })
}

/** A value of any reader in one form: no vectors, rows, typed arrays or bigints; absent is null. */
export function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === "bigint")
    return Number(value) === Math.fround(Number(value)) ? Number(value) : `${value}`
  if (typeof value === "number") return Object.is(value, -0) ? 0 : value
  if (typeof value !== "object") return value
  if (value instanceof Date) return value.getTime()
  if (value instanceof arrow.MapRow || value instanceof Map) {
    return Array.from(value as Iterable<[unknown, unknown]>, ([k, v]) => [plain(k), plain(v)])
  }
  if (Symbol.iterator in value && !(value instanceof arrow.StructRow)) {
    return Array.from(value as Iterable<unknown>, plain)
  }
  const entries = value instanceof arrow.StructRow ? [...value] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, v]) => [key, plain(v)]))
}

/** Cuts a vector at random places: perhaps sliced, perhaps in several chunks. */
export function cut(vector: arrow.Vector, a: number, b: number, chunked: boolean): arrow.Vector {
  const from = Math.min(a, b) % (vector.length + 1)
  const to = Math.max(a, b) % (vector.length + 1)
  const sliced = vector.slice(Math.min(from, to), Math.max(from, to))
  if (!chunked) return sliced
  const middle = Math.floor(vector.length / 2)
  return vector.slice(middle).concat(vector.slice(0, middle), sliced)
}

/** A map from text to int32, which apache-arrow can't make from a JavaScript value. */
export const mapType = (keysSorted = false) =>
  new arrow.Map_(
    new arrow.Field(
      "entries",
      new arrow.Struct([
        new arrow.Field("key", new arrow.Utf8(), false),
        new arrow.Field("value", new arrow.Int32(), true),
      ]),
      false,
    ) as never,
    keysSorted,
  )
