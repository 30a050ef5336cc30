// Problems as text for people and as JSON for programs.
import type { Problem } from "./types.ts"

/** Most problems that a report prints; the rest is counted. */
const MAX_PRINTED = 100
/** Widest excerpt of a source line, in characters. */
const MAX_EXCERPT = 160
/** How much of a long line is shown before the caret. */
const EXCERPT_LEAD = 60

type Paint = (text: string) => string
const plain: Paint = (text) => text
const colour =
  (code: string): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[0m`

/** Files by the names that positions carry. */
export type Texts = ReadonlyMap<string, string>

/** How {@link formatProblems} prints. */
export type ReportOptions = {
  /** ANSI colours: errors red, warnings yellow. Default false. */
  color?: boolean
}

/**
 * Prints problems for people: place, code and sentence, then the line with a caret, then what to
 * do.
 *
 * @param texts  the files that the positions point into
 * @example
 * formatProblems(dataflow.warnings, dataflow.texts, { color: process.stderr.isTTY })
 * // flow.yml:4:5: error[UNKNOWN_FIELD]: unknown field `ouputs` in node `a`
 * //   4 |     ouputs: [x]
 * //     |     ^^^^^^
 * //   hint: did you mean `outputs`?
 */
export function formatProblems(
  problems: readonly Problem[],
  texts: Texts,
  options: ReportOptions = {},
): string {
  const shown = problems.slice(0, MAX_PRINTED)
  const lines = new Map<string, string[]>()
  const reports = shown.map((problem) => {
    const { file } = problem.position
    const source = lines.getOrInsertComputed(file, () => sourceLines(texts.get(file) ?? ""))
    return formatOne(problem, source, options.color === true)
  })
  const left = problems.length - shown.length
  if (left > 0) reports.push(`… and ${left} more`)
  return reports.join("\n\n")
}

/**
 * Problems as plain values for `--format json`: file, line and column (from 1), length, code,
 * message, hint.
 *
 * @example JSON.stringify(problemsToJson(error.problems))
 */
export function problemsToJson(problems: readonly Problem[]): Record<string, unknown>[] {
  return problems.map(({ position, ...rest }) => ({ ...position, ...rest }))
}

function formatOne(problem: Problem, lines: readonly string[], color: boolean): string {
  const { file, line, column } = problem.position
  const paint = !color ? plain : colour(problem.severity === "error" ? "1;31" : "1;33")
  const dim = color ? colour("2") : plain
  const kind = paint(`${problem.severity}[${problem.code}]`)
  const head = `${printable(`${file}:${line}:${column}`)}: ${kind}: ${printable(problem.message)}`
  const out = [head]
  const source = lines[line - 1]
  if (source !== undefined && problem.length > 0) {
    const { before, marked, after } = excerpt(source, column - 1, problem.length)
    const margin = " ".repeat(String(line).length)
    out.push(`  ${dim(`${line} |`)} ${before}${marked}${after}`.trimEnd())
    const carets = "^".repeat(Math.max(1, Bun.stringWidth(marked)))
    out.push(`  ${dim(`${margin} |`)} ${blank(before)}${paint(carets)}`)
  }
  if (problem.hint)
    out.push(`  ${color ? colour("36")("hint") : "hint"}: ${printable(problem.hint)}`)
  return out.join("\n")
}

function sourceLines(text: string): string[] {
  return text.replace(/^\ufeff/, "").split("\n")
}

/** A line cut around the marked part: a file may be one line of many megabytes. */
function excerpt(source: string, at: number, length: number) {
  const line = source.replace(/\r$/, "")
  const from = line.length <= MAX_EXCERPT ? 0 : Math.max(0, at - EXCERPT_LEAD)
  const to = line.length <= MAX_EXCERPT ? line.length : from + MAX_EXCERPT
  const end = Math.min(at + length, to)
  return {
    before: (from > 0 ? "…" : "") + printable(line.slice(from, at)),
    marked: printable(line.slice(at, end)),
    after: printable(line.slice(end, to)) + (to < line.length ? "…" : ""),
  }
}

/**
 * As many columns of white space as the text is wide; tabs stay tabs, so that any tab width lines
 * up.
 */
function blank(text: string): string {
  return text
    .split("\t")
    .map((part) => " ".repeat(Bun.stringWidth(part)))
    .join("\t")
}

/** Text of a user must not steer the terminal: control and direction characters become visible. */
function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => {
      const code = char.charCodeAt(0)
      if (code < 0x20) return String.fromCharCode(0x2400 + code)
      return code === 0x7f ? "\u2421" : "\ufffd"
    },
  )
}
