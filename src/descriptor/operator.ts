// The operators of a node: `operator:` has one, `operators:` several. Names of their inputs and outputs become those of the
// node with the operator's id in front.
import { nodeIdProblem } from "../core/ids.ts"
import { checkLater, LATER_OPERATOR_FIELDS, OPERATOR_FIELDS, OPERATOR_HINTS } from "./fields.ts"
import { type InputDraft, readInputs } from "./input.ts"
import { modernizeOperator } from "./legacy.ts"
import type { Surroundings } from "./node.ts"
import { LOG_FIELDS, type LogDraft, readLogFields } from "./log-fields.ts"
import { optional, readBuild, readOutputs } from "./parts.ts"
import { readSource, sourcesOf } from "./operator-source.ts"
import { type Problems, type Span, quote } from "./problems.ts"
import { checkKeys, entryOf, firstUse, readBoolean, readText, wrongType } from "./read.ts"
import { readTypes, type TypeNotes } from "./type-notes.ts"
import type { OperatorSpec, OutputSpec } from "./types.ts"
import type { YamlEntry, YamlMap } from "./yaml.ts"

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
  logs: LogDraft[]
  types: TypeNotes
  /** False when one of them can't run. */
  complete: boolean
}

/** Reads the operators of a node from its entry `operator` or `operators`. */
export function readOperators(world: Surroundings, entry: YamlEntry, node: string): OperatorsDraft {
  const draft: OperatorsDraft = {
    operators: [],
    ids: [],
    inputs: [],
    outputs: new Map(),
    build: [],
    logs: [],
    types: { inputs: new Map(), outputs: new Map() },
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
  const field = (key: string) => optional(map, key)
  const types = readTypes(problems, field, `${id ?? place}/`)
  for (const [key, note] of types.inputs) draft.types.inputs.set(key, note)
  for (const [key, note] of types.outputs) draft.types.outputs.set(key, note)
  draft.logs.push(readLogFields(problems, field, draft.outputs, `${id ?? place}/`))
  const threads = optional(map, "threads")
  const source = readSource(world, map, owner, build.length > 0)
  if (id === null || source === null) return false
  const spec = {
    id,
    ...source,
    threads: (threads && readBoolean(problems, threads, "threads")) ?? false,
  }
  const [before] = draft.operators
  if (before && !canShare(problems, map, spec, before)) return false
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

function checkOnePerNode(problems: Problems, items: readonly YamlMap[]): void {
  // A node may have one of each, whichever of its operators it stands in.
  for (const field of LOG_FIELDS) {
    const [, second] = items.flatMap((item) =>
      optional(item, field) ? [entryOf(item, field)!] : [],
    )
    if (!second) continue
    const message = `More than one \`${field}\` entries for a runtime node. Please only use one \`${field}\` per runtime.`
    problems.error("EXCLUSIVE_FIELDS", second.key, message)
  }
}

/** Operators of a node share a process: it is Bun's or Python's, and of one environment. */
function canShare(
  problems: Problems,
  map: YamlMap,
  spec: OperatorSpec,
  first: OperatorSpec,
): boolean {
  const mixed = (spec.kind === "python") !== (first.kind === "python")
  if (!mixed && spec.condaEnv === first.condaEnv) return true
  const why = mixed
    ? `one of them is written in Python, the other is not`
    : `their \`conda_env\` differs`
  const message = `operators ${quote(first.id)} and ${quote(spec.id)} can't share a node: ${why}`
  problems.error(
    "MIXED_OPERATORS",
    sourcesOf(map)[0]!.key,
    message,
    "give one of them a node of its own",
  )
  return false
}
