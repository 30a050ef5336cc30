// Every field of a node and of the root, official 1.1.0. Those that nothing reads yet are checked
// here and warned about;
// an issue that implements one moves it out of the table.
import { dataIdProblem } from "../core/ids.ts"
import { LOG_FIELDS } from "./log-fields.ts"
import { type Problems, quote } from "./problems.ts"
import { checkByteSize } from "./quantity.ts"
import {
  checkKeys,
  lastEntries,
  readBoolean,
  readChoice,
  readList,
  readMap,
  readText,
} from "./read.ts"
import { RESTART_FIELDS } from "./restart.ts"
import { isNull } from "./scalar.ts"
import type { YamlEntry, YamlMap, YamlNode } from "./yaml.ts"

/**
 * Checks the value of a field; `owner` is "node `a`". Returns "inert" when the value is what
 * happens anyway.
 */
export type Check = (
  problems: Problems,
  value: YamlNode,
  field: string,
  owner: string,
) => "inert" | undefined

/** Fields that decide what a node is; exactly one of the first five must be set. */
export const KIND_FIELDS = ["path", "operators", "operator", "ros2", "module"] as const

const TYPE_FIELDS = ["output_types", "input_types"]

/** Fields of a node that are read. */
export const NODE_FIELDS = [
  "id",
  "name",
  "description",
  "path",
  "args",
  "env",
  "build",
  "inputs",
  "outputs",
  ...LOG_FIELDS,
  ...TYPE_FIELDS,
  "cpu_affinity",
  ...RESTART_FIELDS,
]

/** Fields of a node that are checked and have no effect yet. */
export const LATER_NODE_FIELDS: Readonly<Record<string, Check>> = {
  shared_memory_pool_size: size,
  output_framing: mapOf(choice("raw", "arrow-ipc")),
  output_metadata: mapOf(listOf(text)),
  pattern: text,
  deploy,
}

/** Fields of an operator that are checked and have no effect yet. */
export const LATER_OPERATOR_FIELDS: Readonly<Record<string, Check>> = Object.fromEntries(
  ["output_types", "input_types", "output_framing", "output_metadata", "pattern"].map((field) => [
    field,
    LATER_NODE_FIELDS[field]!,
  ]),
)

/** All fields of an operator. `typescript`, `module` and `threads` are ours. */
export const OPERATOR_FIELDS = [
  "id",
  "name",
  "description",
  "shared-library",
  "typescript",
  "module",
  "wasm",
  "python",
  "build",
  "inputs",
  "outputs",
  ...LOG_FIELDS,
  ...TYPE_FIELDS,
  "threads",
  ...Object.keys(LATER_OPERATOR_FIELDS),
]

/** What to say for words that people write in an operator for a known reason. */
export const OPERATOR_HINTS: Readonly<Record<string, string>> = {
  path: "write `shared-library`, `typescript`, `python` or `wasm`, or `path` at the node itself",
  javascript: "write `module`",
  js: "write `module`",
  args: "operators have no arguments; set variables in the `env` of the node",
  env: "write it at the node: its operators share one process",
  queue_size: "write it inside an input: `name: { source: node/output, queue_size: 1 }`",
}

/** Fields that an operator node must not have at node level. */
export const OPERATOR_ONLY_FIELDS = [
  "args",
  "build",
  "inputs",
  "outputs",
  "output_types",
  "input_types",
  "output_framing",
  "output_metadata",
  "pattern",
  "send_stdout_as",
  "send_logs_as",
  "shared_memory_pool_size",
  "path_sha256",
  "git",
  "branch",
  "tag",
  "rev",
  "params",
]

/** Fields that a node with `module` may have. */
export const MODULE_FIELDS = [
  "id",
  "name",
  "description",
  "env",
  "deploy",
  "module",
  "inputs",
  "params",
  "build",
]

/** Fields of a node that belong to one kind of node. */
export const KIND_ONLY_FIELDS = ["git", "branch", "tag", "rev", "path_sha256", "hub", "params"]

/** All fields of a node. */
export const ALL_NODE_FIELDS = [
  ...NODE_FIELDS,
  ...KIND_FIELDS.slice(1),
  ...Object.keys(LATER_NODE_FIELDS),
  ...KIND_ONLY_FIELDS,
]

/** Fields of the root that are read. */
export const ROOT_FIELDS = [
  "nodes",
  "env",
  "exit_when_nodes_finish",
  "health_check_interval",
  "strict_types",
  "type_rules",
]

/** Fields of the root that are checked and have no effect yet. */
export const LATER_ROOT_FIELDS: Readonly<Record<string, Check>> = {
  debug: (problems, value, field) => {
    const map = readMap(problems, value, field)
    if (!map) return undefined
    checkKeys(problems, map, ["enable_debug_inspection"], "`debug`")
    const inner = map.entries.find((entry) => entry.key.text === "enable_debug_inspection")
    return inner ? flag(problems, inner.value, inner.key.text, "") : "inert"
  },
  deploy,
}

/** All fields of the root. */
export const ALL_ROOT_FIELDS = [...ROOT_FIELDS, ...Object.keys(LATER_ROOT_FIELDS)]

/** What to say for words that people write in a dataflow for a known reason. */
export const ROOT_HINTS: Readonly<Record<string, string>> = {
  module: "this is the file of a module; a node uses it: `module: <this file>`",
  build: "write it at a node",
}

/** What to say for words that people write in a node for a known reason. */
export const NODE_HINTS: Readonly<Record<string, string>> = {
  "working-directory": "a node runs in the directory of the dataflow file",
  working_directory: "a node runs in the directory of the dataflow file",
  cwd: "a node runs in the directory of the dataflow file",
  run: "write `path` for the program and `args` for its arguments",
  command: "write `path` for the program and `args` for its arguments",
  "shared-library": "write it inside `operator`",
  shared_library: "write `shared-library` inside `operator`",
  python: "write it inside `operator`, or write `path` for a node",
  queue_size: "write it inside an input: `name: { source: node/output, queue_size: 1 }`",
  queue_policy:
    "write it inside an input: `name: { source: node/output, queue_policy: backpressure }`",
  "<<": "merge keys are not supported; write the fields out, or use an alias for a whole value",
}

/** Checks the fields of a table that are set and warns about those that would change something. */
export function checkLater(
  problems: Problems,
  map: YamlMap,
  table: Readonly<Record<string, Check>>,
  owner: string,
): void {
  for (const { key, value } of map.entries) {
    const check = Object.hasOwn(table, key.text) ? table[key.text] : undefined
    if (!check || isNull(value)) continue
    if (check(problems, value, key.text, owner) === "inert") continue
    problems.warn("NOT_YET_SUPPORTED", key, `${quote(key.text)} is accepted but has no effect yet`)
  }
}

function size(...[problems, value, field]: Parameters<Check>): undefined {
  checkByteSize(problems, value, field)
}

function text(...[problems, value, field]: Parameters<Check>): undefined {
  readText(problems, value, field)
}

function flag(...[problems, value, field]: Parameters<Check>): "inert" | undefined {
  return readBoolean(problems, value, field) === false ? "inert" : undefined
}

function choice(...words: string[]): Check {
  return (problems, value, field) => {
    readChoice(problems, value, field, words)
    return undefined
  }
}

function listOf(check: Check): Check {
  return (problems, value, field, owner) => {
    for (const item of readList(problems, value, field)?.items ?? []) {
      check(problems, item, field, owner)
    }
    return undefined
  }
}

function mapOf(check: Check): Check {
  return (problems, value, field, owner) => {
    const map = readMap(problems, value, field)
    for (const entry of map ? lastEntries(problems, map, "key") : []) {
      const bad = dataIdProblem(entry.key.text)
      if (bad) problems.error("BAD_ID", entry.key, bad)
      check(problems, entry.value, `${field}.${entry.key.text}`, owner)
    }
    return undefined
  }
}

function deploy(...[problems, value, field, owner]: Parameters<Check>): undefined {
  const map = readMap(problems, value, field)
  if (!map) return
  checkKeys(
    problems,
    map,
    ["machine", "working_dir", "labels", "distribute"],
    `${quote(field)} of ${owner}`,
  )
  for (const entry of map.entries) if (!isNull(entry.value)) deployField(problems, entry, owner)
}

function deployField(problems: Problems, { key, value }: YamlEntry, owner: string): void {
  if (key.text === "labels") mapOf(text)(problems, value, key.text, owner)
  else if (key.text === "distribute")
    readChoice(problems, value, key.text, ["local", "scp", "http"])
  else readText(problems, value, key.text)
}
