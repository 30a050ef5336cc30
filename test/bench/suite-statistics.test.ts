// The suite's arithmetic on rounds whose truth is known.
import { describe, expect, test } from "bun:test"
import {
  compareRounds,
  median,
  noiseOf,
  pairedRatio,
  randomOf,
  sameFloor,
} from "../../bench/statistics.ts"

/** Numbers whose logarithms are normally distributed: what times look like. */
function logNormal(random: () => number, middle: number, spread: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return middle * Math.exp(spread * normal)
}

describe("medians", () => {
  test("are the middle value, or lie between the two middle ones", () => {
    expect([median([7]), median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([7, 2, 2.5])
    expect(median([])).toBeNaN()
  })

  test("leave what they are given in its order", () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })
})

describe("random numbers", () => {
  test("are the same for the same seed, and spread evenly", () => {
    const [a, b] = [randomOf(7), randomOf(7)]
    expect(Array.from({ length: 5 }, a)).toEqual(Array.from({ length: 5 }, b))
    const random = randomOf(1)
    const tenths = new Array(10).fill(0)
    for (let i = 0; i < 100_000; i++) tenths[Math.floor(random() * 10)]++
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  })
})

describe("the interval of a ratio", () => {
  test("holds the true median in about 95 of 100 cases", () => {
    const random = randomOf(42)
    let held = 0
    for (let i = 0; i < 300; i++) {
      const ratios = Array.from({ length: 9 }, () => logNormal(random, 2, 0.2))
      const { low, high } = pairedRatio(ratios, i)
      if (low <= 2 && 2 <= high) held++
    }
    // 285 expected; four standard deviations of a fair 95 % are 15.
    expect(held).toBeGreaterThan(268)
    expect(held).toBeLessThan(300)
  }, 60_000)

  test("is as narrow as the rounds agree", () => {
    const exact = pairedRatio([2, 2, 2, 2, 2])
    expect(exact).toEqual({ value: 2, low: 2, high: 2 })
    const wide = pairedRatio([1, 1.5, 2, 3, 4])
    expect([wide.value, wide.low, wide.high]).toEqual([2, 1, 4])
  })

  test("is not moved by one round that went wrong", () => {
    const { value, high } = pairedRatio([2, 2.01, 1.99, 2, 2.02, 1.98, 2, 2.01, 40])
    expect(value).toBeCloseTo(2, 1)
    expect(high).toBeLessThan(2.1)
  })

  test("is the same each time", () => {
    const ratios = [1.9, 2.3, 2.1, 2.2, 2]
    expect(pairedRatio(ratios)).toEqual(pairedRatio(ratios))
  })
})

describe("comparing rounds", () => {
  test("finds a factor that is there", () => {
    const random = randomOf(3)
    const rounds = (middle: number) =>
      Array.from({ length: 9 }, () => ({ value: logNormal(random, middle, 0.05) }))
    const found = compareRounds(rounds(100), rounds(150))!
    expect(found.value).toBeCloseTo(1.5, 1)
    expect(found.low).toBeGreaterThan(1.35)
    expect(found.high).toBeLessThan(1.65)
  })

  test("compares rounds only that found the machine in the same state", () => {
    // The machine was mostly fast before and mostly slow after; the program is what it was.
    const fast = { value: 200, floor: 75 }
    const slow = { value: 400, floor: 265 }
    const found = compareRounds([fast, fast, fast, fast, slow], [fast, slow, slow, slow, slow])
    expect(found?.value).toBe(1)
  })

  test("says nothing when the machine was never in the same state", () => {
    expect(compareRounds([{ value: 200, floor: 75 }], [{ value: 400, floor: 265 }])).toBeNull()
    expect(compareRounds([], [{ value: 1 }])).toBeNull()
  })
})

test("floors count as the same within a third, and unknown ones always", () => {
  expect([sameFloor(100, 129), sameFloor(129, 100), sameFloor(75, 265)]).toEqual([
    true,
    true,
    false,
  ])
  expect([sameFloor(undefined, 1), sameFloor(1, undefined)]).toEqual([true, true])
})

test("few rounds and wide intervals are noise, and say so", () => {
  expect(noiseOf({ value: 2, low: 1.9, high: 2.1 }, 5)).toBeNull()
  expect(noiseOf({ value: 2, low: 1.9, high: 2.1 }, 1)).toBe("only 1 round")
  expect(noiseOf({ value: 2, low: 1, high: 4 }, 9)).toBe("rounds lie apart: 1.00 to 4.00")
})
