// Environment of nodes: expansion of variables, coercion of values, names that are not passed on.
import { type Problems, quote } from "./problems.ts"
import { lastEntries, readMap, readText, wrongType } from "./read.ts"
import { type Parsed, meaning, parsedToJson, placeIn, plainNumber } from "./scalar.ts"
import type { YamlEntry, YamlNode, YamlScalar } from "./yaml.ts"

/** Looks up a variable of the caller's environment. */
export type Lookup = (name: string) => string | undefined

/** Most undefined variables that are told for one value. */
const MAX_UNDEFINED_SHOWN = 10

/** Names that a dataflow may not set, with the reason; the official daemon drops the same ones. */
const REFUSED = new Map<string, string>([
  ...["LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"].map(
    (name) => [name, "it loads foreign code into the node"] as const,
  ),
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"].map(
    (name) =>
      [name, "it changes which libraries the node loads; set it before `dora run`"] as const,
  ),
  ...["DORA_AUTH_TOKEN", "DORA_ALLOW_SHELL_NODES"].map(
    (name) => [name, "it is a secret or a permission of the daemon"] as const,
  ),
  ...[
    "DORA_NODE_CONFIG",
    "DORA_RUNTIME_CONFIG",
    "DORA_ZENOH_LISTEN",
    "DORA_ZENOH_LISTEN_EXTRA",
    "DORA_ZENOH_CONNECT",
    "DORA_ZENOH_MULTICAST",
    "DORA_RUN_PARENT_PID",
    "DORA_BUN_PLAN",
  ].map((name) => [name, "the daemon sets it"] as const),
  ...["ZENOH_CONFIG", "DORA_ZENOH_CONFIG_OVERLAY", "DORA_ZENOH_OPEN_TIMEOUT_MS"].map(
    (name) => [name, "it belongs to the deployment"] as const,
  ),
])

/**
 * Reads an `env` mapping: values as the node will see them. Refused names are left out with a
 * warning.
 *
 * @param field  how messages call the mapping
 */
export function readEnv(
  problems: Problems,
  node: YamlNode,
  field: string,
  lookup: Lookup,
): Record<string, string> {
  const map = readMap(problems, node, field)
  if (!map) return {}
  const kept: [string, string][] = []
  const dropped = new Set<YamlEntry>()
  for (const entry of lastEntries(problems, map, "variable")) {
    const value = readValue(problems, entry, lookup)
    const reason = REFUSED.get(entry.key.text)
    if (reason !== undefined) {
      const message = `environment variable ${quote(entry.key.text)} is not passed on: ${reason}`
      problems.warn("ENV_REFUSED", entry.key, message, "remove it from the dataflow")
      dropped.add(entry)
    } else if (checkName(problems, entry.key) && value !== null) {
      kept.push([entry.key.text, value])
    }
  }
  map.entries = map.entries.filter((entry) => !dropped.has(entry))
  return Object.fromEntries(kept)
}

function checkName(problems: Problems, key: YamlScalar): boolean {
  const bad = /[=\s\0]/.exec(key.text)
  if (key.text !== "" && !bad) return true
  const reason = bad
    ? `${quote(key.text)} must not contain ${bad[0] === "=" ? "`=`" : "white space"}`
    : "must not be empty"
  problems.error("BAD_ENV_NAME", key, `environment variable name ${reason}`)
  return false
}

function readValue(problems: Problems, entry: YamlEntry, lookup: Lookup): string | null {
  const { key, value } = entry
  if (value.kind !== "scalar") return wrongEnv(problems, key, value)
  if (value.verbatim) return readText(problems, value, key.text)
  const written = meaning(value)
  if (written === null) return wrongEnv(problems, key, value)
  if (typeof written === "bigint" && (written >= 2n ** 64n || written < -(2n ** 63n))) {
    const message = `${quote(key.text)}: the whole number ${quote(value.text)} does not fit into 64 bits`
    problems.error("BAD_VALUE", value, message)
    return null
  }
  const parsed = typeof written === "string" ? expandAndParse(problems, value, lookup) : written
  if (parsed === null) return null
  const narrow = toInteger64(parsed)
  value.json = parsedToJson(narrow)
  const text = show(narrow)
  warnCoerced(problems, value, text)
  return text
}

function wrongEnv(problems: Problems, key: YamlScalar, value: YamlNode): null {
  const hint = value.kind === "scalar" ? `for an empty value write \`${key.text}: ""\`` : null
  return wrongType(problems, value, key.text, "a string, a number or a boolean", hint)
}

/** Text without variables that reaches the node as another text: legal, and easy to miss. */
function warnCoerced(problems: Problems, value: YamlScalar, text: string): void {
  if (text === value.text || value.text.includes("$") || typeof meaning(value) === "boolean") return
  const message = `this value reaches the node as ${quote(text)}, not as ${quote(value.text)}`
  const hint = "dora reads every value that looks like a number as a number, even in quotes"
  problems.warn("ENV_COERCED", value, message, hint)
}

function expandAndParse(problems: Problems, value: YamlScalar, lookup: Lookup): Parsed {
  const { text, missing } = expandVariables(value.text, lookup)
  for (const { name, at, length } of missing.slice(0, MAX_UNDEFINED_SHOWN)) {
    const hint = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
      ? `set ${name}, give a default with \`\${${name}:-value}\`, or write \`$$\` for a dollar sign`
      : "write `$$` for a dollar sign"
    const message = `environment variable ${quote(name)} is not defined`
    problems.error("UNDEFINED_VARIABLE", placeIn(problems, value, at, length), message, hint)
  }
  return missing.length > 0 ? null : coerce(text)
}

/** A variable without a value: its name and where it stands in the text. */
type Missing = { name: string; at: number; length: number }

/**
 * Replaces `$VAR`, `${VAR}`, `${VAR:-default}` and `$$`. A default is taken as it stands; a lone
 * `$` and an unclosed `${` stay.
 *
 * @example expandVariables("$HOME/a", (name) => process.env[name]).text
 */
export function expandVariables(
  text: string,
  lookup: Lookup,
): { text: string; missing: Missing[] } {
  const missing: Missing[] = []
  // Behind the last brace nothing can close: looking for it again at every `${` would take
  // quadratic time.
  const braces = text.lastIndexOf("}") + 1
  const expand = (part: string, pattern: RegExp, offset: number) =>
    part.replace(pattern, (whole: string, bare?: string, braced?: string | number, at?: number) => {
      const isBraced = typeof braced === "string"
      const inner = isBraced ? braced : bare
      if (inner === undefined) return "$"
      const cut = isBraced ? inner.indexOf(":-") : -1
      const name = cut < 0 ? inner : inner.slice(0, cut)
      const value = name === "" ? undefined : lookup(name)
      if (value !== undefined) return value
      if (cut > 0) return inner.slice(cut + 2)
      const start = offset + (typeof braced === "number" ? braced : (at ?? 0))
      missing.push({ name, at: start, length: whole.length })
      return ""
    })
  const head = expand(text.slice(0, braces), /\$(?:\$|([\p{Alphabetic}\p{N}_]+)|\{([^}]*)\})/gu, 0)
  const tail = expand(text.slice(braces), /\$(?:\$|([\p{Alphabetic}\p{N}_]+))/gu, braces)
  return { text: head + tail, missing }
}

const INTEGER = /^[+-]?[0-9]+$/
const FLOAT = /^[+-]?(inf|infinity|nan|[0-9]+\.?[0-9]*(e[+-]?[0-9]+)?|\.[0-9]+(e[+-]?[0-9]+)?)$/i

/**
 * Text that looks like a boolean or a number becomes one, in quotes or not: so does the official
 * parser.
 */
function coerce(text: string): Parsed {
  if (text === "true" || text === "false") return text === "true"
  if (INTEGER.test(text)) return toInteger64(BigInt(text.replace("+", "")))
  if (!FLOAT.test(text)) return text
  const word = text.toLowerCase().replace(/^[+-]/, "")
  const sign = text.startsWith("-") ? -1 : 1
  if (word === "nan") return { float: NaN }
  return { float: word.startsWith("inf") ? sign * Infinity : Number(text) }
}

/** Integers beyond 64 bits are floats. */
function toInteger64(value: Parsed): Parsed {
  if (typeof value !== "bigint") return value
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : { float: Number(value) }
}

function show(value: Parsed): string {
  return value !== null && typeof value === "object" ? plainNumber(value.float) : String(value)
}
