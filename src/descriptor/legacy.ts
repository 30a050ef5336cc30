// Spellings of older dora versions, rewritten to today's before anything else looks at them.
import { type Problems, quote, quoteList } from "./problems.ts"
import { entryOf } from "./read.ts"
import type { YamlEntry, YamlMap } from "./yaml.ts"

/** Old names inside `custom`, and what they are called at node level. */
const CUSTOM: Readonly<Record<string, string>> = {
  source: "path",
  path: "path",
  args: "args",
  build: "build",
  envs: "env",
  env: "env",
  inputs: "inputs",
  outputs: "outputs",
  send_stdout_as: "send_stdout_as",
}

/** Rewrites a node of dora 0.1 to 0.5. */
export function modernizeNode(problems: Problems, map: YamlMap): void {
  map.entries = map.entries.flatMap((entry) => {
    if (entry.key.text === "custom") return liftCustom(problems, map, entry)
    if (entry.key.text === "source") return rename(problems, map, entry, "path")
    if (entry.key.text === "_unstable_deploy") return rename(problems, map, entry, "deploy")
    return entry
  })
}

/** Rewrites an operator of the first documents. */
export function modernizeOperator(problems: Problems, map: YamlMap): void {
  map.entries = map.entries.map((entry) => {
    const isOld = entry.key.text === "shared_library"
    return isOld ? rename(problems, map, entry, "shared-library") : entry
  })
}

/** Rewrites the root of a dataflow of dora 0.1 to 0.5. */
export function modernizeRoot(problems: Problems, map: YamlMap): void {
  map.entries = map.entries.flatMap((entry) => {
    const name = entry.key.text
    if (name === "_unstable_deploy") return rename(problems, map, entry, "deploy")
    if (name === "_unstable_debug") return renameDebug(problems, map, entry)
    if (name !== "communication" && name !== "daemon_config") return entry
    problems.warn("LEGACY_FIELD", entry.key, `${quote(name)} has no effect any more`, "remove it")
    return []
  })
}

function rename(problems: Problems, map: YamlMap, entry: YamlEntry, to: string): YamlEntry {
  // Both spellings: left alone, so that the old one is reported as unknown.
  if (entryOf(map, to)) return entry
  const old = entry.key.text
  const message = `${quote(old)} is the old spelling of ${quote(to)}`
  problems.warn("LEGACY_FIELD", entry.key, message, `write ${quote(to)}`)
  return { key: { ...entry.key, text: to }, value: entry.value }
}

function renameDebug(problems: Problems, map: YamlMap, entry: YamlEntry): YamlEntry {
  const { value } = entry
  const renamed = rename(problems, map, entry, "debug")
  if (renamed === entry || value.kind !== "map") return renamed
  const entries = value.entries.map(({ key, value: inner }) => {
    const isOld = key.text === "publish_all_messages_to_zenoh"
    return { key: isOld ? { ...key, text: "enable_debug_inspection" } : key, value: inner }
  })
  return { key: renamed.key, value: { ...value, entries } }
}

function liftCustom(problems: Problems, map: YamlMap, entry: YamlEntry): YamlEntry[] {
  const { key, value } = entry
  if (value.kind !== "map") return [entry]
  const renamed = value.entries.filter((inner) => CUSTOM[inner.key.text] !== inner.key.text)
  const known = renamed.filter((inner) => Object.hasOwn(CUSTOM, inner.key.text))
  const changes = known.map(
    (inner) => `${quote(inner.key.text)} is now ${quote(CUSTOM[inner.key.text]!)}`,
  )
  const hint = ["move its fields to the node itself", ...changes].join("; ")
  const names = quoteList(value.entries.map((inner) => inner.key.text))
  problems.warn(
    "LEGACY_FIELD",
    key,
    `\`custom\` is the old place of ${names || "a node's fields"}`,
    hint,
  )
  return value.entries.flatMap((inner) => {
    const to = Object.hasOwn(CUSTOM, inner.key.text) ? CUSTOM[inner.key.text]! : inner.key.text
    return entryOf(map, to)
      ? liftTwice(problems, inner, to)
      : { ...inner, key: { ...inner.key, text: to } }
  })
}

function liftTwice(problems: Problems, inner: YamlEntry, to: string): [] {
  const message = `${quote(inner.key.text)} in \`custom\`, and ${quote(to)} in the node itself`
  problems.error("DUPLICATE_KEY", inner.key, message, "keep one of them")
  return []
}
