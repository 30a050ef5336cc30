// Reads values of the tree as the type that a field wants, or notes what was found instead.
import { suggest } from "../core/suggest.ts"
import { type Problems, quote, quoteList } from "./problems.ts"
import { describe, isBlank, isNull, meaning } from "./scalar.ts"
import type { YamlEntry, YamlList, YamlMap, YamlNode } from "./yaml.ts"

/** Notes that a value has the wrong type. */
export function wrongType(
  problems: Problems,
  node: YamlNode,
  field: string,
  expected: string,
  hint: string | null = null,
): null {
  const message = `${quote(field)}: expected ${expected}, found ${describe(node)}`
  problems.error("WRONG_TYPE", node, message, hint)
  return null
}

/** A string; any plain scalar is one, as in `id: 1`. */
export function readText(problems: Problems, node: YamlNode, field: string): string | null {
  if (node.kind !== "scalar") return wrongType(problems, node, field, "a string")
  node.json = node.text
  return node.text
}

/** `true` or `false`. */
export function readBoolean(problems: Problems, node: YamlNode, field: string): boolean | null {
  const value = node.kind === "scalar" ? meaning(node) : null
  if (typeof value === "boolean") return value
  const word = node.kind === "scalar" ? node.text.toLowerCase() : ""
  const hint = ["true", "yes", "on", "y", "1"].includes(word)
    ? "write `true`, without quotes"
    : ["false", "no", "off", "n", "0"].includes(word)
      ? "write `false`, without quotes"
      : null
  return wrongType(problems, node, field, "`true` or `false`", hint)
}

/** A finite or infinite number. */
export function readNumber(problems: Problems, node: YamlNode, field: string): number | null {
  const value = node.kind === "scalar" ? meaning(node) : null
  if (typeof value === "bigint") return Number(value)
  if (value !== null && typeof value === "object") return value.float
  return wrongType(problems, node, field, "a number", quotedNumberHint(node))
}

/** A whole number from 0 to `most`. */
export function readWhole(
  problems: Problems,
  node: YamlNode,
  field: string,
  most = 2n ** 64n - 1n,
): number | null {
  const value = node.kind === "scalar" ? meaning(node) : null
  if (typeof value !== "bigint") {
    return wrongType(problems, node, field, "a whole number", quotedNumberHint(node))
  }
  if (value >= 0n && value <= most) return Number(value)
  const reason = value < 0n ? "must not be negative" : `must not exceed ${most}`
  problems.error("BAD_VALUE", node, `${quote(field)} ${reason}: ${quote(value.toString())}`)
  return null
}

function quotedNumberHint(node: YamlNode): string | null {
  const isQuoted = node.kind === "scalar" && !node.plain
  const inner = isQuoted ? meaning({ ...node, plain: true }) : null
  const isNumber = typeof inner === "bigint" || (inner !== null && typeof inner === "object")
  return isNumber ? "remove the quotes" : null
}

/** A mapping; a field with nothing behind it is an empty one. */
export function readMap(problems: Problems, node: YamlNode, field: string): YamlMap | null {
  if (node.kind === "map") return node
  if (isBlank(node)) return emptied(node, { kind: "map", ...span(node), entries: [] })
  return wrongType(problems, node, field, "a mapping")
}

/** A list; a field with nothing behind it is an empty one. */
export function readList(problems: Problems, node: YamlNode, field: string): YamlList | null {
  if (node.kind === "list") return node
  if (isBlank(node)) return emptied(node, { kind: "list", ...span(node), items: [] })
  const hint = node.kind === "scalar" && !isNull(node) ? `write ${quote(`[${node.text}]`)}` : null
  return wrongType(problems, node, field, "a list", hint)
}

function emptied<T extends YamlMap | YamlList>(node: YamlNode, empty: T): T {
  if (node.kind === "scalar") node.json = empty.kind === "map" ? {} : []
  return empty
}

function span(node: YamlNode) {
  return { start: node.start, end: node.end }
}

/** One of a few words, exactly as written. */
export function readChoice<T extends string>(
  problems: Problems,
  node: YamlNode,
  field: string,
  choices: readonly T[],
): T | null {
  const text = readText(problems, node, field)
  if (text === null) return null
  const found = choices.find((choice) => choice === text)
  if (found !== undefined) return found
  const message = `${quote(field)}: unknown variant ${quote(text)}, expected one of ${quoteList(choices)}`
  problems.error("BAD_VALUE", node, message, () => didYouMean(text.replace(/_/g, "-"), choices))
  return null
}

/** "did you mean …?" for a misspelt word, or null. */
export function didYouMean(word: string, candidates: Iterable<string>): string | null {
  const near = suggest(word, candidates)
  return near === null ? null : `did you mean ${quote(near)}?`
}

/**
 * Notes keys that are no field, and fields that appear twice.
 *
 * @param where  the owner in words: "node `a`"
 * @param hints  what to say for words that people write for a known reason
 */
export function checkKeys(
  problems: Problems,
  map: YamlMap,
  fields: readonly string[],
  where: string,
  hints: Readonly<Record<string, string>> = {},
): void {
  const known = new Set(fields)
  for (const { key } of map.entries) {
    if (known.has(key.text)) continue
    const known_ = Object.hasOwn(hints, key.text) ? hints[key.text]! : null
    const message = `unknown field ${quote(key.text)} in ${where}`
    const hint = () =>
      known_ ?? didYouMean(key.text, fields) ?? `known fields: ${quoteList(fields, 16)}`
    problems.error("UNKNOWN_FIELD", key, message, hint)
  }
  for (const [first, again] of duplicates(map)) {
    const message = `duplicate field ${quote(again.key.text)} in ${where}`
    problems.error("DUPLICATE_KEY", again.key, message, () => firstUse(problems, first))
  }
}

/** Where something was used before. */
export function firstUse(problems: Problems, first: YamlEntry | { start: number }): string {
  const start = "key" in first ? first.key.start : first.start
  const { file, line, column } = problems.position(start)
  return `first used at ${file}:${line}:${column}`
}

/** Entries whose key was used before, each with that first use. */
export function duplicates(map: YamlMap): [YamlEntry, YamlEntry][] {
  const first = new Map<string, YamlEntry>()
  return map.entries.flatMap((entry): [YamlEntry, YamlEntry][] => {
    const before = first.get(entry.key.text)
    if (before) return [[before, entry]]
    first.set(entry.key.text, entry)
    return []
  })
}

/** The entries of a free-form mapping (inputs, env), where the last of several equal keys wins. */
export function lastEntries(problems: Problems, map: YamlMap, what: string): YamlEntry[] {
  for (const [first, again] of duplicates(map)) {
    const message = `duplicate ${what} ${quote(again.key.text)}: the last one wins`
    problems.warn("DUPLICATE_KEY", again.key, message, () => firstUse(problems, first))
  }
  return [...new Map(map.entries.map((entry) => [entry.key.text, entry])).values()]
}

/** The entry of a field, or null when it is absent. */
export function entryOf(map: YamlMap, field: string): YamlEntry | null {
  return map.entries.find((entry) => entry.key.text === field) ?? null
}

/** The entry of a field that is there and not null. */
export function givenOf(map: YamlMap, field: string): YamlEntry | null {
  const entry = entryOf(map, field)
  return entry && !isNull(entry.value) ? entry : null
}
