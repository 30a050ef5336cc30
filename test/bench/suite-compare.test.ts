// Verdicts on two results.
import { describe, expect, test } from "bun:test"
import { compareLines, compareResults, type Verdict } from "../../bench/compare.ts"
import type { Row } from "../../bench/result.ts"
import { randomOf } from "../../bench/statistics.ts"
import { resultOf, rowOf } from "./suite-results.ts"

const STEADY = [240, 241, 239, 240, 242]
const scaled = (factor: number) => STEADY.map((value) => value * factor)

function verdict(before: Row, after: Row, threshold = 1.05): Verdict {
  return compareResults(resultOf(before), resultOf(after), threshold)[0]!.verdict
}

describe("a row", () => {
  test("that has not changed is the same", () => {
    expect(verdict(rowOf(STEADY), rowOf(scaled(1.01)))).toBe("same")
  })

  test("that takes longer is slower, one that takes less is faster", () => {
    expect(verdict(rowOf(STEADY), rowOf(scaled(1.2)))).toBe("slower")
    expect(verdict(rowOf(STEADY), rowOf(scaled(0.8)))).toBe("faster")
  })

  test("counted as a rate is slower when it falls", () => {
    const rate: Partial<Row> = { unit: "messages/s", better: "higher" }
    const [change] = compareResults(
      resultOf(rowOf(STEADY, rate)),
      resultOf(rowOf(scaled(0.5), rate)),
      1.05,
    )
    expect(change?.verdict).toBe("slower")
    expect(change?.change?.value).toBeCloseTo(2, 1)
  })

  test("within the threshold is the same, however sure the change is", () => {
    expect(verdict(rowOf(STEADY), rowOf(scaled(1.2)), 1.5)).toBe("same")
  })

  test("whose rounds lie apart is unclear, whichever way its median went", () => {
    expect(verdict(rowOf([100, 200, 300, 400, 500]), rowOf([150, 250, 350, 450, 550]))).toBe(
      "unclear",
    )
  })

  test("of few rounds is unclear, however far they are", () => {
    const [change] = compareResults(resultOf(rowOf([240, 241])), resultOf(rowOf([480, 481])), 1.05)
    expect([change?.verdict, change?.why]).toEqual([
      "unclear",
      "only 2 rounds; 5 at least say something",
    ])
  })

  test("taken on a machine in another state throughout is told apart", () => {
    const moved = rowOf(scaled(2))
    moved.rounds = moved.rounds.map((round) => ({ ...round, floor: 300 }))
    expect(verdict(rowOf(STEADY), moved)).toBe("apart")
  })

  test("that only one result has is added or gone", () => {
    const other = rowOf(STEADY, { name: "other" })
    const changes = compareResults(resultOf(rowOf(STEADY)), resultOf(other), 1.05)
    expect(changes.map((change) => change.verdict)).toEqual(["gone", "added"])
  })

  test("with a figure of nothing is unclear: it has no ratio", () => {
    expect(verdict(rowOf([0, 0, 0, 0, 0], { unit: "%" }), rowOf(STEADY, { unit: "%" }))).toBe(
      "unclear",
    )
  })

  test("that measures something else now is unclear", () => {
    expect(verdict(rowOf(STEADY), rowOf(STEADY, { unit: "%" }))).toBe("unclear")
  })
})

test("two runs of the same program are told apart from each other in few of 100 cases", () => {
  const random = randomOf(11)
  const noisy = () => rowOf(Array.from({ length: 5 }, () => 240 * (1 + 0.2 * random())))
  const found = Array.from({ length: 100 }, () => verdict(noisy(), noisy()))
  expect(found.filter((one) => one === "slower" || one === "faster").length).toBeLessThan(10)
}, 60_000)

test("the table names what differs between the machines, and counts the verdicts", () => {
  const before = resultOf(rowOf(STEADY), rowOf(STEADY, { name: "b" }))
  const after = resultOf(rowOf(scaled(2)), rowOf(STEADY, { name: "b" }))
  after.machine.cores = 8
  const lines = compareLines(before, after, compareResults(before, after, 1.05), false)
  expect(lines[0]).toBe("not the same machine: cores 2 → 8")
  const row = lines.find((line) => line.startsWith("latency: 64 B"))
  expect(row).toMatch(/240 ns\s+480 ns\s+2\.00 ×\s+[\d.]+–[\d.]+\s+slower$/)
  expect(lines).toContain("1 slower, 1 same")
})
