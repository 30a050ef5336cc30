import { open } from "node:fs/promises"
import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { MAX_DESCRIPTOR_BYTES } from "../core/limits.ts"
import { type Lookup, readEnv } from "./env.ts"
import { ALL_ROOT_FIELDS, LATER_ROOT_FIELDS, checkLater } from "./fields.ts"
import { modernizeRoot } from "./legacy.ts"
import { type NodeDraft, type Surroundings, readNode } from "./node.ts"
import { DescriptorError, Problems } from "./problems.ts"
import { checkPositiveSeconds } from "./quantity.ts"
import { checkKeys, entryOf, readBoolean, readList, readText, wrongType } from "./read.ts"
import { isNull, toJson } from "./scalar.ts"
import { checkTypes, type TypeRule } from "./type-notes.ts"
import type { Dataflow } from "./types.ts"
import { checkWiring } from "./wiring.ts"
import { type YamlMap, type YamlNode, parseYaml } from "./yaml.ts"

/** Seconds between two health sweeps unless the file says otherwise. */
const DEFAULT_HEALTH_CHECK_INTERVAL = 5

/** One read of a file. */
const READ_BYTES = 64 * 1024

/** What a dataflow is read with. */
export type LoadOptions = {
  /** Variables for `$VAR` in `env` values. Default `process.env`. */
  env?: Record<string, string | undefined>
  /** Reads the file. Default: from disk, refusing what is too large before reading it. */
  readFile?: (path: string) => Promise<Uint8Array>
}

/**
 * Reads and checks a dataflow file.
 *
 * @param path  as the user wrote it; positions in messages carry it unchanged
 * @throws DescriptorError  with every problem of the file
 * @example const flow = await loadDataflow("flow.yml")
 */
export async function loadDataflow(path: string, options: LoadOptions = {}): Promise<Dataflow> {
  const read = options.readFile ?? readBounded
  let bytes: Uint8Array
  try {
    bytes = await read(path)
  } catch (cause) {
    if (cause instanceof DescriptorError) throw cause
    throw fileProblem(path, "FILE_UNREADABLE", `failed to open given file: ${reason(cause)}`)
  }
  if (bytes.byteLength > MAX_DESCRIPTOR_BYTES) throw tooLarge(path, bytes.byteLength)
  return parseDataflow(decode(path, bytes), path, options)
}

/**
 * Checks the text of a dataflow file.
 *
 * @param path  where the text comes from: relative paths of nodes start in its directory
 * @throws DescriptorError  with every problem of the text
 * @example parseDataflow("nodes: [{ id: a, path: a.ts }]", "flow.yml").nodes[0].id // "a"
 */
export function parseDataflow(text: string, path: string, options: LoadOptions = {}): Dataflow {
  const size = Buffer.byteLength(text)
  if (size > MAX_DESCRIPTOR_BYTES) throw tooLarge(path, size)
  const problems = new Problems(path, text.replace(/^\ufeff/, ""))
  const env = options.env ?? process.env
  const lookup: Lookup = (name) => (Object.hasOwn(env, name) ? env[name] : undefined)
  const workingDir = dirname(resolve(path))
  const world = { problems, lookup, workingDir, programs: new Map<string, boolean>() }
  const tree = parseYaml(problems)
  const root = problems.failed ? null : rootOf(problems, tree)
  const dataflow = root && readRoot(world, root, resolve(path))
  const list = problems.list()
  if (dataflow === null || problems.failed) throw new DescriptorError(path, list, problems.text)
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
  checkKeys(problems, root, ALL_ROOT_FIELDS, "the dataflow")
  checkLater(problems, root, LATER_ROOT_FIELDS, "the dataflow")
  const field = (name: string) => {
    const entry = entryOf(root, name)
    return entry && !isNull(entry.value) ? entry.value : null
  }
  const env = field("env")
  const exit = field("exit_when_nodes_finish")
  const interval = field("health_check_interval")
  const drafts = readNodes(world, root)
  checkWiring(problems, drafts)
  const strict = field("strict_types")
  checkTypes(problems, drafts, {
    strict: (strict && readBoolean(problems, strict, "strict_types")) ?? false,
    rules: readRules(problems, field("type_rules")),
    isOwn: (prefix) =>
      /^\w+(\/\w+)*$/.test(prefix) &&
      !prefix.startsWith("std/") &&
      existsSync(join(world.workingDir, "types", `${prefix}.yml`)),
  })
  return {
    path,
    text: problems.text,
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
  return (list?.items ?? []).flatMap((item, index) => readNode(world, item, index) ?? [])
}

/**
 * Reads at most one byte more than a dataflow may have: pipes and devices don't tell their size
 * and may never end.
 */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > MAX_DESCRIPTOR_BYTES) throw tooLarge(path, size)
    const chunks: Uint8Array[] = []
    for (let total = 0; total <= MAX_DESCRIPTOR_BYTES;) {
      const { buffer, bytesRead } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, null)
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
      total += bytesRead
    }
    return Buffer.concat(chunks)
  } finally {
    await file.close()
  }
}

/** UTF-8 only; the line of the first bad byte is told. */
function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    const text = new TextDecoder("utf-8").decode(bytes)
    const problems = new Problems(path, text)
    const at = Math.max(0, text.indexOf("\ufffd"))
    problems.error(
      "NOT_UTF8",
      { start: at, end: at + 1 },
      "the file is not UTF-8 text",
      "save it as UTF-8",
    )
    throw new DescriptorError(path, problems.list(), text)
  }
}

function tooLarge(path: string, size: number): DescriptorError {
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
  const message = `the file is too large: ${mib(size)}, and at most ${mib(MAX_DESCRIPTOR_BYTES)} are read`
  return fileProblem(path, "FILE_TOO_LARGE", message, "is this a dataflow file?")
}

function fileProblem(path: string, code: string, message: string, hint?: string): DescriptorError {
  const problems = new Problems(path, "")
  problems.error(code, { start: 0, end: 0 }, message, hint)
  return new DescriptorError(path, problems.list(), "")
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
