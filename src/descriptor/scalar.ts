// What a scalar means: YAML 1.2 core, in the dialect of the official parser (serde_yaml 0.9): a
// number with leading
// zeros is text, `0x`, `0o` and `0b` are integers, quoted text is never a number.
import type { Problems, Span } from "./problems.ts"
import type { YamlNode, YamlScalar } from "./yaml.ts"
import type { Json } from "./types.ts"

/** A float, kept apart from integers: `1.0` is one even though it is whole. */
export type Parsed = null | boolean | bigint | { float: number } | string

const WORDS = new Map<string, Parsed>([
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (w) => [w, { float: Infinity }] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, { float: -Infinity }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { float: NaN }] as const),
])
const DECIMAL = /^[+-]?(0|[1-9][0-9]*)$/
const RADIX = /^([+-]?)(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)$/
const FLOAT = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/
const LEADING_ZERO = /^[+-]?0[0-9]+$/

/**
 * The value of a scalar by the rules of YAML.
 *
 * @example meaning({ text: "0x10", plain: true, … }) // 16n
 */
export function meaning(scalar: YamlScalar): Parsed {
  const { text } = scalar
  if (!scalar.plain) return text
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (DECIMAL.test(text)) return BigInt(text.replace("+", ""))
  const radix = RADIX.exec(text)
  if (radix) return BigInt(radix[2]!) * (radix[1] === "-" ? -1n : 1n)
  if (FLOAT.test(text) && !LEADING_ZERO.test(text) && Number.isFinite(Number(text))) {
    return { float: Number(text) }
  }
  return text
}

/** Is this value absent: nothing, `~` or `null` without quotes? */
export function isNull(node: YamlNode): boolean {
  return node.kind === "scalar" && meaning(node) === null
}

/** Is there nothing written at all, as in `inputs:`? */
export function isBlank(node: YamlNode): boolean {
  return node.kind === "scalar" && node.plain && node.text === ""
}

/** What a value is, for "expected a list, found …". */
export function describe(node: YamlNode): string {
  if (node.kind === "list") return "a list"
  if (node.kind === "map") return "a mapping"
  if (isBlank(node)) return "nothing"
  const value = meaning(node)
  if (value === null) return "null"
  if (typeof value === "boolean") return "a boolean"
  if (typeof value === "bigint") return "a whole number"
  return typeof value === "string" ? "a string" : "a number"
}

/**
 * A value as plain JSON, by what its fields made of it. Numbers that JSON can't hold become text.
 */
export function toJson(node: YamlNode): Json {
  if (node.kind === "list") return node.items.map(toJson)
  if (node.kind === "map") {
    // fromEntries defines properties, so that a key `__proto__` is a key like any other.
    return Object.fromEntries(node.entries.map(({ key, value }) => [key.text, toJson(value)]))
  }
  return node.json !== undefined ? node.json : parsedToJson(meaning(node))
}

/** A scalar's value as JSON. */
export function parsedToJson(value: Parsed): Json {
  if (typeof value === "bigint") {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  }
  if (value !== null && typeof value === "object") {
    return Number.isFinite(value.float) ? value.float : String(value.float)
  }
  return value
}

/**
 * A float as the official tools print it: never with an exponent, `inf` and `NaN` by these names.
 *
 * @example plainNumber(1e21) // "1000000000000000000000"
 */
export function plainNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  if (Object.is(value, -0)) return "-0"
  const [mantissa = "", exponent] = String(value).split("e")
  if (exponent === undefined) return mantissa
  const sign = mantissa.startsWith("-") ? "-" : ""
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".")
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`
  return sign + digits.padEnd(point, "0")
}

/**
 * Where a part of a scalar's text lies in the file, or the whole scalar when escapes or folded
 * lines hide it.
 *
 * @param at  index into `scalar.text`
 */
export function placeIn(problems: Problems, scalar: YamlScalar, at: number, length: number): Span {
  const raw = problems.slice(scalar)
  const whole = { start: scalar.start, end: scalar.end }
  const quotes = scalar.plain || raw.startsWith("|") || raw.startsWith(">") ? 0 : 1
  if (raw.startsWith(scalar.text, quotes)) {
    const start = scalar.start + quotes + at
    return { start, end: start + Math.max(1, length) }
  }
  // A block: the same lines, indented, below the header.
  const head = scalar.text.slice(0, at)
  const row = head.split("\n").length - 1
  const line = scalar.text.split("\n")[row]!
  const rawLine = raw.split("\n")[row + 1]
  const indent = rawLine?.indexOf(line) ?? -1
  if (!raw.startsWith("|") || rawLine === undefined || indent < 0) return whole
  const rawStart =
    raw
      .split("\n")
      .slice(0, row + 1)
      .join("\n").length + 1
  const start = scalar.start + rawStart + indent + (at - (head.lastIndexOf("\n") + 1))
  return { start, end: start + Math.max(1, length) }
}
