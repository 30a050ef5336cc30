// Collects what is wrong with a dataflow, in its file and in those of its modules, so that everything is told in one go.
import { DoraError } from "../core/errors.ts"
import { formatProblems, type Texts } from "./report.ts"
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

/** A stretch of one of the files; offsets as in {@link SourceText}. */
export type Span = { start: number; end: number }

/** A file that spans point into: its first character has the offset `base`. */
export type SourceText = { file: string; text: string; base: number }
type Source = SourceText & { lineStarts: number[] }

/** What to do about a problem; a function is only called for problems that somebody will read. */
export type Hint = string | null | (() => string | null)

type Found = Omit<Problem, "position" | "length" | "hint"> & Span & { hint: Hint }

/**
 * A dataflow that can't be run. `problems` holds everything that is wrong with it, warnings
 * included, in the order of the file, then of its modules; the message is the plain report.
 *
 * @example
 * try { await loadDataflow("flow.yml") }
 * catch (e) { if (e instanceof DescriptorError) console.error(formatProblems(e.problems, e.texts)) }
 */
export class DescriptorError extends DoraError {
  readonly problems: readonly Problem[]
  /** The files as read, by the names that positions carry; one that could not be read is empty. */
  readonly texts: Texts

  constructor(file: string, problems: readonly Problem[], texts: Texts) {
    const errors = problems.filter((problem) => problem.severity === "error").length
    const count = errors === 1 ? "1 error" : `${errors} errors`
    super("DESCRIPTOR_INVALID", {
      what: `${count} in dataflow ${quote(file)}\n\n${formatProblems(problems, texts)}`,
    })
    this.problems = problems
    this.texts = texts
  }
}

/** The problems of a dataflow while it is being checked. */
export class Problems {
  readonly #sources: Source[] = []
  readonly #found: Found[] = []
  readonly #seen = new Set<string>()
  #errors = 0

  /**
   * Takes in a further file that spans will point into.
   *
   * @param file  the name that positions carry, as the user would write it
   */
  add(file: string, text: string): SourceText {
    const last = this.#sources.at(-1)
    const lineStarts = [0]
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      lineStarts.push(at + 1)
    }
    // A span may end one behind the last character.
    const source = { file, text, base: last ? last.base + last.text.length + 2 : 0, lineStarts }
    this.#sources.push(source)
    return source
  }

  /** The text of each file, by its name. */
  get texts(): Texts {
    return new Map(this.#sources.map(({ file, text }) => [file, text]))
  }

  /** What is written at a place. */
  slice(at: Span): string {
    const { text, base } = this.#sourceOf(at.start)
    return text.slice(at.start - base, at.end - base)
  }

  /** Notes an error: the file will be refused. */
  error(code: string, at: Span, message: string, hint: Hint = null): void {
    this.#add({ severity: "error", code, message, hint, start: at.start, end: at.end })
  }

  /** Notes what is legal and probably not meant. */
  warn(code: string, at: Span, message: string, hint: Hint = null): void {
    this.#add({ severity: "warning", code, message, hint, start: at.start, end: at.end })
  }

  /** How many errors have been noted. */
  get errorCount(): number {
    return this.#errors
  }

  /** Line and column of an offset. */
  position(offset: number): Position {
    const { file, base, lineStarts } = this.#sourceOf(offset)
    const line = lastUpTo(lineStarts, offset - base, (start) => start)
    return { file, line: line + 1, column: offset - base - lineStarts[line]! + 1 }
  }

  /** Everything noted, in the order of the files. */
  list(): Problem[] {
    const sorted = this.#found.toSorted((a, b) => a.start - b.start)
    return sorted.map(({ start, end, hint, ...rest }, index) => {
      const ready = typeof hint === "function" ? (index < MAX_COMPUTED_HINTS ? hint() : null) : hint
      const position = this.position(start)
      const { text, base, lineStarts } = this.#sourceOf(start)
      const lineEnd = base + (lineStarts[position.line] ?? text.length + 1)
      const length = Math.max(1, Math.min(end, lineEnd - 1) - start)
      return { ...rest, position, length: text === "" ? 0 : length, hint: ready }
    })
  }

  #add(found: Found): void {
    // An alias brings the same text, and so the same problem, to several places. So do the uses of a module, where names of
    // nodes differ in what stands before their last dot.
    const sentence = found.message.replace(/`[\w.-]*\./g, "`")
    const key = `${found.code} ${found.start} ${sentence}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    if (found.severity === "error") this.#errors++
    const { message } = found
    const isLong = message.length > MAX_MESSAGE
    this.#found.push(isLong ? { ...found, message: `${message.slice(0, MAX_MESSAGE)}…` } : found)
  }

  #sourceOf(offset: number): Source {
    return this.#sources[lastUpTo(this.#sources, offset, ({ base }) => base)]!
  }
}

/** Index of the last item whose start is not behind `offset`; the first one starts at 0. */
function lastUpTo<T>(items: readonly T[], offset: number, startOf: (item: T) => number): number {
  let low = 0
  let high = items.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (startOf(items[middle]!) <= offset) low = middle
    else high = middle
  }
  return low
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
