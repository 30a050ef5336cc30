import { dataIdProblem, nodeIdProblem } from "../core/ids.ts"
import { LOG_LEVELS, type LogLevel } from "../core/log.ts"
import { type Lookup, readEnv } from "./env.ts"
import { ALL_NODE_FIELDS, LATER_NODE_FIELDS, NODE_HINTS, checkLater } from "./fields.ts"
import { type InputDraft, readInputs } from "./input.ts"
import { checkKind } from "./kind.ts"
import { modernizeNode } from "./legacy.ts"
import { findProgram } from "./program.ts"
import { type Problems, type Span, quote } from "./problems.ts"
import { checkKeys, entryOf, firstUse, readList, readText, wrongType } from "./read.ts"
import { isNull, placeIn } from "./scalar.ts"
import type { NodeSpec, OutputSpec } from "./types.ts"
import { splitWords } from "./words.ts"
import type { YamlMap, YamlNode } from "./yaml.ts"

/** Most bad commands that are told for one `build`. */
const MAX_BAD_COMMANDS = 10

/** A node as far as it could be read, for the checks of the wiring. */
export type NodeDraft = {
  /** Null when the node has no usable id. */
  id: string | null
  idAt: Span
  inputs: InputDraft[]
  /** By id. */
  outputs: Map<string, OutputSpec>
  /** False for kinds whose outputs are not in `outputs`. */
  outputsKnown: boolean
  /** Null when the node can't run. */
  spec: NodeSpec | null
}

/** What reading a node needs to know about the world. */
export type Surroundings = {
  problems: Problems
  lookup: Lookup
  workingDir: string
  /** Programs looked up so far, by path: is there one? */
  programs: Map<string, boolean>
}

/** Reads one entry of `nodes`; null when it is no mapping. */
export function readNode(world: Surroundings, value: YamlNode, index: number): NodeDraft | null {
  const { problems } = world
  if (value.kind !== "map") {
    wrongType(problems, value, `nodes[${index}]`, "a mapping with `id` and `path`")
    return null
  }
  modernizeNode(problems, value)
  const id = readId(problems, value, index)
  const name = id.text ?? `nodes[${index}]`
  const owner = id.text === null ? `\`${name}\`` : `node ${quote(name)}`
  checkKeys(problems, value, ALL_NODE_FIELDS, owner, NODE_HINTS)
  const kind = checkKind(problems, value, name, id.at)
  const field = (key: string) => optional(value, key)
  const inputs = entryOf(value, "inputs")
  const outputs = entryOf(value, "outputs")
  const draft: NodeDraft = {
    id: id.text,
    idAt: id.at,
    inputs: inputs ? readInputs(problems, inputs.value, name) : [],
    outputs: outputs ? readOutputs(problems, outputs.value, name) : new Map(),
    outputsKnown: kind.outputsKnown,
    spec: null,
  }
  const texts = readTexts(world, field)
  const env = field("env")
  const common = {
    ...texts,
    env: env ? readEnv(problems, env, "env", world.lookup) : {},
    minLogLevel: readLogLevel(problems, field("min_log_level")),
  }
  if (kind.path === null) return draft
  checkLater(problems, value, LATER_NODE_FIELDS, owner)
  checkProgram(world, kind.path, common.build.length > 0)
  if (id.text === null) return draft
  draft.spec = {
    id: id.text,
    ...common,
    path: kind.path.text,
    inputs: draft.inputs.map((input) => input.spec),
    outputs: [...draft.outputs.values()],
    position: problems.position(value.start),
  }
  return draft
}

function readId(
  problems: Problems,
  map: YamlMap,
  index: number,
): { text: string | null; at: Span } {
  const first = map.entries[0]?.key ?? map
  const entry = entryOf(map, "id")
  if (!entry) {
    const message = `missing field \`id\` in \`nodes[${index}]\``
    problems.error("MISSING_FIELD", first, message, "add `id: <name>`, unique in this file")
    return { text: null, at: first }
  }
  const text = readText(problems, entry.value, "id")
  const bad = text === null ? null : nodeIdProblem(text)
  if (bad) problems.error("BAD_ID", entry.value, bad)
  return { text: bad ? null : text, at: entry.value }
}

function readTexts(world: Surroundings, field: (key: string) => YamlNode | null) {
  const { problems } = world
  const text = (key: string) => {
    const value = field(key)
    return value ? readText(problems, value, key) : null
  }
  return {
    name: text("name"),
    description: text("description"),
    args: readArgs(problems, field("args")),
    build: readBuild(problems, field("build")),
  }
}

function readArgs(problems: Problems, value: YamlNode | null): string[] {
  const text = value && readText(problems, value, "args")
  if (text === null) return []
  return readWords(problems, value, text, 0, "node args") ?? []
}

function readBuild(problems: Problems, value: YamlNode | null): string[][] {
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

function readLogLevel(problems: Problems, value: YamlNode | null): LogLevel | null {
  const text = value && readText(problems, value, "min_log_level")
  if (text === null || value === null) return null
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase())
  if (level) return level
  const message = `invalid min_log_level: '${text.slice(0, 80)}', expected one of: ${LOG_LEVELS.join(", ")}`
  problems.error("BAD_VALUE", value, message, text === "warning" ? "did you mean `warn`?" : null)
  return null
}

function readOutputs(problems: Problems, value: YamlNode, node: string): Map<string, OutputSpec> {
  const list = readList(problems, value, "outputs")
  const first = new Map<string, YamlNode>()
  const outputs = new Map<string, OutputSpec>()
  for (const item of list?.items ?? []) {
    const id = readText(problems, item, "outputs")
    if (id === null) continue
    const bad = dataIdProblem(id)
    const before = first.get(id)
    if (bad) {
      problems.error("BAD_ID", item, bad)
    } else if (before) {
      const message = `duplicate output ${quote(id)} of node ${quote(node)}: it counts once`
      problems.warn("DUPLICATE_OUTPUT", item, message, () => firstUse(problems, before))
    } else {
      first.set(id, item)
      outputs.set(id, { id, position: problems.position(item.start) })
    }
  }
  return outputs
}

function checkProgram(world: Surroundings, path: { text: string } & Span, isBuilt: boolean): void {
  if (isBuilt) return
  const isThere = world.programs.getOrInsertComputed(path.text, (text) => {
    return findProgram(text, world.workingDir, world.lookup) !== null
  })
  if (isThere) return
  const message = `Could not find source path ${quote(path.text)}`
  const hint = `looked in ${world.workingDir}${path.text.includes("/") ? "" : " and on PATH"}`
  world.problems.warn("MISSING_PROGRAM", path, message, hint)
}

/** The value of a field, or null when it is absent or null. */
function optional(map: YamlMap, key: string): YamlNode | null {
  const entry = entryOf(map, key)
  return entry && !isNull(entry.value) ? entry.value : null
}
