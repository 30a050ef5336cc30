import { nodeIdProblem } from "../core/ids.ts"
import { type Lookup, readEnv } from "./env.ts"
import { ALL_NODE_FIELDS, LATER_NODE_FIELDS, NODE_HINTS, checkLater } from "./fields.ts"
import { type InputDraft, readInputs } from "./input.ts"
import { checkKind } from "./kind.ts"
import { modernizeNode } from "./legacy.ts"
import { readOperators } from "./operator.ts"
import { logSpec, readLogFields } from "./log-fields.ts"
import { optional, readArgs, readBuild, readCores, readOutputs } from "./parts.ts"
import { findProgram } from "./program.ts"
import { type Problems, type Span, quote } from "./problems.ts"
import { checkKeys, entryOf, givenOf, readText, wrongType } from "./read.ts"
import { readRestart } from "./restart.ts"
import { readTypes, type TypeNotes } from "./type-notes.ts"
import type { NodeSpec, OutputSpec } from "./types.ts"
import type { YamlMap, YamlNode } from "./yaml.ts"

/** The `path` of a node that is started by hand, and of one whose `args` are a line for a shell. */
const DYNAMIC = "dynamic"
const SHELL = "shell"

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
  /** Of a node with operators: which, and whether it has the single form, whose outputs may be named without the operator. */
  operators: { ids: string[]; isSingle: boolean } | null
  types: TypeNotes
  /** Null when the node can't run. */
  spec: NodeSpec | null
}

/** What reading a node needs to know about the world. */
export type Surroundings = {
  problems: Problems
  lookup: Lookup
  /** The dataflow's file, as the user wrote it. */
  file: string
  workingDir: string
  /** Programs looked up so far, by path: is there one? */
  programs: Map<string, boolean>
}

/**
 * Reads one entry of `nodes`; null when it is no mapping.
 *
 * @param place  what to call it when it has no name: "nodes[0]"
 */
export function readNode(world: Surroundings, value: YamlNode, place: string): NodeDraft | null {
  const { problems } = world
  if (value.kind !== "map") {
    wrongType(problems, value, place, "a mapping with `id` and `path`")
    return null
  }
  modernizeNode(problems, value)
  const id = readId(problems, value, place)
  const name = id.text ?? place
  const owner = id.text === null ? `\`${name}\`` : `node ${quote(name)}`
  checkKeys(problems, value, ALL_NODE_FIELDS, owner, NODE_HINTS)
  const kind = checkKind(problems, value, name, id.at)
  const field = (key: string) => optional(value, key)
  const operators = kind.operators && readOperators(world, kind.operators, name)
  const inputs = entryOf(value, "inputs")
  const outputs = entryOf(value, "outputs")
  const draft: NodeDraft = {
    id: id.text,
    idAt: id.at,
    inputs: operators?.inputs ?? (inputs ? readInputs(problems, inputs.value, name) : []),
    outputs:
      operators?.outputs ?? (outputs ? readOutputs(problems, outputs.value, owner) : new Map()),
    outputsKnown: kind.outputsKnown,
    operators: operators && {
      ids: operators.ids,
      isSingle: kind.operators!.key.text === "operator",
    },
    types: operators?.types ?? readTypes(problems, field),
    spec: null,
  }
  const shell = kind.path?.text === SHELL
  const texts = readTexts(world, field, shell)
  const env = field("env")
  const common = {
    ...texts,
    env: env ? readEnv(problems, env, "env", world.lookup) : {},
    logs: logSpec(readLogFields(problems, field, draft.outputs), ...(operators?.logs ?? [])),
    restart: readRestart(problems, field, owner),
    cpuAffinity: readCores(problems, field("cpu_affinity")),
  }
  if (kind.path === null && !operators?.complete) return draft
  checkLater(problems, value, LATER_NODE_FIELDS, owner)
  const dynamic = kind.path?.text === DYNAMIC
  if (dynamic) checkDynamic(problems, value, name)
  else if (shell) checkShell(problems, value, kind.path!, name)
  else if (kind.path && !kind.origin) checkProgram(world, kind.path, common.build.length > 0)
  if (id.text === null) return draft
  draft.spec = {
    id: id.text,
    ...common,
    build: operators?.build ?? common.build,
    path: kind.path?.text ?? "",
    origin: kind.origin,
    operators: operators?.operators ?? [],
    dynamic,
    shell,
    inputs: draft.inputs.map((input) => input.spec),
    outputs: [...draft.outputs.values()],
    position: problems.position(value.start),
  }
  return draft
}

/** Where a shell has nothing to do. */
function checkShell(problems: Problems, node: YamlMap, path: Span, name: string): void {
  const args = optional(node, "args")
  if (args && (args.kind !== "scalar" || args.text.trim() !== "")) return
  const message = `shell node ${quote(name)} has no \`args\``
  problems.error("MISSING_FIELD", path, message, "write the command line into `args`")
}

/** A node that is started by hand is not watched at its start. */
function checkDynamic(problems: Problems, node: YamlMap, name: string): void {
  const entry = givenOf(node, "startup_timeout")
  if (!entry) return
  const message = `dynamic node ${quote(name)} cannot specify \`startup_timeout\` (dynamic nodes connect out-of-band and are not managed by the startup watchdog)`
  problems.error("FIELD_NOT_ALLOWED", entry.key, message)
}

function readId(
  problems: Problems,
  map: YamlMap,
  place: string,
): { text: string | null; at: Span } {
  const first = map.entries[0]?.key ?? map
  const entry = entryOf(map, "id")
  if (!entry) {
    const message = `missing field \`id\` in ${quote(place)}`
    problems.error("MISSING_FIELD", first, message, "add `id: <name>`, unique in this file")
    return { text: null, at: first }
  }
  const text = readText(problems, entry.value, "id")
  const bad = text === null ? null : nodeIdProblem(text)
  if (bad) problems.error("BAD_ID", entry.value, bad)
  return { text: bad ? null : text, at: entry.value }
}

function readTexts(world: Surroundings, field: (key: string) => YamlNode | null, shell: boolean) {
  const { problems } = world
  const text = (key: string) => {
    const value = field(key)
    return value ? readText(problems, value, key) : null
  }
  return {
    name: text("name"),
    description: text("description"),
    args: shell ? [text("args") ?? ""] : readArgs(problems, field("args")),
    build: readBuild(problems, field("build")),
  }
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
