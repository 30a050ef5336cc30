// What a node is: exactly one field decides. Programs and operators run; bridges and packages of a hub can't yet.
import { ALL_NODE_FIELDS, KIND_FIELDS, MODULE_FIELDS, OPERATOR_ONLY_FIELDS } from "./fields.ts"
import { type Problems, type Span, quote } from "./problems.ts"
import { givenOf, readText } from "./read.ts"
import { readOrigin } from "./origin.ts"
import { isNull } from "./scalar.ts"
import type { Origin } from "./types.ts"
import type { YamlEntry, YamlMap } from "./yaml.ts"

/**
 * The program of a node or its operators, or null when it has none that can run; and whether `outputs` is all that
 * it has.
 */
export type Kind = {
  path: ({ text: string } & Span) | null
  /** Where that program comes from; null: it is there. */
  origin: Origin | null
  operators: YamlEntry | null
  outputsKnown: boolean
}

const NOTHING: Kind = { path: null, origin: null, operators: null, outputsKnown: false }

const NAMES: Readonly<Record<string, string>> = {
  ros2: "a ROS2 bridge",
  hub: "a hub package",
}

/**
 * Finds out what a node is and notes what can't run.
 *
 * @param name  the node's id, or its place in the list
 * @param at    where to report that there is nothing to run
 */
export function checkKind(problems: Problems, map: YamlMap, name: string, at: Span): Kind {
  const kinds = KIND_FIELDS.flatMap((field) => givenOf(map, field) ?? [])
  const hub = givenOf(map, "hub")
  const [first, second] = kinds
  if (second) {
    const message = `node ${quote(name)} has multiple exclusive fields set, only one of \`path\`, \`operators\`, \`operator\`, \`ros2\`, and \`module\` is allowed`
    problems.error("EXCLUSIVE_FIELDS", laterOf(kinds).key, message)
    return NOTHING
  }
  if (hub && first) {
    const message = `node ${quote(name)}: \`hub:\` is mutually exclusive with \`path\`, \`git\`, \`build\`, and operator fields — the hub package supplies them`
    problems.error("EXCLUSIVE_FIELDS", hub.key, message)
    return NOTHING
  }
  const decisive = first ?? hub
  if (!decisive) {
    const message = `node ${quote(name)} requires a \`path\`, \`operators\`, \`operator\`, \`ros2\`, or \`module\` field`
    problems.error("MISSING_PATH", at, message, "add `path: <program or script>`")
    return { ...NOTHING, outputsKnown: true }
  }
  if (decisive.key.text === "operator" || decisive.key.text === "operators") {
    checkOperatorNode(problems, map, decisive.key.text, name)
    return { ...NOTHING, operators: decisive, outputsKnown: true }
  }
  if (decisive.key.text === "module") {
    checkModuleNode(problems, map, name)
    return NOTHING
  }
  if (decisive.key.text !== "path") {
    unsupported(problems, decisive, name, NAMES[decisive.key.text]!)
    return NOTHING
  }
  const refused = checkParams(problems, map, name)
  const path = checkPath(problems, decisive, name)
  const origin = readOrigin(problems, map, path?.text ?? "")
  return { path: refused ? null : path, origin, operators: null, outputsKnown: true }
}

/** What belongs to the operators, or to nodes with a program. */
function checkOperatorNode(problems: Problems, map: YamlMap, kind: string, name: string): void {
  const wrong = map.entries.filter(
    ({ key, value }) => OPERATOR_ONLY_FIELDS.includes(key.text) && !isNull(value),
  )
  if (wrong.length === 0) return
  const fields = wrong.map(({ key }) => key.text).join(", ")
  const what = kind === "operator" ? "Operator" : "Runtime"
  const message = `node ${quote(name)} has fields that are not allowed on ${what} nodes: ${fields}`
  const entry = kind === "operator" ? "`operator:`" : "the matching entry under `operators:`"
  const hint = `these fields belong inside ${entry}, not at the node level -- move them there`
  problems.error("FIELD_NOT_ALLOWED", wrong[0]!.key, message, hint)
}

/** What a module can't be told; the node is replaced by the module's own (modules.ts). */
function checkModuleNode(problems: Problems, map: YamlMap, name: string): void {
  const wrong = map.entries.filter(
    ({ key, value }) =>
      ALL_NODE_FIELDS.includes(key.text) && !MODULE_FIELDS.includes(key.text) && !isNull(value),
  )
  if (wrong.length === 0) return
  const fields = wrong.map(({ key }) => key.text).join(", ")
  const message = `node ${quote(name)} has fields that are not allowed on Module nodes: ${fields}`
  const hint =
    "a module node only configures the sub-dataflow it references; set per-node options on the module's inner nodes instead"
  problems.error("FIELD_NOT_ALLOWED", wrong[0]!.key, message, hint)
}

function laterOf(entries: readonly YamlEntry[]): YamlEntry {
  return entries.reduce((a, b) => (a.key.start > b.key.start ? a : b))
}

function unsupported(problems: Problems, entry: YamlEntry, name: string, what: string): void {
  const message = `node ${quote(name)} is ${what} (\`${entry.key.text}\`), which this version can't run yet`
  problems.error("UNSUPPORTED_NODE_KIND", entry.key, message, "nodes with a local `path` can run")
}

function checkPath(problems: Problems, entry: YamlEntry, name: string): Kind["path"] {
  const text = readText(problems, entry.value, "path")
  if (text === null) return null
  const { start, end } = entry.value
  if (text.trim() === "") {
    const message = `the \`path\` of node ${quote(name)} is empty`
    problems.error("MISSING_PATH", entry.value, message, "name a program or a script")
    return null
  }
  return { text, start, end }
}

/** Notes parameters, which belong to modules; true when there are some. */
function checkParams(problems: Problems, map: YamlMap, name: string): boolean {
  const params = givenOf(map, "params")
  if (!params) return false
  const message = `node ${quote(name)} has fields that are not allowed on Standard nodes: params`
  const hint = "these fields are not consumed by this node kind; remove them from the node"
  problems.error("FIELD_NOT_ALLOWED", params.key, message, hint)
  return true
}
