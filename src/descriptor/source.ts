// Where an input comes from: `node/output`, `dora/timer/UNIT/N`, `dora/logs[/LEVEL[/NODE]]`.
import { dataIdProblem, nodeIdProblem } from "../core/ids.ts"
import { MAX_TIMER_NS } from "../core/limits.ts"
import { LOG_LEVELS } from "../core/log.ts"
import { suggest } from "../core/suggest.ts"
import { quote } from "./problems.ts"
import type { Source } from "./types.ts"

/** Why a text is no source, and which part of it is to blame. */
export type SourceProblem = { message: string; at: number; length: number; hint: string | null }

/** Nanoseconds of each timer unit that takes a whole number. */
const UNITS = new Map([
  ["secs", 1e9],
  ["millis", 1e6],
  ["micros", 1e3],
  ["nanos", 1],
])
const MAX_U64 = 2n ** 64n - 1n
/** Seconds of the longest duration that the official tool can hold. */
const MAX_SECONDS = 2 ** 64
const WHOLE = /^\+?[0-9]{1,40}$/
const DECIMAL = /^\+?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i

/**
 * Reads the source of an input.
 *
 * @example parseSource("a/o") // { kind: "output", node: "a", output: "o" }
 */
export function parseSource(text: string): Source | SourceProblem {
  const cut = text.indexOf("/")
  if (cut < 0) {
    const hint = text === "dora" ? "write `dora/timer/millis/100` or `dora/logs`" : nodeHint(text)
    return wrong("input must start with `<source>/`", text, 0, hint)
  }
  const node = text.slice(0, cut)
  const rest = text.slice(cut + 1)
  if (node === "dora") return parseBuiltIn(text, rest)
  const badNode = nodeIdProblem(node)
  if (badNode) return wrong(badNode, node, 0)
  const badOutput = dataIdProblem(rest)
  if (badOutput) return wrong(badOutput, rest, cut + 1)
  return { kind: "output", node, output: rest }
}

function nodeHint(text: string): string {
  return nodeIdProblem(text) === null
    ? `name the output too: ${quote(`${text}/<output>`)}`
    : "write `<node>/<output>`"
}

function parseBuiltIn(text: string, rest: string): Source | SourceProblem {
  const [kind = "", ...parts] = rest.split("/")
  const at = "dora/".length + kind.length + 1
  if (kind === "timer") return parseTimer(text, parts.join("/"), at)
  if (kind === "logs") return parseLogs(text, parts, at)
  const near = suggest(kind, ["timer", "logs"])
  const hint = near ? `did you mean \`dora/${near}\`?` : "there are `dora/timer/…` and `dora/logs`"
  return wrong(`unknown dora input ${quote(kind)}`, kind, "dora/".length, hint)
}

function parseTimer(text: string, rest: string, at: number): Source | SourceProblem {
  const cut = rest.indexOf("/")
  if (cut < 0) {
    const message =
      "timer input must specify unit and value (e.g. `secs/5`, `millis/100`, or `hz/30`)"
    return wrong(message, text, 0)
  }
  const unit = rest.slice(0, cut)
  const value = rest.slice(cut + 1)
  const valueAt = at + cut + 1
  if (unit === "hz") return parseHertz(text, value, valueAt)
  const factor = UNITS.get(unit)
  if (factor === undefined) {
    const near = suggest(unit, [...UNITS.keys(), "hz"])
    const message = "timer unit must be `secs`, `millis`, `micros`, `nanos`, or `hz`"
    return wrong(message, unit, at, near ? `did you mean ${quote(near)}?` : null)
  }
  if (!WHOLE.test(value) || BigInt(value.replace("+", "")) > MAX_U64) {
    return wrong(
      `${unit} must be an integer (got ${quote(value)})`,
      value,
      valueAt,
      wholeHint(unit, value),
    )
  }
  const periodNs = Number(value) * factor
  if (periodNs === 0) return wrong("timer interval must be non-zero", value, valueAt)
  return { kind: "timer", periodNs: Math.min(periodNs, MAX_TIMER_NS), text }
}

/** `secs/0.5` is `millis/500`. */
function wholeHint(unit: string, value: string): string | null {
  const ns = DECIMAL.test(value) ? Number(value) * (UNITS.get(unit) ?? 0) : 0
  for (const [smaller, factor] of UNITS) {
    if (ns >= 1 && ns < MAX_TIMER_NS && Number.isInteger(ns / factor)) {
      return `write \`dora/timer/${smaller}/${ns / factor}\``
    }
  }
  return null
}

function parseHertz(text: string, value: string, at: number): Source | SourceProblem {
  const hertz = DECIMAL.test(value) ? Number(value) : Number.NaN
  if (!Number.isFinite(hertz) || hertz <= 0) {
    return wrong("hz must be a positive finite number", value, at)
  }
  if (1 / hertz >= MAX_SECONDS) return wrong("timer interval is too long", value, at)
  const periodNs = Math.round(1e9 / hertz)
  if (periodNs === 0) return wrong("timer interval must be non-zero", value, at)
  return { kind: "timer", periodNs: Math.min(periodNs, MAX_TIMER_NS), text }
}

function parseLogs(text: string, parts: string[], at: number): Source | SourceProblem {
  const [name = "", ...rest] = parts
  const level = LOG_LEVELS.find((known) => known === name.toLowerCase())
  if (name !== "" && level === undefined) {
    const near = suggest(name, LOG_LEVELS)
    const message = `unknown log level ${quote(name)}, expected one of: ${LOG_LEVELS.join(", ")}`
    return wrong(message, name, at, near ? `did you mean ${quote(near)}?` : null)
  }
  const node = rest.length > 0 ? rest.join("/") : null
  const bad = node === null ? null : nodeIdProblem(node)
  if (bad) return wrong(bad, node!, at + name.length + 1)
  // `stdout` is the widest filter: every record passes it.
  return { kind: "logs", level: level ?? "stdout", node, text }
}

function wrong(
  message: string,
  part: string,
  at: number,
  hint: string | null = null,
): SourceProblem {
  return { message, at, length: part.length, hint }
}
