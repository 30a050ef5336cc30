import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { type Lookup, readEnv } from "./env.ts"
import { ALL_ROOT_FIELDS, LATER_ROOT_FIELDS, ROOT_HINTS, checkLater } from "./fields.ts"
import { checkSize, readDescriptor } from "./file.ts"
import { modernizeRoot } from "./legacy.ts"
import { expandModules } from "./modules.ts"
import { type NodeDraft, type Surroundings, readNode } from "./node.ts"
import { optional } from "./parts.ts"
import { DescriptorError, Problems } from "./problems.ts"
import { checkPositiveSeconds } from "./quantity.ts"
import { checkKeys, entryOf, readBoolean, readList, readText, wrongType } from "./read.ts"
import { toJson } from "./scalar.ts"
import { checkTypes, type TypeRule } from "./type-notes.ts"
import type { Dataflow } from "./types.ts"
import { checkWiring } from "./wiring.ts"
import { type YamlMap, type YamlNode, parseYaml } from "./yaml.ts"

/** Seconds between two health sweeps unless the file says otherwise. */
const DEFAULT_HEALTH_CHECK_INTERVAL = 5

/** What a dataflow is read with. */
export type LoadOptions = {
  /** Variables for `$VAR` in `env` values. Default `process.env`. */
  env?: Record<string, string | undefined>
}

/**
 * Reads and checks a dataflow file and the modules that it names.
 *
 * @param path  as the user wrote it; positions in messages carry it unchanged
 * @throws DescriptorError  with every problem of the dataflow
 * @example const flow = await loadDataflow("flow.yml")
 */
export async function loadDataflow(path: string, options: LoadOptions = {}): Promise<Dataflow> {
  return parseDataflow(await readDescriptor(path), path, options)
}

/**
 * Checks the text of a dataflow file, and the modules that it names.
 *
 * @param path  where the text comes from: relative paths of nodes start in its directory
 * @throws DescriptorError  with every problem of the dataflow
 * @example parseDataflow("nodes: [{ id: a, path: a.ts }]", "flow.yml").nodes[0].id // "a"
 */
export function parseDataflow(text: string, path: string, options: LoadOptions = {}): Dataflow {
  checkSize(path, Buffer.byteLength(text))
  const problems = new Problems()
  const source = problems.add(path, text.replace(/^\ufeff/, ""))
  const env = options.env ?? process.env
  const lookup: Lookup = (name) => (Object.hasOwn(env, name) ? env[name] : undefined)
  const workingDir = dirname(resolve(path))
  const world = { problems, lookup, file: path, workingDir, programs: new Map<string, boolean>() }
  const tree = parseYaml(problems, source)
  const root = problems.errorCount > 0 ? null : rootOf(problems, tree)
  const dataflow = root && readRoot(world, root, resolve(path))
  const list = problems.list()
  if (dataflow === null || problems.errorCount > 0)
    throw new DescriptorError(path, list, problems.texts)
  return { ...dataflow, warnings: list }
}

function rootOf(problems: Problems, tree: YamlNode | null): YamlMap | null {
  const hint = "a dataflow needs `nodes:` with a list of nodes, each with an `id` and a `path`"
  if (tree?.kind === "map") return tree
  const start = { start: 0, end: 1 }
  if (tree) wrongType(problems, tree, "dataflow", "a mapping with `nodes`", hint)
  else problems.error("MISSING_FIELD", start, "missing field `nodes`: the file is empty", hint)
  return null
}

function readRoot(world: Surroundings, root: YamlMap, path: string): Dataflow {
  const { problems } = world
  modernizeRoot(problems, root)
  checkKeys(problems, root, ALL_ROOT_FIELDS, "the dataflow", ROOT_HINTS)
  checkLater(problems, root, LATER_ROOT_FIELDS, "the dataflow")
  const env = optional(root, "env")
  const exit = optional(root, "exit_when_nodes_finish")
  const interval = optional(root, "health_check_interval")
  const drafts = readNodes(world, root)
  checkWiring(problems, drafts)
  const strict = optional(root, "strict_types")
  checkTypes(problems, drafts, {
    strict: (strict && readBoolean(problems, strict, "strict_types")) ?? false,
    rules: readRules(problems, optional(root, "type_rules")),
    isOwn: (prefix) =>
      /^\w+(\/\w+)*$/.test(prefix) &&
      !prefix.startsWith("std/") &&
      existsSync(join(world.workingDir, "types", `${prefix}.yml`)),
  })
  return {
    path,
    texts: problems.texts,
    workingDir: world.workingDir,
    nodes: drafts.flatMap((draft) => draft.spec ?? []),
    env: env ? readEnv(problems, env, "env", world.lookup) : {},
    exitWhenNodesFinish: (exit && readBoolean(problems, exit, "exit_when_nodes_finish")) ?? false,
    healthCheckInterval:
      (interval && checkPositiveSeconds(problems, interval, "health_check_interval", "dataflow")) ??
      DEFAULT_HEALTH_CHECK_INTERVAL,
    json: toJson(root),
    warnings: [],
  }
}

/** Conversions of types that the file allows. */
function readRules(problems: Problems, value: YamlNode | null): TypeRule[] {
  const list = value && readList(problems, value, "type_rules")
  return (list?.items ?? []).flatMap((rule) => {
    if (rule.kind !== "map") {
      wrongType(problems, rule, "type_rules", "a mapping with `from` and `to`")
      return []
    }
    checkKeys(problems, rule, ["from", "to"], "`type_rules`")
    const [from, to] = (["from", "to"] as const).map((field) => {
      const entry = entryOf(rule, field)
      if (entry) return readText(problems, entry.value, field)
      problems.error("MISSING_FIELD", rule, `missing field \`${field}\` in \`type_rules\``)
      return null
    })
    return from && to ? [{ from, to }] : []
  })
}

function readNodes(world: Surroundings, root: YamlMap): NodeDraft[] {
  const { problems } = world
  const entry = entryOf(root, "nodes")
  if (!entry) {
    const at = root.entries[0]?.key ?? root
    const hint = "add `nodes:` with a list of nodes, each with an `id` and a `path`"
    problems.error("MISSING_FIELD", at, "missing field `nodes`", hint)
    return []
  }
  const list = readList(problems, entry.value, "nodes")
  if (list?.items.length === 0) problems.warn("NO_NODES", entry.key, "this dataflow has no nodes")
  if (!list) return []
  const nodes = expandModules(world, list.items)
  // What the nodes get to see of the dataflow.
  list.items = nodes.map(({ node }) => node)
  return nodes.flatMap(({ node, place }) => readNode(world, node, place) ?? [])
}
