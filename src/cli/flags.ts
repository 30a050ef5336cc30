// Strictness that citty leaves to us: an unknown or incomplete flag is an error with a suggestion, never ignored.
import type { ArgDef, ArgsDef } from "citty"
import { DoraError } from "../core/errors.ts"
import { suggest } from "../core/suggest.ts"
import { parseDuration } from "./format.ts"

/** The command line can't be understood; the exit code is 2. */
export class UsageError extends DoraError {
  constructor(what: string, fix?: string) {
    super("USAGE", { what, fix })
  }
}

/** What a command line says: flags by name, each with all its values in order, and the rest. */
export type Flags = { values: Map<string, string[]>; positionals: string[] }

const BOOLEANS = ["true", "false"]

/**
 * Reads and checks the flags of a command.
 *
 * @throws UsageError  unknown flag, missing or wrong value, missing or extra argument
 * @example readFlags(["flow.yml", "--env", "A=1", "--env=B=2"], args).values.get("env") // ["A=1", "B=2"]
 */
export function readFlags(raw: readonly string[], args: ArgsDef): Flags {
  const flags: Flags = { values: new Map(), positionals: [] }
  for (let i = 0; i < raw.length; i++) {
    const word = raw[i]!
    if (word === "--") {
      flags.positionals.push(...raw.slice(i + 1))
      break
    }
    if (!word.startsWith("-") || word === "-") flags.positionals.push(word)
    else i += readFlag(word, raw[i + 1], args, flags)
  }
  checkPositionals(flags.positionals, args)
  return flags
}

/**
 * The duration that a flag gives, in milliseconds, or `fallback` when the flag is absent.
 *
 * @throws UsageError  the value is no duration
 * @example durationFlag(flags, "stop-after") // 8000 for --stop-after 8s
 */
export function durationFlag(flags: Flags, name: string): number | undefined {
  const text = flags.values.get(name)?.at(-1)
  if (text === undefined) return undefined
  const millis = parseDuration(text)
  if (millis !== null) return millis
  throw new UsageError(
    `--${name} ${text}: not a duration`,
    "write it as 10s, 500ms, 2m or 1h30m; a bare number counts seconds",
  )
}

/**
 * The variables that `--env K=V` flags set.
 *
 * @throws UsageError  no `=`, or a name that no environment can hold
 * @example envFlag(flags) // { A: "1" } for --env A=1
 */
export function envFlag(flags: Flags): Record<string, string> {
  const env: Record<string, string> = {}
  for (const text of flags.values.get("env") ?? []) {
    const match = /^([^=\s]+)=([^\0]*)$/s.exec(text)
    if (!match) throw new UsageError(`--env ${text}: not of the form KEY=VALUE`)
    env[match[1]!] = match[2]!
  }
  return env
}

/** Reads one flag; returns how many of the following words it took. */
function readFlag(word: string, next: string | undefined, args: ArgsDef, flags: Flags): number {
  const equals = word.indexOf("=")
  const written = equals < 0 ? word : word.slice(0, equals)
  const inline = equals < 0 ? undefined : word.slice(equals + 1)
  const [name, definition, negated] = findFlag(written, args)
  const values = flags.values.get(name) ?? []
  flags.values.set(name, values)
  if (definition.type === "boolean") {
    if (negated && inline !== undefined) throw new UsageError(`${written} takes no value`)
    values.push(checkChoice(name, inline ?? (negated ? "false" : "true"), BOOLEANS))
    return 0
  }
  const value = inline ?? next
  if (value === undefined || (inline === undefined && value.startsWith("-"))) {
    throw new UsageError(`--${name} needs a value`, `--${name} <${hint(name, definition)}>`)
  }
  const choices = definition.type === "enum" ? definition.options : undefined
  values.push(choices ? checkChoice(name, value, choices) : value)
  return inline === undefined ? 1 : 0
}

function findFlag(written: string, args: ArgsDef): [string, ArgDef, negated: boolean] {
  const named = Object.entries(args).filter(([, definition]) => definition.type !== "positional")
  const word = written.replace(/^-+/, "")
  for (const [name, definition] of named) {
    if (written === `--${name}`) return [name, definition, false]
    if (written === `--no-${name}` && definition.type === "boolean") return [name, definition, true]
    const alias = "alias" in definition ? [definition.alias].flat() : []
    if (written === `-${word}` && alias.includes(word)) return [name, definition, false]
  }
  const near = suggest(
    word,
    named.map(([name]) => name),
  )
  throw new UsageError(
    `unknown flag ${written}`,
    near ? `did you mean --${near}?` : "see --help for the flags there are",
  )
}

function checkChoice(name: string, value: string, choices: readonly string[]): string {
  if (choices.includes(value)) return value
  const near = suggest(value, choices)
  const all = `one of: ${choices.join(", ")}`
  throw new UsageError(
    `--${name} ${value}: no such choice`,
    near ? `did you mean ${near}? (${all})` : all,
  )
}

function checkPositionals(found: readonly string[], args: ArgsDef): void {
  const expected = Object.entries(args).filter(([, definition]) => definition.type === "positional")
  const missing = expected[found.length]
  if (missing && missing[1].required !== false) {
    throw new UsageError(`missing argument <${hint(missing[0], missing[1])}>`)
  }
  const extra = found[expected.length]
  if (extra !== undefined) throw new UsageError(`unexpected argument ${extra}`)
}

function hint(name: string, definition: ArgDef): string {
  return definition.valueHint ?? name
}
