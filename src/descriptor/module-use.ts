// What a node says to the module that it uses: its inputs and its parameters.
import type { ModuleFile } from "./module-file.ts"
import { variable } from "./module-node.ts"
import { readInputs } from "./input.ts"
import { optional } from "./parts.ts"
import { type Problems, quote, quoteList } from "./problems.ts"
import { didYouMean, firstUse, lastEntries, readMap, wrongType } from "./read.ts"
import { isNull } from "./scalar.ts"
import type { YamlEntry, YamlMap, YamlScalar } from "./yaml.ts"

/** What the node wires to the inputs of the module. */
export function readPorts(
  problems: Problems,
  outer: YamlMap,
  id: YamlScalar,
  { name, required, optional: others }: ModuleFile,
): Map<string, YamlEntry> {
  const value = optional(outer, "inputs")
  const map = value && readMap(problems, value, "inputs")
  if (value) readInputs(problems, value, id.text)
  const ports = new Map<string, YamlEntry>()
  for (const entry of map ? lastEntries(problems, map, "input") : []) {
    const port = entry.key.text
    ports.set(port, entry)
    if (required.has(port) || others.has(port)) continue
    const message = `module ${quote(name)} does not declare input ${quote(port)} provided by node ${quote(id.text)}`
    const hint = () => portHint(port, [...required, ...others])
    problems.error("UNKNOWN_INPUT", entry.key, message, hint)
  }
  for (const port of required.keys()) {
    if (ports.has(port)) continue
    const message = `module ${quote(name)} declares required input ${quote(port)} but node ${quote(id.text)} does not provide it`
    const hint = `add \`${port}: <source_node>/<output>\` to the node's inputs`
    problems.error("MISSING_INPUT", id, message, hint)
  }
  return ports
}

/** The parameters of the module, by their keys as written. */
export function readParams(
  problems: Problems,
  outer: YamlMap,
  id: string,
): Map<string, YamlScalar> {
  const value = optional(outer, "params")
  const map = value && readMap(problems, value, "params")
  const params = new Map<string, YamlScalar>()
  const variables = new Map<string, YamlScalar>()
  for (const entry of map ? lastEntries(problems, map, "parameter") : []) {
    const { key, value: given } = entry
    if (!/^[A-Za-z0-9_]+$/.test(key.text)) {
      const message = `invalid param key ${quote(key.text)} in node ${quote(id)}: must be non-empty and contain only [A-Za-z0-9_]`
      problems.error("BAD_PARAM", key, message)
    }
    const before = variables.get(variable(key.text))
    if (before) {
      const message = `param keys ${quote(before.text)} and ${quote(key.text)} in node ${quote(id)} collide: both map to the env var ${quote(variable(key.text))}. Param keys must be unique case-insensitively.`
      problems.error("BAD_PARAM", key, message, () => firstUse(problems, before))
    }
    variables.set(variable(key.text), key)
    if (given.kind !== "scalar" || isNull(given)) wrongType(problems, given, key.text, "a text")
    else params.set(key.text, given)
  }
  return params
}

/** What to write instead of a port that is none. */
export function portHint(word: string, ports: Iterable<[string, unknown]>): string {
  const names = [...ports].map(([name]) => name)
  return (
    didYouMean(word, names) ?? (names.length > 0 ? `there are ${quoteList(names)}` : "it has none")
  )
}
