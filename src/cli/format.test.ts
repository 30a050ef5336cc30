import { expect, test } from "bun:test"
import * as fc from "fast-check"
import {
  formatBytes,
  formatCount,
  formatMicros,
  formatMillis,
  formatRate,
  parseDuration,
} from "./format.ts"

test("a duration is read with its units, and a bare number counts seconds", () => {
  expect(parseDuration("10s")).toBe(10_000)
  expect(parseDuration("500ms")).toBe(500)
  expect(parseDuration("2m")).toBe(120_000)
  expect(parseDuration("1h30m")).toBe(5_400_000)
  expect(parseDuration("1m2s3ms")).toBe(62_003)
  expect(parseDuration("8")).toBe(8000)
  expect(parseDuration("0.5")).toBe(500)
  expect(parseDuration("1.5s")).toBe(1500)
})

test("what is no duration is refused", () => {
  for (const text of ["", "s", "10x", "10 s", "-5s", "5s!", "1e3", "ten", "10s 5", "NaN", "."]) {
    expect(parseDuration(text)).toBeNull()
  }
})

test("durations are shown with three digits in the unit that suits them", () => {
  expect(formatMicros(0)).toBe("0.00 µs")
  expect(formatMicros(0.341)).toBe("341 ns")
  expect(formatMicros(0.9999)).toBe("1.00 µs")
  expect(formatMicros(12.34)).toBe("12.3 µs")
  expect(formatMicros(999.7)).toBe("1.00 ms")
  expect(formatMicros(1234)).toBe("1.23 ms")
  expect(formatMillis(8000)).toBe("8.00 s")
  expect(formatMillis(59_960)).toBe("1 m 0 s")
  expect(formatMillis(5_400_000)).toBe("1 h 30 m")
  expect(formatMicros(Number.NaN)).toBe("-")
})

test("bytes, rates and counts read well", () => {
  expect(formatBytes(0)).toBe("0 B")
  expect(formatBytes(999)).toBe("999 B")
  expect(formatBytes(921_600)).toBe("922 kB")
  expect(formatBytes(221_184_000)).toBe("221 MB")
  expect(formatBytes(-37_250.6)).toBe("-37.3 kB")
  expect(formatRate(29.97)).toBe("30.0/s")
  expect(formatRate(2_134_567)).toBe("2.13 M/s")
  expect(formatRate(4)).toBe("4.00/s")
  expect(formatRate(Number.NaN)).toBe("-")
  expect(formatCount(1234567)).toBe("1,234,567")
  expect(formatCount(12)).toBe("12")
})

test("a shown number never has more than four digits in a row", () => {
  const check = (show: (value: number) => string) =>
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (value) => {
        expect(show(value)).not.toMatch(/\d{5}/)
      }),
    )
  check(formatBytes)
  check((value) => formatMicros(value / 1e5))
})
