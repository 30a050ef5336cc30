import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { Reader, WireError, Writer } from "./postcard.ts"

const SEED = 0x5eed
const bytesOf = (hex: string) => Uint8Array.fromHex(hex.replaceAll(" ", ""))

describe("postcard", () => {
  test("writes integers as little LEB128 groups, signed ones in zigzag", () => {
    expect(
      new Writer()
        .varint(0)
        .varint(127)
        .varint(128)
        .varint(2 ** 53 - 1)
        .bytes.toHex(),
    ).toBe("00" + "7f" + "8001" + "ffffffffffffff0f")
    expect(
      new Writer()
        .signed(7)
        .signed(-1)
        .signed(2n ** 63n - 1n)
        .signed(-(2n ** 63n))
        .bytes.toHex(),
    ).toBe("0e" + "01" + "feffffffffffffffff01" + "ffffffffffffffffff01")
  })

  test("every 64-bit integer comes back, as a number when it is safe", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const read = new Reader(new Writer().signed(value).bytes).signed()
        expect(BigInt(read)).toBe(value)
        expect(typeof read).toBe(Number.isSafeInteger(Number(value)) ? "number" : "bigint")
      }),
      { seed: SEED },
    )
    for (const edge of [2 ** 30, -(2 ** 30), 2 ** 53 - 1, -(2 ** 53 - 1), 0]) {
      expect(new Reader(new Writer().signed(edge).bytes).signed()).toBe(edge)
    }
  })

  test("both halves of a 64-bit varint come back", () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff })
    fc.assert(
      fc.property(word, word, (high, low) => {
        const bytes = new Writer().varint64(high, low).bytes
        expect(new Reader(bytes).varint64()).toEqual({ high, low })
        let whole = (BigInt(high) << 32n) | BigInt(low)
        const expected: number[] = []
        for (; whole > 0x7fn; whole >>= 7n) expected.push(Number(whole & 0x7fn) | 0x80)
        expect([...bytes]).toEqual([...expected, Number(whole)])
      }),
      { seed: SEED },
    )
  })

  test("texts of any length and alphabet come back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        const reader = new Reader(new Writer(1).text(text).bytes)
        expect(reader.text()).toBe(text)
        reader.end()
      }),
      { seed: SEED },
    )
    expect(new Reader(new Writer().text("\ufeffmark").bytes).text()).toBe("\ufeffmark")
  })

  test("refuses what the official decoder refuses", () => {
    const refusals: [string, (reader: Reader) => unknown][] = [
      ["", (r) => r.byte()],
      ["80", (r) => r.varint()],
      ["ffffffffffffffffffff01", (r) => r.varint()],
      ["ffffffffffffffffff02", (r) => r.varint64()],
      ["ffffffffffffffff7f", (r) => r.varint()],
      ["8002", (r) => r.varint(255)],
      ["02", (r) => r.bool()],
      ["03 61 62", (r) => r.text()],
      ["02 c3 28", (r) => r.text()],
      ["ff ff ff ff 0f", (r) => r.count()],
      ["01", (r) => r.count(8)],
      ["00", (r) => r.end()],
    ]
    for (const [hex, read] of refusals) {
      expect(() => read(new Reader(bytesOf(hex))), hex).toThrow(WireError)
    }
  })
})
