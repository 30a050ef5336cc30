// Results as files: ours come back as they were, others are refused with a reason; and as dora's own rows.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { exampleCsv, timerCsv } from "../../bench/csv.ts"
import { type Goal, parseResult, readResult, ResultFileError } from "../../bench/result.ts"
import { goalText, reaches, resultLines } from "../../bench/show.ts"
import { ROOT } from "../support/install.ts"
import { resultOf, rowOf } from "./suite-results.ts"

const RATE = rowOf([4e6], {
  part: "throughput",
  name: "64 B copied, backpressure",
  unit: "messages/s",
  better: "higher",
  figures: { "delivered/s": 4e6, "bytes/s": 2.56e8, "dropped%": 0, seconds: 0.5 },
  floor: undefined,
  ratio: undefined,
  goals: [{ of: "value", limit: 4e6 }],
})
const RESULT = resultOf(rowOf([240, 241, 239, 240, 242]), RATE)
const TEXT = JSON.stringify(RESULT)

describe("a result", () => {
  test("comes back from its text as it was", () => {
    expect(parseResult(TEXT, "a.json")).toEqual(JSON.parse(TEXT))
  })

  test("that is cut, empty or no JSON is refused", () => {
    for (const text of ["", "{", TEXT.slice(0, -20), "null", "[]", "3", '"text"']) {
      expect(() => parseResult(text, "a.json")).toThrow(ResultFileError)
    }
  })

  test("of another version is refused, and says which this is", () => {
    expect(() => parseResult(JSON.stringify({ ...RESULT, version: 7 }), "a.json")).toThrow(
      '"version" is 7, this reads 1',
    )
  })

  test("with a field of another kind is refused, and says which", () => {
    const broken: [string, unknown][] = [
      ["value", "fast"],
      ["value", null],
      ["unit", "parsecs"],
      ["better", 1],
      ["figures", { p50: "x" }],
      ["rounds", [{ floor: 1 }]],
      ["ratio", { value: 1, low: 1 }],
      ["cdf", [[0.5]]],
      ["noisy", "no"],
      ["name", 5],
    ]
    for (const [field, value] of broken) {
      const text = JSON.stringify({
        ...RESULT,
        rows: [RESULT.rows[1], { ...RESULT.rows[0], [field]: value }],
      })
      expect(() => parseResult(text, "a.json")).toThrow(`rows[1].${field} is `)
    }
  })

  test("that is not there is refused with a way out", async () => {
    const error = await readResult("/nowhere/a.json").catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ResultFileError)
    expect((error as ResultFileError).code).toBe("RESULT_FILE")
    expect((error as ResultFileError).message).toContain("fix: give a file that `dora bench` wrote")
  })

  test("with any byte changed is read or refused, and never breaks what shows it", () => {
    for (let i = 0; i < TEXT.length; i++) {
      for (const byte of ["0", '"', "}"]) {
        const text = TEXT.slice(0, i) + byte + TEXT.slice(i + 1)
        try {
          resultLines(parseResult(text, "a.json"), false)
        } catch (error) {
          if (!(error instanceof ResultFileError))
            throw new Error(`byte ${i}: ${text}`, { cause: error })
        }
      }
    }
  })
})

test("a row reaches its goals when it reaches all of them", () => {
  const goals = (...list: Goal[]) => reaches(rowOf([240], { goals: list }))
  expect(goals()).toBeNull()
  expect(goals({ of: "value", limit: 240 }, { of: "p99.9", limit: 5000 })).toBe(true)
  expect(goals({ of: "value", limit: 240 }, { of: "p99.9", limit: 4999 })).toBe(false)
  expect(goals({ of: "value", limit: 240 }, { of: "cpu%", limit: 5 })).toBeNull()
  expect(reaches(RATE)).toBe(true)
  expect(reaches({ ...RATE, value: 3.9e6 })).toBe(false)
  expect(
    goalText(
      rowOf([240], {
        goals: [
          { of: "ratio", limit: 2 },
          { of: "cpu%", limit: 8 },
        ],
      }),
    ),
  ).toBe("≤ 2.00 ×, cpu ≤ 8 %")
})

test("every result that the repository keeps can still be read", async () => {
  const files = [...new Bun.Glob("bench/results/*.json").scanSync(ROOT)]
  for (const file of files) {
    const text = await Bun.file(join(ROOT, file)).text()
    if (JSON.parse(text).version !== undefined) parseResult(text, file)
  }
})

describe("dora's own rows", () => {
  test("are those of its example: nanoseconds, eleven fields", () => {
    expect(exampleCsv(RESULT)).toBe(
      "latency,64,dora-bun latency 64 B copied recv(),400000,260,240,320,900,5000,90,80000\n" +
        "throughput,64,dora-bun throughput 64 B copied backpressure,2000000,4000000,500000000,0,0,0,0,0\n",
    )
  })

  test("are those of its benchmark repository: microseconds, ten fields", () => {
    expect(timerCsv(RESULT)).toBe(
      "2026-11-22T07:00:00,TypeScript,A B,dora-bun latency 64 B copied recv(),64,0.26,0.24,0.3,0.9,400000\n",
    )
  })
})
