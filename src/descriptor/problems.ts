// Collects what is wrong with one file, so that everything is told in one go.
import { DoraError } from "../core/errors.ts"
import { formatProblems } from "./report.ts"
import type { Position, Problem } from "./types.ts"

/**
 * Most problems that get a computed hint: suggestions compare words, and a hostile file has a
 * million of them.
 */
const MAX_COMPUTED_HINTS = 100
/** Longest piece of a file that a sentence quotes, in characters. */
const MAX_QUOTE = 80

/** Longest sentence, in characters: official ones quote whole names. */
const MAX_MESSAGE = 500

/** A stretch of the file, as offsets into its text. */
export type Span = { start: number; end: number }

/** What to do about a problem; a function is only called for problems that somebody will read. */
export type Hint = string | null | (() => string | null)

type Found = Omit<Problem, "position" | "length" | "hint"> & Span & { hint: Hint }

/**
 * A dataflow file that can't be run. `problems` holds everything that is wrong with it, warnings
 * included, in the order of the file; the message is the plain report.
 *
 * @example
 * try { await loadDataflow("flow.yml") }
 * catch (e) { if (e instanceof DescriptorError) console.error(formatProblems(e.problems, e.text)) }
 */
export class DescriptorError extends DoraError {
  readonly problems: readonly Problem[]
  /** The file as read; empty when it could not be read. */
  readonly text: string

  constructor(file: string, problems: readonly Problem[], text: string) {
    const errors = problems.filter((problem) => problem.severity === "error").length
    const count = errors === 1 ? "1 error" : `${errors} errors`
    super("DESCRIPTOR_INVALID", {
      what: `${count} in dataflow ${quote(file)}\n\n${formatProblems(problems, text)}`,
    })
    this.problems = problems
    this.text = text
  }
}

/** The problems of one file while it is being checked. */
export class Problems {
  readonly file: string
  readonly text: string
  readonly #found: Found[] = []
  readonly #seen = new Set<string>()
  readonly #lineStarts: number[] = [0]

  /** @param file  the name that positions carry, as the user wrote it */
  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      this.#lineStarts.push(at + 1)
    }
  }

  /** Notes an error: the file will be refused. */
  error(code: string, at: Span, message: string, hint: Hint = null): void {
    this.#add({ severity: "error", code, message, hint, start: at.start, end: at.end })
  }

  /** Notes what is legal and probably not meant. */
  warn(code: string, at: Span, message: string, hint: Hint = null): void {
    this.#add({ severity: "warning", code, message, hint, start: at.start, end: at.end })
  }

  /** Has an error been noted? */
  get failed(): boolean {
    return this.#found.some((found) => found.severity === "error")
  }

  /** Line and column of an offset. */
  position(offset: number): Position {
    const line = this.#lineOf(offset)
    return { file: this.file, line: line + 1, column: offset - this.#lineStarts[line]! + 1 }
  }

  /** Everything noted, in the order of the file. */
  list(): Problem[] {
    const sorted = this.#found.toSorted((a, b) => a.start - b.start)
    return sorted.map(({ start, end, hint, ...rest }, index) => {
      const ready = typeof hint === "function" ? (index < MAX_COMPUTED_HINTS ? hint() : null) : hint
      const position = this.position(start)
      const lineEnd = this.#lineStarts[position.line] ?? this.text.length + 1
      const length = Math.max(1, Math.min(end, lineEnd - 1) - start)
      return { ...rest, position, length: this.text === "" ? 0 : length, hint: ready }
    })
  }

  #add(found: Found): void {
    // An alias brings the same text, and so the same problem, to several places.
    const key = `${found.code} ${found.start} ${found.message}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const { message } = found
    const isLong = message.length > MAX_MESSAGE
    this.#found.push(isLong ? { ...found, message: `${message.slice(0, MAX_MESSAGE)}…` } : found)
  }

  #lineOf(offset: number): number {
    let low = 0
    let high = this.#lineStarts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#lineStarts[middle]! <= offset) low = middle
      else high = middle
    }
    return low
  }
}

/**
 * Text of the file inside a sentence, in backquotes and not longer than a sentence bears.
 *
 * @example quote("a") // "`a`"
 */
export function quote(text: string): string {
  return `\`${text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text}\``
}

/** Names in backquotes, separated by commas; at most `most`, then "…". */
export function quoteList(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map(quote)
  return [...shown, ...(names.length > most ? ["…"] : [])].join(", ")
}
