// Text → a tree of scalars, lists and mappings that know their places. Scalars stay text: what a
// value means is
// decided by the field that it stands in (scalar.ts), as in the official parser.
import {
  Composer,
  Lexer,
  Parser,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type Node as SourceNode,
  type Pair,
  type CST,
  type YAMLError,
} from "yaml"
import { MAX_YAML_ALIASES, MAX_YAML_DEPTH, MAX_YAML_TOKENS } from "../core/limits.ts"
import { suggest } from "../core/suggest.ts"
import { type Problems, type SourceText, type Span, quote } from "./problems.ts"
import type { Json } from "./types.ts"

/** A word, a number, a text: `plain` when written without quotes, so that `5` may be a number. */
export type YamlScalar = Span & {
  kind: "scalar"
  text: string
  plain: boolean
  /** Taken as it is, without variables and without numbers: the value of a parameter. */
  verbatim?: true
  /** What this value is in {@link Dataflow.json}, once its field has been understood. */
  json?: Json
}
/** A list. */
export type YamlList = Span & { kind: "list"; items: YamlNode[] }
/** A mapping in the order of the file; keys may repeat. */
export type YamlMap = Span & { kind: "map"; entries: YamlEntry[] }
/** One key and its value. */
export type YamlEntry = { key: YamlScalar; value: YamlNode }
/** A value of the file. */
export type YamlNode = YamlScalar | YamlList | YamlMap

/** Most lines of syntax errors in a report: the later ones mostly follow from the first. */
const SYNTAX_ERRORS_SHOWN = 10

/**
 * Reads one YAML document. Bounded in time and memory for any text: nesting and what aliases expand
 * to are limited.
 *
 * @returns null when a problem was noted that leaves nothing to check, or when the document is
 * empty
 */
export function parseYaml(problems: Problems, source: SourceText): YamlNode | null {
  const tokens = parseTokens(problems, source)
  if (tokens === null) return null
  const documents = tokens.filter((token) => token.type === "document")
  const second = documents[1]
  if (second) {
    const at = shift(second.offset, second.offset + 3, source)
    const message = "deserializing from YAML containing more than one document is not supported"
    problems.error("MULTIPLE_DOCUMENTS", at, message, "put every dataflow into a file of its own")
    return null
  }
  const options = { schema: "failsafe", uniqueKeys: false, prettyErrors: false } as const
  const composer = new Composer(options)
  const [document] = [...composer.compose(tokens)] as Document.Parsed[]
  const syntax = document?.errors ?? composer.streamInfo().errors
  if (syntax.length > 0) noteSyntax(problems, source, syntax)
  if (!document || syntax.length > 0 || isEmpty(document)) return null
  return new Expander(problems, source.base).expand(document.contents as SourceNode)
}

function isEmpty(document: Document.Parsed): boolean {
  const contents = document.contents
  return !contents || (isScalar(contents) && contents.value === "" && contents.type === "PLAIN")
}

/**
 * Tokens of the text, or null when there are too many or they nest too deeply: what follows is
 * recursive.
 */
function parseTokens(problems: Problems, source: SourceText): CST.Token[] | null {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  let count = 0
  for (const lexeme of new Lexer().lex(source.text)) {
    if (++count > MAX_YAML_TOKENS) {
      const message = `the file has more than ${MAX_YAML_TOKENS} words and marks`
      const at = shift(parser.offset, parser.offset + 1, source)
      problems.error("FILE_TOO_LARGE", at, message, "is this a dataflow file?")
      return null
    }
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > MAX_YAML_DEPTH) {
      noteDepth(problems, shift(parser.offset - lexeme.length, parser.offset, source))
      return null
    }
  }
  for (const token of parser.end()) tokens.push(token)
  return tokens
}

/** Offsets into one text as a span. */
function shift(start: number, end: number, { base }: Pick<SourceText, "base">): Span {
  return { start: start + base, end: end + base }
}

function noteDepth(problems: Problems, at: Span): void {
  const message = `lists and mappings nest more than ${MAX_YAML_DEPTH} levels deep`
  problems.error("TOO_DEEP", at, message, "a dataflow needs about five levels")
}

/** The first syntax error of each line; those that follow from tabs are left out. */
function noteSyntax(problems: Problems, source: SourceText, errors: readonly YAMLError[]): void {
  const tabs = errors.filter((error) => error.code === "TAB_AS_INDENT")
  const lines = new Set<number>()
  for (const error of tabs.length > 0 ? tabs : errors) {
    const [from, to] = error.pos
    // A position after the last line break belongs to the line that ends there.
    const last = source.text.trimEnd().length
    const at = shift(Math.min(from, last), Math.max(to, from + 1), source)
    const { line } = problems.position(at.start)
    if (lines.has(line)) continue
    if (lines.size === SYNTAX_ERRORS_SHOWN) return
    lines.add(line)
    if (error.code === "TAB_AS_INDENT") {
      const message = "a tab is used for indentation; YAML allows only spaces"
      problems.error("TAB_INDENTATION", at, message, "replace the tab with spaces")
    } else {
      problems.error("YAML_SYNTAX", at, `invalid YAML: ${lowerFirst(error.message)}`)
    }
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

type Anchored = { node: YamlNode; size: number; height: number }
type Measured = Anchored | null

/** Turns the library's nodes into ours and replaces aliases by copies of what they stand for. */
class Expander {
  readonly #problems: Problems
  /** Where the text begins among the offsets of all files. */
  readonly #base: number
  readonly #anchors = new Map<string, Anchored>()
  #expanded = 0
  #stopped = false

  constructor(problems: Problems, base: number) {
    this.#problems = problems
    this.#base = base
  }

  expand(node: SourceNode): YamlNode | null {
    const result = this.#node(node, { start: this.#base, end: this.#base }, 0)
    return this.#stopped ? null : (result?.node ?? null)
  }

  /** `fallback` is the place of an empty value: its key. */
  #node(source: unknown, fallback: Span, depth: number): Measured {
    if (this.#stopped) return null
    if (isAlias(source)) return this.#alias(source.source, this.#span(source, fallback), depth)
    const span = this.#span(source, fallback)
    const result = this.#plainNode(source, span, depth)
    const anchor = (source as SourceNode | null)?.anchor
    if (anchor && result) this.#anchors.set(anchor, result)
    return result
  }

  #plainNode(source: unknown, span: Span, depth: number): Measured {
    if (isSeq(source)) {
      const items = source.items.map((item) => this.#node(item, span, depth + 1))
      return measured(
        { kind: "list", ...span, items: items.flatMap((item) => item?.node ?? []) },
        items,
      )
    }
    if (isMap(source)) {
      const parts: Measured[] = []
      const entries = source.items.flatMap((pair) => this.#entry(pair, span, depth + 1, parts))
      return measured({ kind: "map", ...span, entries }, parts)
    }
    const known = isScalar(source)
    const plain = !known || source.type === "PLAIN"
    const text = known ? String(source.value) : ""
    return measured({ kind: "scalar", ...span, text, plain }, [])
  }

  #entry(pair: Pair, map: Span, depth: number, parts: Measured[]): YamlEntry[] {
    const key = this.#node(pair.key, map, depth)
    if (key?.node.kind !== "scalar") {
      if (key && !this.#stopped) {
        const message = `a key must be a word, found a ${key.node.kind === "list" ? "list" : "mapping"}`
        this.#problems.error("WRONG_TYPE", key.node, message)
      }
      return []
    }
    const value = this.#node(pair.value, key.node, depth)
    parts.push(key, value)
    return value ? [{ key: key.node, value: value.node }] : []
  }

  #alias(name: string, at: Span, depth: number): Measured {
    const target = this.#anchors.get(name)
    if (!target) {
      const hint = () => {
        const near = suggest(name, this.#anchors.keys())
        return near
          ? `did you mean \`*${near}\`?`
          : `mark the value with \`&${name}\` before its first use`
      }
      this.#problems.error("UNKNOWN_ANCHOR", at, `unknown anchor ${quote(`*${name}`)}`, hint)
      return null
    }
    this.#expanded += target.size
    if (this.#expanded > MAX_YAML_ALIASES) {
      const message = `the aliases of this file expand to more than ${MAX_YAML_ALIASES} values`
      this.#problems.error("ALIAS_LIMIT", at, message, "write the values out, or use fewer aliases")
      this.#stopped = true
      return null
    }
    if (depth + target.height > MAX_YAML_DEPTH) {
      noteDepth(this.#problems, at)
      this.#stopped = true
      return null
    }
    // A copy, because the same text may be a number in one field and a name in another.
    return { ...target, node: copy(target.node) }
  }

  #span(source: unknown, fallback: Span): Span {
    const range = (source as SourceNode | null | undefined)?.range
    if (!range || range[0] === range[1]) return { start: fallback.start, end: fallback.end }
    return { start: range[0] + this.#base, end: range[1] + this.#base }
  }
}

function measured(node: YamlNode, parts: readonly Measured[]): Anchored {
  let size = 1
  let height = 0
  for (const part of parts) {
    size += part?.size ?? 0
    height = Math.max(height, part?.height ?? 0)
  }
  return { node, size, height: height + 1 }
}

/** A copy that can be changed without the original. */
export function copy<T extends YamlNode>(node: T): T
export function copy(node: YamlNode): YamlNode {
  if (node.kind === "scalar") return { ...node }
  if (node.kind === "list") return { ...node, items: node.items.map((item) => copy(item)) }
  const entries = node.entries.map(({ key, value }) => ({ key: { ...key }, value: copy(value) }))
  return { ...node, entries }
}
