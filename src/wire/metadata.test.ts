import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { HybridClock } from "../core/clock.ts"
import { Float, type Parameter, type Parameters } from "../core/parameters.ts"
import {
  decodeParameters,
  encodeMessage,
  encodeParameters,
  ParameterError,
  readMessage,
} from "./metadata.ts"
import { Reader, WireError, Writer } from "./postcard.ts"

const SEED = 0x5eed

const integer = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
const text = fc.string({ unit: "grapheme", maxLength: 20 })
const parameter: fc.Arbitrary<Parameter> = fc.oneof(
  fc.boolean(),
  integer,
  fc.double().map((value) => (Number.isSafeInteger(value) ? new Float(value) : value)),
  text,
  fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") }),
  fc.array(integer, { maxLength: 5 }),
  fc.array(text, { minLength: 1, maxLength: 5 }),
  fc.float64Array({ maxLength: 5 }),
)

/** What comes back: a bigint that is a safe number as number. */
function normal(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value
  return Array.isArray(value) ? value.map(normal) : value
}

describe("parameters", () => {
  test("come back with their types", () => {
    fc.assert(
      fc.property(fc.dictionary(text, parameter, { maxKeys: 6 }), (parameters) => {
        const read = decodeParameters(encodeParameters(parameters as Parameters))
        expect(Object.keys(read).toSorted()).toEqual(Object.keys(parameters).toSorted())
        for (const key of Object.keys(parameters)) {
          expect(read[key]).toEqual(normal(parameters[key]) as Parameter)
        }
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  test("an integer, a whole float and a float are told apart", () => {
    const bytes = encodeParameters({ a: 2, b: new Float(2), c: 2.5, d: [1.5, 2], e: 2n ** 62n })
    expect(decodeParameters(bytes)).toEqual({
      a: 2,
      b: new Float(2),
      c: 2.5,
      d: Float64Array.of(1.5, 2),
      e: 2n ** 62n,
    })
    expect(encodeParameters(decodeParameters(bytes))).toEqual(bytes)
  })

  test("keys go out in byte order", () => {
    expect(encodeParameters({ b: true, "": true, a: true }).toHex()).toBe(
      "03000001" + "01610001" + "01620001",
    )
  })

  test("a time is RFC 3339 text in UTC", () => {
    const bytes = new Writer()
      .varint(1)
      .text("t")
      .byte(7)
      .text("2026-01-02T03:04:05.123456789Z").bytes
    expect(decodeParameters(bytes)).toEqual({ t: new Date("2026-01-02T03:04:05.123Z") })
    const whole = encodeParameters({ t: new Date("2026-01-02T03:04:05Z") })
    expect(new TextDecoder().decode(whole)).toContain("2026-01-02T03:04:05Z")
    for (const bad of ["yesterday", "2026-13-02T03:04:05Z", "2026-01-02"]) {
      expect(() =>
        decodeParameters(new Writer().varint(1).text("t").byte(7).text(bad).bytes),
      ).toThrow(WireError)
    }
  })

  test("a key named __proto__ is a key like any other", () => {
    const read = decodeParameters(new Writer().varint(1).text("__proto__").byte(6).varint(0).bytes)
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Object.keys(read)).toEqual(["__proto__"])
  })

  test("what dora has no type for is refused by name", () => {
    const values: unknown[] = [
      null,
      undefined,
      {},
      2n ** 63n,
      new Date(Number.NaN),
      [1, "a"],
      [null],
    ]
    for (const value of values) {
      expect(() => encodeParameters({ key: value as Parameter })).toThrow(ParameterError)
    }
    expect(() => encodeParameters({ depth: null as never })).toThrow(
      "parameter `depth` can't be sent",
    )
  })

  test("a message keeps its bytes for passing on", () => {
    const stamp = new HybridClock().stamp()
    const bytes = encodeMessage(stamp, encodeParameters({ frame: 7 }), Uint8Array.of(1, 2, 3))
    const message = readMessage(new Reader(bytes))
    expect(message).toEqual({
      stamp,
      parameters: { frame: 7 },
      parameterBytes: encodeParameters({ frame: 7 }),
      data: Uint8Array.of(1, 2, 3),
      bytes,
    })
  })

  test("another metadata version and empty data are refused", () => {
    const bytes = encodeMessage(new HybridClock().stamp(), encodeParameters({}), null)
    expect(() => readMessage(new Reader(Uint8Array.of(1, ...bytes.subarray(1))))).toThrow(
      "version 1",
    )
    const empty = encodeMessage(new HybridClock().stamp(), encodeParameters({}), new Uint8Array(0))
    expect(() => readMessage(new Reader(empty))).toThrow(WireError)
  })
})
