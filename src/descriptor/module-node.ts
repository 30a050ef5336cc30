// What becomes of a node of a module where the module is used: its name, where its inputs come from, where its files are,
// what it is told.
import { existsSync } from "node:fs"
import { isAbsolute, join, relative } from "node:path"
import { nodeIdProblem } from "../core/ids.ts"
import type { Lookup } from "./env.ts"
import { modernizeNode, modernizeOperator } from "./legacy.ts"
import type { ModuleFile } from "./module-file.ts"
import { sourcesOf } from "./operator-source.ts"
import { optional } from "./parts.ts"
import { findProgram } from "./program.ts"
import { type Problems, type Span, quote } from "./problems.ts"
import { didYouMean, entryOf } from "./read.ts"
import { type YamlEntry, type YamlMap, type YamlNode, type YamlScalar, copy } from "./yaml.ts"

/** What stands for the inputs of the module in the sources of its nodes. */
const PORT = "_mod/"

/** One use of a module. */
export type Use = {
  problems: Problems
  lookup: Lookup
  /** Id of the node that uses it. */
  id: string
  file: ModuleFile
  /** That node. */
  outer: YamlMap
  /** The node's inputs, by their names. */
  ports: ReadonlyMap<string, YamlEntry>
  /** By their keys as written. */
  params: ReadonlyMap<string, YamlScalar>
  /** Ids of the module's nodes. */
  siblings: ReadonlySet<string>
  /** The directory of the dataflow, symbolic links resolved. */
  root: string
}

/** Turns a copy of a module's node into one of the dataflow. */
export function adaptNode(use: Use, map: YamlMap): void {
  const { problems, id, file, outer, params } = use
  modernizeNode(problems, map)
  const own = entryOf(map, "id")?.value
  if (own?.kind === "scalar" && nodeIdProblem(own.text) === null) own.text = `${id}.${own.text}`
  const name = own?.kind === "scalar" ? own.text : id
  const operators = operatorsOf(map)
  for (const operator of operators) {
    modernizeOperator(problems, operator)
    adaptInputs(use, operator, name)
    for (const { value } of sourcesOf(operator)) {
      adaptPath(use, value.kind === "map" ? optional(value, "source") : value, name)
    }
  }
  adaptInputs(use, map, name)
  // That of a clone is relative to the clone.
  if (!optional(map, "git")) adaptPath(use, optional(map, "path"), name)
  const deploy = optional(outer, "deploy")
  if (deploy && !optional(map, "deploy")) put(map, "deploy", copy(deploy))
  fillEnv(use, map)
  const args = optional(map, "args")
  if (args?.kind === "scalar") args.text = replaceParams(args.text, params)
  const builds = [optional(outer, "build"), file.build].flatMap((build) =>
    build?.kind === "scalar" ? build : [],
  )
  const builders = operators.length > 0 ? operators : [map]
  for (const builder of builders) for (const build of builds.toReversed()) prepend(builder, build)
}

/**
 * The outputs of a node, by their names: what each is called in the source of an input. Operators of
 * one node may have the same.
 */
export function outputsOf(map: YamlMap): [string, string][] {
  const own = texts(optional(map, "outputs")).map((name) => [name, name] as [string, string])
  const isSingle = optional(map, "operator") !== null
  const inner = operatorsOf(map).flatMap((operator) => {
    const id = optional(operator, "id")
    const prefix = isSingle || id?.kind !== "scalar" ? "" : `${id.text}/`
    return texts(optional(operator, "outputs")).map(
      (name) => [name, prefix + name] as [string, string],
    )
  })
  return [...own, ...inner]
}

/** Inputs of a node or operator with the scalars that name their sources; what is none of both is left to later checks. */
export function sourcesIn(
  map: YamlMap,
): { entry: YamlEntry; source: YamlScalar; owner: YamlMap }[] {
  return [map, ...operatorsOf(map)].flatMap((owner) => {
    const inputs = optional(owner, "inputs")
    if (inputs?.kind !== "map") return []
    return inputs.entries.flatMap((entry) => {
      const source = sourceOf(entry.value)
      return source ? { entry, source, owner } : []
    })
  })
}

/** Takes inputs out, and what is said of their types. */
export function dropInputs(owner: YamlMap, dropped: ReadonlySet<YamlEntry>): void {
  const inputs = optional(owner, "inputs")
  if (inputs?.kind !== "map" || dropped.size === 0) return
  const names = new Set([...dropped].map(({ key }) => key.text))
  inputs.entries = inputs.entries.filter((entry) => !dropped.has(entry))
  const types = optional(owner, "input_types")
  if (types?.kind !== "map") return
  types.entries = types.entries.filter(({ key }) => !names.has(key.text))
}

function operatorsOf(map: YamlMap): YamlMap[] {
  const single = optional(map, "operator")
  const several = optional(map, "operators")
  const all = [...(single ? [single] : []), ...(several?.kind === "list" ? several.items : [])]
  return all.filter((operator) => operator.kind === "map")
}

function sourceOf(value: YamlNode): YamlScalar | null {
  const source = value.kind === "map" ? optional(value, "source") : value
  return source?.kind === "scalar" ? source : null
}

function texts(list: YamlNode | null): string[] {
  if (list?.kind !== "list") return []
  return list.items.flatMap((item) => (item.kind === "scalar" ? item.text : []))
}

function put(map: YamlMap, field: string, value: YamlNode): void {
  const entry = entryOf(map, field)
  if (entry) entry.value = value
  else map.entries.push({ key: keyAt(value, field), value })
}

/** A key that is written nowhere, with the place of its value. */
function keyAt({ start, end }: Span, text: string): YamlScalar {
  return { kind: "scalar", start, end, text, plain: true }
}

function adaptInputs(use: Use, owner: YamlMap, node: string): void {
  const inputs = optional(owner, "inputs")
  if (inputs?.kind !== "map") return
  const dropped = new Set<YamlEntry>()
  for (const entry of inputs.entries) {
    const source = sourceOf(entry.value)
    if (source?.text.startsWith(PORT)) {
      const value = wired(use, entry, source, node)
      if (value) entry.value = value
      else dropped.add(entry)
    } else if (source) {
      source.text = prefixed(source.text, use)
    }
  }
  dropInputs(owner, dropped)
}

/** A source that names a node of the module, under its new name. */
function prefixed(text: string, { id, siblings }: Use): string {
  const logs = /^dora\/logs\/[^/]+\//.exec(text)?.[0] ?? ""
  const [sender = ""] = text.slice(logs.length).split("/")
  return siblings.has(sender) ? `${logs}${id}.${text.slice(logs.length)}` : text
}

/** What an input reads that names a port; null when nothing is wired to it, or when there is no such port. */
function wired(use: Use, entry: YamlEntry, source: YamlScalar, node: string): YamlNode | null {
  const { problems, file, ports } = use
  const port = source.text.slice(PORT.length)
  const outer = ports.get(port)
  if (outer) return joined(entry.value, outer.value)
  if (!file.required.has(port) && !file.optional.has(port)) {
    const message = `module ${quote(file.name)}: node ${quote(node)} input ${quote(entry.key.text)} references ${quote(source.text)} but ${quote(port)} is not declared in module inputs or inputs_optional`
    const names = [...file.required.keys(), ...file.optional.keys()]
    problems.error("UNKNOWN_INPUT", source, message, () => didYouMean(port, names))
  }
  return null
}

/** The source of the outer input with the options of the inner one; those that it lacks are the outer one's. */
function joined(inner: YamlNode, outer: YamlNode): YamlNode {
  const own = inner.kind === "map" ? inner.entries : []
  const entries = own.filter(({ key }) => key.text !== "source")
  if (outer.kind !== "map") {
    if (entries.length === 0) return copy(outer)
    const source = { key: keyAt(outer, "source"), value: copy(outer) }
    return { kind: "map", start: inner.start, end: inner.end, entries: [...entries, source] }
  }
  const names = new Set(entries.map(({ key }) => key.text))
  const more = copy(outer).entries.filter(({ key }) => !names.has(key.text))
  return { ...outer, entries: [...entries, ...more] }
}

/** Files of a module lie beside its file, and inside the directory of the dataflow. */
function adaptPath(
  { problems, file, root, lookup }: Use,
  value: YamlNode | null,
  node: string,
): void {
  if (value?.kind !== "scalar") return
  const { text } = value
  if (["dynamic", "shell", ""].includes(text.trim()) || isAbsolute(text)) return
  if (/^https?:\/\//.test(text) || text.startsWith("$")) return
  const full = join(file.dir, text)
  // A command, unless there is such a file beside the module.
  const isCommand = !text.includes("/") && !existsSync(full)
  if (isCommand && findProgram(text, root, lookup) !== null) return
  const path = relative(root, full)
  if (path === ".." || path.startsWith("../")) {
    const message = `module node ${quote(node)} path ${quote(text)} resolves outside the project directory (resolved to ${quote(full)})`
    const hint = `files of a module must be inside ${root}`
    problems.error("OUTSIDE_PROJECT", value, message, hint)
    return
  }
  value.text = path
}

/** The environment of the outer node fills what is not set; parameters win over everything. */
function fillEnv({ outer, params }: Use, map: YamlMap): void {
  const given = optional(outer, "env")
  const outerEntries = given?.kind === "map" ? copy(given).entries : []
  if (outerEntries.length === 0 && params.size === 0) return
  const env = optional(map, "env")
  // Not a mapping: told when the node is read.
  if (env && env.kind !== "map") return
  const own = env?.entries ?? []
  const variables = [...params].map(([key, value]): YamlEntry => {
    return { key: keyAt(value, variable(key)), value: { ...value, verbatim: true } }
  })
  const names = new Set(own.map(({ key }) => key.text))
  const passed = new Set(variables.map(({ key }) => key.text))
  const entries = [...own, ...outerEntries.filter(({ key }) => !names.has(key.text))]
  const place = env ?? given ?? [...params.values()][0]!
  const { start, end } = place
  const kept = entries.filter(({ key }) => !passed.has(key.text))
  put(map, "env", { kind: "map", start, end, entries: [...kept, ...variables] })
}

/** The variable that carries a parameter. */
export function variable(key: string): string {
  return `PARAM_${key.toUpperCase()}`
}

/**
 * Replaces `${_param.key}` and `$PARAM_KEY` in one pass: values are not looked through again, and
 * what names no parameter stays.
 *
 * @example replaceParams("--fps $PARAM_FPS", new Map([["fps", { text: "30", … }]])) // "--fps 30"
 */
export function replaceParams(
  text: string,
  params: ReadonlyMap<string, Pick<YamlScalar, "text">>,
): string {
  const variables = new Map([...params].map(([key, value]) => [`$${variable(key)}`, value]))
  return text.replace(/\$\{_param\.([^}]*)\}|\$PARAM_\w*/g, (whole, key?: string) => {
    const value = key === undefined ? variables.get(whole) : params.get(key)
    return value?.text ?? whole
  })
}

function prepend(owner: YamlMap, build: YamlScalar): void {
  const own = optional(owner, "build")
  // Not a text: told when the node is read.
  if (own && own.kind !== "scalar") return
  put(owner, "build", own ? { ...own, text: `${build.text}\n${own.text}` } : { ...build })
}
