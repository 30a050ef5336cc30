// What the nodes of the suite make of the times they took.
import { describe, expect, test } from "bun:test"
import { Times } from "../../bench/nodes/times.ts"

function summaryOf(values: readonly number[]) {
  const times = new Times(values.length)
  for (const value of values) times.add(value)
  return times.summary()
}

describe("times", () => {
  test("of a known distribution have its quantiles, to three digits", () => {
    const { p50, p90, p99, p999, min, max, mean, count } = summaryOf(
      Array.from({ length: 100_000 }, (_, i) => i + 1),
    )
    expect([min, max, count]).toEqual([1, 100_000, 100_000])
    for (const [found, exact] of [
      [p50, 50_000],
      [p90, 90_000],
      [p99, 99_000],
      [p999, 99_900],
      [mean, 50_000.5],
    ]) {
      expect(Math.abs(found! / exact! - 1)).toBeLessThan(0.002)
    }
  })

  test("have no quantile beyond the largest, and a distribution that only rises", () => {
    const { p999, max, cdf } = summaryOf([5000, 7001, 11_105_142])
    expect([p999, max]).toEqual([11_105_142, 11_105_142])
    const figures = cdf.map(([, ns]) => ns!)
    expect(figures).toEqual(figures.toSorted((a, b) => a - b))
    expect(cdf.at(-1)).toEqual([1, 11_105_142])
  })

  test("of few messages say nothing of a tail that has none", () => {
    const shares = summaryOf(Array.from({ length: 50 }, (_, i) => 100 + i)).cdf.map(([s]) => s!)
    expect(shares.filter((share) => share > 0.98 && share < 1)).toEqual([])
  })

  test("of other clocks that seem negative count as next to nothing", () => {
    expect(summaryOf([-40, 20, 30]).min).toBe(1)
  })
})
