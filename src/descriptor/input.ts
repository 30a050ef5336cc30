import { dataIdProblem } from "../core/ids.ts"
import { DEFAULT_QUEUE_SIZE, MAX_RING_SLOTS, MAX_TIMER_NS } from "../core/limits.ts"
import { optional } from "./parts.ts"
import { type Problems, quote } from "./problems.ts"
import { checkSeconds } from "./quantity.ts"
import {
  checkKeys,
  entryOf,
  lastEntries,
  readChoice,
  readMap,
  readWhole,
  wrongType,
} from "./read.ts"
import { isNull, placeIn } from "./scalar.ts"
import { parseSource } from "./source.ts"
import type { InputSpec, Source } from "./types.ts"
import type { YamlEntry, YamlMap, YamlNode, YamlScalar } from "./yaml.ts"

/** An input, the text that names its source, and the operator that it belongs to, for the checks of the wiring. */
export type InputDraft = { spec: InputSpec; source: YamlScalar; operator: string | null }

const FIELDS = ["source", "queue_size", "queue_policy", "input_timeout"]

/** Reads the `inputs` of a node; what is wrong is noted and left out. */
export function readInputs(problems: Problems, value: YamlNode, node: string): InputDraft[] {
  const map = readMap(problems, value, "inputs")
  if (!map) return []
  return lastEntries(problems, map, "input").flatMap(
    (entry) => readInput(problems, entry, node) ?? [],
  )
}

function readInput(problems: Problems, entry: YamlEntry, node: string): InputDraft | null {
  const { key, value } = entry
  const bad = dataIdProblem(key.text)
  if (bad) problems.error("BAD_ID", key, bad)
  const options = value.kind === "map" ? value : null
  if (options) checkKeys(problems, options, FIELDS, `input ${quote(`${node}/${key.text}`)}`)
  const text = options ? sourceOf(problems, options, entry) : value
  const spec = {
    id: key.text,
    ...readQueue(problems, options),
    inputTimeout: readTimeout(problems, options, key.text, node),
    position: problems.position(key.start),
  }
  if (text === null) return null
  if (text.kind !== "scalar" || isNull(text)) {
    const hint = `write \`${quoteFree(key.text)}: <node>/<output>\``
    return wrongType(problems, text, key.text, "a source such as `node/output`", hint)
  }
  const source = readSource(problems, text)
  return source && !bad ? { spec: { ...spec, source }, source: text, operator: null } : null
}

function quoteFree(text: string): string {
  return text.slice(0, 40)
}

function sourceOf(problems: Problems, options: YamlMap, entry: YamlEntry): YamlNode | null {
  const source = entryOf(options, "source")
  if (source) return source.value
  const message = `missing field \`source\` in input ${quote(entry.key.text)}`
  problems.error("MISSING_FIELD", entry.key, message, "add `source: <node>/<output>`")
  return null
}

function readSource(problems: Problems, value: YamlScalar): Source | null {
  value.json = value.text
  const source = parseSource(value.text)
  if (!("kind" in source)) {
    const code = /^dora\/timer(\/|$)/.test(value.text) ? "BAD_TIMER" : "BAD_SOURCE"
    const at = placeIn(problems, value, source.at, source.length)
    problems.error(code, at, source.message, source.hint)
    return null
  }
  if (source.kind === "timer" && source.periodNs === MAX_TIMER_NS) {
    const message = "this timer ticks once at the start and then after 104 days at the earliest"
    problems.warn("SLOW_TIMER", value, message)
  }
  return source
}

function readQueue(problems: Problems, options: YamlMap | null) {
  const policy = option(options, "queue_policy")
  const choices = ["drop_oldest", "backpressure"] as const
  const chosen = policy && readChoice(problems, policy, "queue_policy", choices)
  return {
    queueSize: readQueueSize(problems, option(options, "queue_size")),
    queuePolicy: chosen ?? choices[0],
  }
}

function readQueueSize(problems: Problems, value: YamlNode | null): number {
  if (!value) return DEFAULT_QUEUE_SIZE
  const size = readWhole(problems, value, "queue_size")
  if (size === null) return DEFAULT_QUEUE_SIZE
  if (size === 0) {
    const message = "`queue_size: 0` is treated as 1: an input that holds nothing receives nothing"
    problems.warn("QUEUE_SIZE", value, message, "write `queue_size: 1`")
  }
  if (size > MAX_RING_SLOTS) {
    const message = `\`queue_size\` is limited to ${MAX_RING_SLOTS}`
    problems.warn("QUEUE_SIZE", value, message, `write \`queue_size: ${MAX_RING_SLOTS}\``)
  }
  return Math.min(Math.max(size, 1), MAX_RING_SLOTS)
}

function readTimeout(
  problems: Problems,
  options: YamlMap | null,
  input: string,
  node: string,
): number | null {
  const value = option(options, "input_timeout")
  const owner = `input ${quote(input)} of node ${quote(node)}`
  return value && checkSeconds(problems, value, "input_timeout", owner)
}

/** An option's value, or null when it is not given. */
function option(options: YamlMap | null, field: string): YamlNode | null {
  return options && optional(options, field)
}
