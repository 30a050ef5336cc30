// The operators of a node: `operator:` has one, `operators:` several. Names of their inputs and outputs become those of the
// node with the operator's id in front.
import { statSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { nodeIdProblem } from "../core/ids.ts"
import type { LogLevel } from "../core/log.ts"
import type { OperatorKind } from "../core/operator.ts"
import { checkLater, LATER_OPERATOR_FIELDS, OPERATOR_FIELDS, OPERATOR_HINTS } from "./fields.ts"
import { type InputDraft, readInputs } from "./input.ts"
import { modernizeOperator } from "./legacy.ts"
import type { Surroundings } from "./node.ts"
import { optional, readBuild, readLogLevel, readOutputs } from "./parts.ts"
import { type Problems, type Span, quote, quoteList } from "./problems.ts"
import { checkKeys, entryOf, firstUse, readBoolean, readText, wrongType } from "./read.ts"
import { isNull } from "./scalar.ts"
import type { OperatorSpec, OutputSpec } from "./types.ts"
import type { YamlEntry, YamlMap, YamlNode } from "./yaml.ts"

/** Id of an operator that is alone in its node and has none. */
const DEFAULT_ID = "op"

/** What the operators of a node come to. Inputs and outputs carry the operator's id in front. */
export type OperatorsDraft = {
  operators: OperatorSpec[]
  /** Of all operators, also of those that can't run. */
  ids: string[]
  inputs: InputDraft[]
  outputs: Map<string, OutputSpec>
  build: string[][]
  minLogLevel: LogLevel | null
  /** False when one of them can't run. */
  complete: boolean
}

const SOURCES = {
  "shared-library": "shared-library",
  typescript: "module",
  module: "module",
  wasm: "wasm",
  python: null,
} as const satisfies Record<string, OperatorKind | null>
type SourceKey = keyof typeof SOURCES
const SOURCE_KEYS = Object.keys(SOURCES) as SourceKey[]

/** Of these a node may have one, whichever of its operators it stands in. */
const ONE_PER_NODE = [
  "send_stdout_as",
  "send_logs_as",
  "min_log_level",
  "max_log_size",
  "max_rotated_files",
]

/** Reads the operators of a node from its entry `operator` or `operators`. */
export function readOperators(world: Surroundings, entry: YamlEntry, node: string): OperatorsDraft {
  const draft: OperatorsDraft = {
    operators: [],
    ids: [],
    inputs: [],
    outputs: new Map(),
    build: [],
    minLogLevel: null,
    complete: true,
  }
  const { problems } = world
  const items = itemsOf(problems, entry, node)
  const isSingle = entry.key.text === "operator"
  const seen = new Map<string, Span>()
  for (const [index, item] of items.entries()) {
    const place = isSingle ? "operator" : `operators[${index}]`
    draft.complete =
      readOperator(world, item, { node, place, isSingle }, draft, seen) && draft.complete
  }
  if (items.length === 0) draft.complete = false
  checkOnePerNode(problems, items)
  return draft
}

function itemsOf(problems: Problems, entry: YamlEntry, node: string): YamlMap[] {
  const { key, value } = entry
  const wanted = "a mapping with `id`, a source, `inputs` and `outputs`"
  if (key.text === "operator") {
    if (value.kind === "map") return [value]
    wrongType(problems, value, "operator", wanted)
    return []
  }
  if (value.kind !== "list") {
    wrongType(problems, value, "operators", "a list of operators")
    return []
  }
  if (value.items.length === 0) {
    const message = `node ${quote(node)} has an empty list of \`operators\``
    problems.error("NO_OPERATORS", key, message, "add an operator, or remove the node")
  }
  return value.items.flatMap((item, index) => {
    if (item.kind === "map") return item
    wrongType(problems, item, `operators[${index}]`, wanted)
    return []
  })
}

type Place = { node: string; place: string; isSingle: boolean }

/** Adds an operator to the draft; false when it can't run. */
function readOperator(
  world: Surroundings,
  map: YamlMap,
  { node, place, isSingle }: Place,
  draft: OperatorsDraft,
  seen: Map<string, Span>,
): boolean {
  const { problems } = world
  modernizeOperator(problems, map)
  const id = readId(problems, map, place, isSingle, seen)
  if (id !== null) draft.ids.push(id)
  const name = `${node}/${id ?? place}`
  const owner = `operator ${quote(name)}`
  checkKeys(problems, map, OPERATOR_FIELDS, owner, OPERATOR_HINTS)
  checkLater(problems, map, LATER_OPERATOR_FIELDS, owner)
  for (const key of ["name", "description"]) {
    const value = optional(map, key)
    if (value) readText(problems, value, key)
  }
  const build = readBuild(problems, optional(map, "build"))
  draft.build.push(...build)
  draft.minLogLevel ??= readLogLevel(problems, optional(map, "min_log_level"))
  const inputs = entryOf(map, "inputs")
  for (const input of inputs ? readInputs(problems, inputs.value, name) : []) {
    input.spec.id = `${id ?? place}/${input.spec.id}`
    draft.inputs.push({ ...input, operator: id })
  }
  const outputs = entryOf(map, "outputs")
  for (const output of outputs ? readOutputs(problems, outputs.value, owner).values() : []) {
    const long = `${id ?? place}/${output.id}`
    draft.outputs.set(long, { ...output, id: long })
  }
  const threads = optional(map, "threads")
  const source = readSource(world, map, owner, build.length > 0)
  if (id === null || source === null) return false
  const spec = {
    id,
    ...source,
    threads: (threads && readBoolean(problems, threads, "threads")) ?? false,
  }
  draft.operators.push(spec)
  return true
}

function readId(
  problems: Problems,
  map: YamlMap,
  place: string,
  isSingle: boolean,
  seen: Map<string, Span>,
): string | null {
  const value = optional(map, "id")
  if (!value) {
    if (isSingle) return DEFAULT_ID
    const message = `missing field \`id\` in \`${place}\``
    problems.error("MISSING_FIELD", map.entries[0]?.key ?? map, message, "add `id: <name>`")
    return null
  }
  const id = readText(problems, value, "id")
  if (id === null) return null
  const bad = nodeIdProblem(id)
  if (bad) {
    problems.error("BAD_ID", value, bad)
    return null
  }
  const before = seen.get(id)
  if (before) {
    const message = `duplicate operator ID ${quote(id)} — each operator of a node must have a unique \`id\``
    problems.error("DUPLICATE_OPERATOR", value, message, () => firstUse(problems, before))
    return null
  }
  seen.set(id, value)
  return id
}

/** The one source of an operator; null when it has none that can be loaded. */
function readSource(
  world: Surroundings,
  map: YamlMap,
  owner: string,
  isBuilt: boolean,
): Pick<OperatorSpec, "kind" | "path" | "position"> | null {
  const { problems } = world
  const found = SOURCE_KEYS.flatMap((key) => {
    const entry = entryOf(map, key)
    return entry && !isNull(entry.value) ? [{ key, entry }] : []
  })
  const [first, second] = found.toSorted((a, b) => a.entry.key.start - b.entry.key.start)
  if (!first) {
    const message = `${owner} has no source`
    const hint = `add one of ${quoteList(SOURCE_KEYS)}`
    problems.error("MISSING_SOURCE", map.entries[0]?.key ?? map, message, hint)
    return null
  }
  if (second) {
    const message = `${owner} has two sources, ${quote(first.key)} and ${quote(second.key)}`
    problems.error("EXCLUSIVE_FIELDS", second.entry.key, message, "keep one of them")
    return null
  }
  const kind = SOURCES[first.key]
  const { key, value } = first.entry
  if (kind === null) {
    const message = `${owner} is written in Python, which this version can't run yet`
    problems.error("UNSUPPORTED_OPERATOR", key, message, "make it a node of its own with `path`")
    return null
  }
  const threads = optional(map, "threads")
  if (kind === "shared-library" && threads && readBoolean(problems, threads, "threads")) {
    const message = `${owner}: a shared library can't have a thread of its own in a process of others`
    problems.error("UNSUPPORTED_OPERATOR", threads, message, "give it a node of its own")
    return null
  }
  const file = readFile(world, value, key.text, kind, owner)
  if (file === null) return null
  if (!isBuilt && !isFile(file)) {
    const message = `${owner}: no ${NAMES[kind]} at ${quote(file)}`
    problems.warn(
      "MISSING_PROGRAM",
      value,
      message,
      "build it before the dataflow is run, or add `build`",
    )
  }
  return { kind, path: file, position: problems.position(value.start) }
}

const NAMES = { "shared-library": "shared library", module: "module", wasm: "WebAssembly module" }

/** The absolute path that a source means. */
function readFile(
  { problems, workingDir }: Surroundings,
  value: YamlNode,
  field: string,
  kind: OperatorKind,
  owner: string,
): string | null {
  const text = readText(problems, value, field)
  if (text === null) return null
  if (/^https?:\/\//.test(text)) {
    const message = `${owner} is downloaded (a URL as \`${field}\`), which this version can't do yet`
    problems.error("UNSUPPORTED_OPERATOR", value, message, "download it and name the file")
    return null
  }
  if (text.trim() === "" || text.endsWith("/")) {
    problems.error("MISSING_SOURCE", value, `${owner}: \`${field}\` names no file`)
    return null
  }
  return resolve(workingDir, kind === "shared-library" ? libraryFile(problems, value, text) : text)
}

/** `lib` in front and `.so` behind are added, and left alone where they are written already. */
function libraryFile(problems: Problems, at: Span, text: string): string {
  const file = basename(text)
  const dotted = file.endsWith(".so")
  const prefixed = file.startsWith("lib")
  if (dotted || prefixed) {
    const short = file.replace(/\.so$/, "").replace(/^lib(?=.)/, "")
    const hint = `write ${quote(join(dirname(text), short))}: the official dora refuses ${prefixed ? "the prefix" : "the ending"}`
    problems.warn("LIBRARY_NAME", at, "`lib` and `.so` are added to the name of a library", hint)
  }
  return join(dirname(text), `${dotted || prefixed ? "" : "lib"}${file}${dotted ? "" : ".so"}`)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function checkOnePerNode(problems: Problems, items: readonly YamlMap[]): void {
  for (const field of ONE_PER_NODE) {
    const [, second] = items.flatMap((item) =>
      optional(item, field) ? [entryOf(item, field)!] : [],
    )
    if (!second) continue
    const message = `More than one \`${field}\` entries for a runtime node. Please only use one \`${field}\` per runtime.`
    problems.error("EXCLUSIVE_FIELDS", second.key, message)
  }
}
