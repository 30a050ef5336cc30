// What nodes and operators have in common.
import { dataIdProblem } from "../core/ids.ts"
import { type Problems, quote } from "./problems.ts"
import { firstUse, givenOf, readList, readText, readWhole } from "./read.ts"
import { placeIn } from "./scalar.ts"
import type { OutputSpec } from "./types.ts"
import { splitWords } from "./words.ts"
import type { YamlMap, YamlNode } from "./yaml.ts"

/** Most bad commands that are told for one `build`. */
const MAX_BAD_COMMANDS = 10
/** What the kernel has room for. */
const MAX_CORE = 1023n

/** Words of a command line. */
export function readArgs(problems: Problems, value: YamlNode | null): string[] {
  const text = value && readText(problems, value, "args")
  if (text === null) return []
  return readWords(problems, value, text, 0, "node args") ?? []
}

/** One command a line, split into words. */
export function readBuild(problems: Problems, value: YamlNode | null): string[][] {
  const text = value && readText(problems, value, "build")
  if (text === null) return []
  const commands: string[][] = []
  let at = 0
  let bad = 0
  for (const line of text.split("\n")) {
    const words = readWords(problems, value, line, at, "build command")
    if (words === null && ++bad === MAX_BAD_COMMANDS) break
    if (words && words.length > 0) commands.push(words)
    at += line.length + 1
  }
  return commands
}

/** Words of a command line, or null with a problem at the quote that stays open. */
function readWords(
  problems: Problems,
  value: YamlNode | null,
  text: string,
  at: number,
  what: string,
): string[] | null {
  const split = splitWords(text)
  if ("words" in split) return split.words
  if (value?.kind !== "scalar") return null
  const place = placeIn(problems, value, at + split.openAt, 1)
  const isBackslash = text[split.openAt] === "\\"
  const hint = isBackslash
    ? "this backslash has nothing to escape; write `\\\\`"
    : "this quote is never closed"
  problems.error("BAD_QUOTING", place, `invalid quoting in ${what}: ${text.trimEnd()}`, hint)
  return null
}

/** Numbers of cores; null when none are given. */
export function readCores(problems: Problems, value: YamlNode | null): number[] | null {
  const list = value && readList(problems, value, "cpu_affinity")
  if (!list) return null
  return list.items.flatMap((item) => readWhole(problems, item, "cpu_affinity", MAX_CORE) ?? [])
}

/** Ids of outputs; `owner` is "node `a`". */
export function readOutputs(
  problems: Problems,
  value: YamlNode,
  owner: string,
): Map<string, OutputSpec> {
  const ids = readIds(problems, value, "outputs", (id, item, before) => {
    const message = `duplicate output ${quote(id)} of ${owner}: it counts once`
    problems.warn("DUPLICATE_OUTPUT", item, message, before)
  })
  const outputs = [...ids].map(([id, item]) => {
    return [id, { id, position: problems.position(item.start) }] as const
  })
  return new Map(outputs)
}

/**
 * A list of names of inputs or outputs, each with its place.
 *
 * @param repeated  called for one that was there before, with a hint that says where
 */
export function readIds(
  problems: Problems,
  value: YamlNode,
  field: string,
  repeated: (id: string, item: YamlNode, before: () => string) => void,
): Map<string, YamlNode> {
  const ids = new Map<string, YamlNode>()
  for (const item of readList(problems, value, field)?.items ?? []) {
    const id = readText(problems, item, field)
    if (id === null) continue
    const bad = dataIdProblem(id)
    const before = ids.get(id)
    if (bad) problems.error("BAD_ID", item, bad)
    else if (before) repeated(id, item, () => firstUse(problems, before))
    else ids.set(id, item)
  }
  return ids
}

/** The value of a field, or null when it is absent or null. */
export function optional(map: YamlMap, key: string): YamlNode | null {
  return givenOf(map, key)?.value ?? null
}
