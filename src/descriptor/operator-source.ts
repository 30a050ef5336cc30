// Where an operator's code is: exactly one of a few fields says it.
import { statSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import type { OperatorKind } from "../core/operator.ts"
import type { Surroundings } from "./node.ts"
import { optional } from "./parts.ts"
import { type Problems, type Span, quote, quoteList } from "./problems.ts"
import { didYouMean, givenOf, readBoolean, readText } from "./read.ts"
import type { OperatorSpec } from "./types.ts"
import type { YamlEntry, YamlMap, YamlNode } from "./yaml.ts"

const SOURCES = {
  "shared-library": "shared-library",
  typescript: "module",
  module: "module",
  wasm: "wasm",
  python: "python",
} as const satisfies Record<string, OperatorKind>
type SourceKey = keyof typeof SOURCES
const PYTHON_FIELDS = ["source", "conda_env"]
const SOURCE_KEYS = Object.keys(SOURCES) as SourceKey[]

const NAMES: Record<OperatorKind, string> = {
  "shared-library": "shared library",
  module: "module",
  wasm: "WebAssembly module",
  python: "Python file",
}

/** The fields of an operator that name its code, in the order of the file. */
export function sourcesOf(map: YamlMap): YamlEntry[] {
  const found = SOURCE_KEYS.flatMap((key) => givenOf(map, key) ?? [])
  return found.toSorted((a, b) => a.key.start - b.key.start)
}

/** The one source of an operator; null when it has none that can be loaded. */
export function readSource(
  world: Surroundings,
  map: YamlMap,
  owner: string,
  isBuilt: boolean,
): Pick<OperatorSpec, "kind" | "path" | "condaEnv" | "position"> | null {
  const { problems } = world
  const [first, second] = sourcesOf(map)
  if (!first) {
    const message = `${owner} has no source`
    const hint = `add one of ${quoteList(SOURCE_KEYS)}`
    problems.error("MISSING_SOURCE", map.entries[0]?.key ?? map, message, hint)
    return null
  }
  if (second) {
    const message = `${owner} has two sources, ${quote(first.key.text)} and ${quote(second.key.text)}`
    problems.error("EXCLUSIVE_FIELDS", second.key, message, "keep one of them")
    return null
  }
  const { key, value } = first
  const kind = SOURCES[key.text as SourceKey]
  const threads = optional(map, "threads")
  if (kind === "shared-library" && threads && readBoolean(problems, threads, "threads")) {
    const message = `${owner}: a shared library can't have a thread of its own in a process of others`
    problems.error("UNSUPPORTED_OPERATOR", threads, message, "give it a node of its own")
    return null
  }
  const named =
    kind === "python" ? readPython(problems, value, owner) : { file: value, conda: null }
  if (named === null) return null
  const file = readFile(world, named.file, key.text, kind, owner)
  if (file === null) return null
  if (!isBuilt && !isFile(file)) {
    const message = `${owner}: no ${NAMES[kind]} at ${quote(file)}`
    const hint = "build it before the dataflow is run, or add `build`"
    problems.warn("MISSING_PROGRAM", named.file, message, hint)
  }
  const position = problems.position(named.file.start)
  return { kind, path: file, condaEnv: named.conda, position }
}

/** The file of a Python operator, alone or with the environment that conda runs it in. */
function readPython(
  problems: Problems,
  value: YamlNode,
  owner: string,
): { file: YamlNode; conda: string | null } | null {
  if (value.kind !== "map") return { file: value, conda: null }
  // The official dora takes no notice of others.
  for (const { key } of value.entries) {
    if (PYTHON_FIELDS.includes(key.text)) continue
    const message = `unknown field ${quote(key.text)} in \`python\` of ${owner} has no effect`
    problems.warn("UNKNOWN_FIELD", key, message, () => didYouMean(key.text, PYTHON_FIELDS))
  }
  const file = optional(value, "source")
  if (!file) {
    const message = `missing field \`source\` in \`python\` of ${owner}`
    problems.error("MISSING_FIELD", value, message, "add `source: <file>`")
    return null
  }
  const conda = optional(value, "conda_env")
  return { file, conda: conda ? readText(problems, conda, "conda_env") : null }
}

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
