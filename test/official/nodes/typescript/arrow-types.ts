// One vector of every Arrow type that apache-arrow has, by name. The nodes in the other languages have the same, and those it
// has not.
import * as arrow from "apache-arrow"

type Numbers = ArrayLike<number> | ArrayLike<bigint>

/** A column of fixed width from its elements; null is written as 0 and marked. */
function fixed(type: arrow.DataType, values: (number | bigint | null)[]): arrow.Vector {
  const Elements = type.ArrayType as new (values: Numbers) => Uint8Array | BigInt64Array
  const zero = values.some((value) => typeof value === "bigint") ? 0n : 0
  const data = new Elements(values.map((value) => value ?? zero) as unknown as Numbers)
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  values.forEach((value, i) => {
    if (value !== null) nullBitmap[i >> 3]! |= 1 << (i & 7)
  })
  const nullCount = values.filter((value) => value === null).length
  const props = { type, length: values.length, nullCount, nullBitmap, data }
  return arrow.makeVector(arrow.makeData(props as never))
}

const vector = arrow.vectorFromArray as (values: unknown[], type: arrow.DataType) => arrow.Vector
const item = (type: arrow.DataType, name = "item") => new arrow.Field(name, type, true)
const bytes = (...values: number[]) => Uint8Array.from(values)
const text = (value: string) => new TextEncoder().encode(value)

function texts(): Record<string, arrow.Vector> {
  const short = ["", "grün 🚀", null, "dora"]
  const binary = [bytes(), bytes(0, 255), null]
  return {
    string: vector(short, new arrow.Utf8()),
    large_string: vector(short, new arrow.LargeUtf8()),
    string_view: vector(["", "a text longer than twelve bytes", null], new arrow.Utf8View()),
    binary: vector(binary, new arrow.Binary()),
    large_binary: vector(binary, new arrow.LargeBinary()),
    binary_view: vector([bytes(), text("more bytes than twelve"), null], new arrow.BinaryView()),
    fixed_size_binary: vector([text("abc"), null, text("xyz")], new arrow.FixedSizeBinary(3)),
    sliced: vector(["cut", "b", null, "d", "cut"], new arrow.Utf8()).slice(1, 4),
  }
}

/** −125 in so many words. */
function minusOneAndAQuarter(words: number): Uint32Array {
  return new Uint32Array(words).fill(0xffff_ffff, 1).with(0, -125 >>> 0)
}

function numbers(): Record<string, arrow.Vector> {
  const made: Record<string, arrow.Vector> = {
    float16: vector([1.5, null, -2.25], new arrow.Float16()),
    float32: fixed(new arrow.Float32(), [1.5, null, Number.NEGATIVE_INFINITY]),
    float64: fixed(new arrow.Float64(), [0.1, null, Number.POSITIVE_INFINITY]),
    empty: vector([], new arrow.Float32()),
    decimal128: vector([minusOneAndAQuarter(4), null], new arrow.Decimal(2, 30)),
    decimal256: vector([minusOneAndAQuarter(8), null], new arrow.Decimal(2, 60, 256)),
  }
  const pairs = [
    [8, arrow.Int8, arrow.Uint8],
    [16, arrow.Int16, arrow.Uint16],
    [32, arrow.Int32, arrow.Uint32],
  ] as const
  for (const [bits, Int, Uint] of pairs) {
    const half = 2 ** (bits - 1)
    made[`int${bits}`] = fixed(new Int(), [-half, 0, null, 1, half - 1])
    made[`uint${bits}`] = fixed(new Uint(), [0, 0, null, 1, 2 * half - 1])
  }
  const half = 2n ** 63n
  made.int64 = fixed(new arrow.Int64(), [-half, 0n, null, 1n, half - 1n])
  made.uint64 = fixed(new arrow.Uint64(), [0n, 0n, null, 1n, 2n * half - 1n])
  return made
}

function times(): Record<string, arrow.Vector> {
  const far = 2n ** 31n
  const made: Record<string, arrow.Vector> = {
    date32: fixed(new arrow.DateDay(), [0, null, 20_000]),
    date64: fixed(new arrow.DateMillisecond(), [0n, null, 1_728_000_000_000n]),
    time32_s: fixed(new arrow.TimeSecond(), [0, null, 86_399]),
    time32_ms: fixed(new arrow.TimeMillisecond(), [0, null, 86_399_999]),
    time64_us: fixed(new arrow.TimeMicrosecond(), [0n, null, 86_399_999_999n]),
    time64_ns: fixed(new arrow.TimeNanosecond(), [0n, null, 86_399_999_999_999n]),
  }
  const units = [
    ["s", arrow.TimestampSecond, arrow.DurationSecond],
    ["ms", arrow.TimestampMillisecond, arrow.DurationMillisecond],
    ["us", arrow.TimestampMicrosecond, arrow.DurationMicrosecond],
    ["ns", arrow.TimestampNanosecond, arrow.DurationNanosecond],
  ] as const
  for (const [unit, Stamp, Length] of units) {
    made[`timestamp_${unit}`] = fixed(new Stamp(), [0n, null, -1n, far])
    made[`timestamp_${unit}_zone`] = fixed(new Stamp("UTC"), [0n, null, far])
    made[`duration_${unit}`] = fixed(new Length(), [0n, null, -far])
  }
  return made
}

function nested(): Record<string, arrow.Vector> {
  const int32 = item(new arrow.Int32())
  const tags = new arrow.List(item(new arrow.Utf8()))
  const pair = new arrow.Struct([item(new arrow.Float64(), "x"), item(new arrow.Utf8(), "name")])
  const rows = [{ x: 1.5, name: "a" }, null, { x: null, name: null }]
  const indices = arrow.makeData({
    type: new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
    length: 4,
    nullCount: 1,
    nullBitmap: bytes(0b1101),
    data: Int8Array.of(1, 0, 0, 1),
    dictionary: vector(["red", "green"], new arrow.Utf8()) as arrow.Vector<arrow.Utf8>,
  })
  return {
    list: vector([[1, null], [], null, [2]], new arrow.List(int32)),
    fixed_size_list: vector([[1, null], null, [2, 3]], new arrow.FixedSizeList(2, int32)),
    struct: vector(rows, pair),
    large_list: vector([[1, null], [], null, [2]], new arrow.LargeList(int32)),
    dictionary: arrow.makeVector(indices),
    nested: vector(
      [[{ tags: ["a", null] }, null], null, []],
      new arrow.List(item(new arrow.Struct([item(tags, "tags")]))),
    ),
  }
}

/** Names and vectors. */
export function arrays(): Map<string, arrow.Vector> {
  const bool = vector([true, false, null, true], new arrow.Bool())
  const all = { bool, ...numbers(), ...texts(), ...times(), ...nested() }
  return new Map(Object.entries({ null: vector([null, null, null], new arrow.Null()), ...all }))
}
