import { describe, expect, test } from "bun:test"
import { formatProblems, problemsToJson, type ReportOptions } from "./report.ts"
import { problemsOf, TEST_FILE } from "./testing.ts"
import type { Problem } from "./types.ts"

function show(problems: readonly Problem[], text: string, options?: ReportOptions): string {
  const files = ["flow.yml", TEST_FILE]
  return formatProblems(problems, new Map(files.map((file) => [file, text])), options)
}

function problem(column: number, length: number, rest: Partial<Problem> = {}): Problem {
  return {
    severity: "error",
    code: "TEST",
    message: "a sentence",
    position: { file: "flow.yml", line: 1, column },
    length,
    hint: null,
    ...rest,
  }
}

/** The terminal cell in which the carets start, tabs every 8 cells; and how many there are. */
function carets(text: string): { cell: number; count: number } {
  const line = text.split("\n")[2]!
  const before = line.slice(0, line.indexOf("^"))
  let cell = 0
  for (const char of before) cell = char === "\t" ? cell + 8 - (cell % 8) : cell + 1
  return { cell, count: line.length - before.length }
}

describe("the caret", () => {
  test("stands below the text, in the same cells, after tabs", () => {
    const text = "\ta:\tbad"
    const report = show([problem(5, 3)], text)
    expect(report).toBe("flow.yml:1:5: error[TEST]: a sentence\n  1 | \ta:\tbad\n    | \t  \t^^^")
    // "  1 | " takes 6 cells, so the tabs reach cells 8 and 16.
    expect(carets(report)).toEqual({ cell: 16, count: 3 })
  })

  test("counts two cells for wide characters, before it and above it", () => {
    const report = show([problem(4, 2)], "日本 悪い: x")
    expect(carets(report)).toEqual({ cell: 6 + 5, count: 4 })
  })

  test("counts a character outside the basic plane once", () => {
    const report = show([problem(4, 1)], "🙂 x")
    expect(carets(report)).toEqual({ cell: 6 + 3, count: 1 })
  })

  test("counts nothing for combining characters", () => {
    const report = show([problem(4, 1)], "e\u0301 x")
    expect(carets(report)).toEqual({ cell: 6 + 2, count: 1 })
  })

  test("stays on its line when what it marks is longer", () => {
    const [first] = problemsOf("- a\n- b\n")
    expect(first?.length).toBe(3)
  })

  test("finds the same place with a byte-order mark and with CRLF", () => {
    const text = "nodes:\n  - id: a\n    path: sh\n    ouputs: [x]\n"
    const unix = show(problemsOf(text), text)
    const windows = `\ufeff${text.replaceAll("\n", "\r\n")}`
    expect(show(problemsOf(windows), windows)).toBe(unix)
  })
})

describe("a report", () => {
  test("has its own colour for errors and for warnings, and none unless asked", () => {
    const both = [problem(1, 1), problem(1, 1, { severity: "warning" })]
    const [error, warning] = show(both, "x", { color: true }).split("\n\n")
    expect(error).toContain("\x1b[1;31merror[TEST]\x1b[0m")
    expect(error).toContain("\x1b[1;31m^\x1b[0m")
    expect(warning).toContain("\x1b[1;33mwarning[TEST]\x1b[0m")
    expect(show(both, "x")).not.toContain("\x1b")
  })

  test("shows a window of a line that is very long", () => {
    const text = `${"a".repeat(5000)}BAD${"b".repeat(5000)}`
    const [, line = "", caret = ""] = show([problem(5001, 3)], text).split("\n")
    expect(line.length).toBeLessThan(200)
    expect(line.slice(caret.indexOf("^"), caret.indexOf("^") + 3)).toBe("BAD")
  })

  test("never passes control characters of a file on to the terminal", () => {
    const text = "a\x1b]0;title\x07\x9b2J\u202eb"
    const report = show([problem(1, 3, { message: `bad \x1b[2J` })], text)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(report).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  })

  test("prints a hundred problems and counts the rest", () => {
    const many = Array.from({ length: 130 }, () => problem(1, 1))
    const report = show(many, "x")
    expect(report.split("\n\n")).toHaveLength(101)
    expect(report).toEndWith("… and 30 more")
  })

  test("is available to programs", () => {
    expect(problemsToJson([problem(3, 2, { hint: "do it" })])).toEqual([
      {
        file: "flow.yml",
        line: 1,
        column: 3,
        severity: "error",
        code: "TEST",
        message: "a sentence",
        length: 2,
        hint: "do it",
      },
    ])
  })
})
