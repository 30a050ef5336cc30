// The file of a module: its ports and its nodes. What it says: dora 1.1.0, `docs/modules.md`.
import { dirname } from "node:path"
import { type FileProblem, readModule } from "./file.ts"
import { optional, readIds } from "./parts.ts"
import { type Problems, type Span, quote } from "./problems.ts"
import { checkKeys, entryOf, firstUse, readList, readText, wrongType } from "./read.ts"
import { type YamlMap, type YamlNode, type YamlScalar, parseYaml } from "./yaml.ts"

/** Names of ports, and where they stand. */
export type Ports = ReadonlyMap<string, YamlNode>

/** What a file says about its module. */
export type ModuleFile = {
  name: string
  /** Where its relative paths start. */
  dir: string
  required: Ports
  optional: Ports
  outputs: Ports
  /** Commands that come before those of its nodes. */
  build: YamlScalar | null
  nodes: readonly YamlNode[]
}

/**
 * Reads and checks the file of a module; what is wrong is noted.
 *
 * @param real  its path without symbolic links
 * @param shown  what positions call it
 * @param at  where a file that can't be read is reported
 */
export function readModuleFile(
  problems: Problems,
  real: string,
  shown: string,
  at: Span,
): ModuleFile | null {
  const text = readModule(real)
  if (typeof text !== "string") return refuse(problems, shown, at, text)
  const tree = parseYaml(problems, problems.add(shown, text.replace(/^\ufeff/, "")))
  if (tree?.kind === "map") return readRoot(problems, tree, dirname(real), shown)
  // What is no YAML has been told; an empty file has no place of its own.
  const wanted = "a mapping with `module` and `nodes`"
  if (tree) wrongType(problems, tree, "module file", wanted)
  else if (text.trim() === "") refuse(problems, shown, at, { message: "it is empty", hint: null })
  return null
}

function refuse(
  problems: Problems,
  shown: string,
  at: Span,
  { message, hint }: Pick<FileProblem, "message" | "hint">,
): null {
  problems.error("BAD_MODULE", at, `failed to read module file ${quote(shown)}: ${message}`, hint)
  return null
}

function readRoot(
  problems: Problems,
  root: YamlMap,
  dir: string,
  shown: string,
): ModuleFile | null {
  const where = `module file ${quote(shown)}`
  checkKeys(problems, root, ["module", "nodes", "build"], where)
  const header = field(problems, root, "module", where)
  const list = field(problems, root, "nodes", where)
  const nodes = list && readList(problems, list, "nodes")
  const build = optional(root, "build")
  if (build) readText(problems, build, "build")
  if (header && header.kind !== "map") {
    wrongType(problems, header, "module", "a mapping with `name`, `inputs` and `outputs`")
  }
  if (header?.kind !== "map" || !nodes) return null
  checkKeys(problems, header, ["name", "inputs", "inputs_optional", "outputs"], "`module`")
  const named = field(problems, header, "name", "`module`")
  const name = named && readText(problems, named, "name")
  if (name === null) return null
  const required = readPorts(problems, header, "inputs", name)
  const others = readPorts(problems, header, "inputs_optional", name)
  for (const [port, place] of others) {
    if (!required.has(port)) continue
    const message = `module ${quote(name)} input ${quote(port)} is declared as both required and optional`
    problems.error("DUPLICATE_PORT", place, message, () => firstUse(problems, required.get(port)!))
  }
  return {
    name,
    dir,
    required,
    optional: others,
    outputs: readPorts(problems, header, "outputs", name),
    build: build?.kind === "scalar" ? build : null,
    nodes: nodes.items,
  }
}

/** A field that must be there. */
function field(problems: Problems, map: YamlMap, name: string, where: string): YamlNode | null {
  const value = optional(map, name)
  if (value) return value
  const at = entryOf(map, name)?.key ?? map.entries[0]?.key ?? map
  problems.error("MISSING_FIELD", at, `missing field ${quote(name)} in ${where}`)
  return null
}

function readPorts(problems: Problems, header: YamlMap, kind: string, module: string): Ports {
  const value = optional(header, kind)
  if (!value) return new Map()
  return readIds(problems, value, kind, (port, item, before) => {
    const message = `module ${quote(module)} has duplicate ${quote(kind)} entry ${quote(port)}`
    problems.error("DUPLICATE_PORT", item, message, before)
  })
}
