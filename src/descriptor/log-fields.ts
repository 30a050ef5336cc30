// What a node, or an operator for its node, says about the lines that it prints.
import { dataIdProblem } from "../core/ids.ts"
import { LOG_LEVELS, type LogLevel } from "../core/log.ts"
import type { Problems } from "./problems.ts"
import { checkByteSize } from "./quantity.ts"
import { readText, readWhole } from "./read.ts"
import type { LogSpec, OutputSpec } from "./types.ts"
import type { YamlNode } from "./yaml.ts"

/** Fields that {@link readLogFields} reads; of the operators of a node one may have each. */
export const LOG_FIELDS = [
  "send_stdout_as",
  "send_logs_as",
  "min_log_level",
  "max_log_size",
  "max_rotated_files",
]

const MAX_FILES = 100
const DEFAULT_FILES = 5

/** What has been said. */
export type LogDraft = { [K in keyof LogSpec]: LogSpec[K] | null }

/**
 * Reads the fields.
 *
 * @param field    the value of a field, null when absent
 * @param outputs  by the names that the dataflow knows them by
 * @param prefix   of those names, for an operator: "op/"
 */
export function readLogFields(
  problems: Problems,
  field: (key: string) => YamlNode | null,
  outputs: ReadonlyMap<string, OutputSpec>,
  prefix = "",
): LogDraft {
  const size = field("max_log_size")
  return {
    minLevel: readLogLevel(problems, field("min_log_level")),
    stdoutAs: readOutput(problems, field("send_stdout_as"), "send_stdout_as", outputs, prefix),
    recordsAs: readOutput(problems, field("send_logs_as"), "send_logs_as", outputs, prefix),
    maxBytes: size && checkByteSize(problems, size, "max_log_size"),
    maxFiles: readFiles(problems, field("max_rotated_files")),
  }
}

/** What counts: the first that was said, else what holds for who says nothing. */
export function logSpec(...drafts: LogDraft[]): LogSpec {
  const first = <K extends keyof LogSpec>(key: K): LogSpec[K] | null => {
    for (const draft of drafts) if (draft[key] !== null) return draft[key]
    return null
  }
  return {
    minLevel: first("minLevel"),
    stdoutAs: first("stdoutAs"),
    recordsAs: first("recordsAs"),
    maxBytes: first("maxBytes"),
    maxFiles: first("maxFiles") ?? DEFAULT_FILES,
  }
}

function readLogLevel(problems: Problems, value: YamlNode | null): LogLevel | null {
  const text = value && readText(problems, value, "min_log_level")
  if (text === null || value === null) return null
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase())
  if (level) return level
  const message = `invalid min_log_level: '${text.slice(0, 80)}', expected one of: ${LOG_LEVELS.join(", ")}`
  problems.error("BAD_VALUE", value, message, text === "warning" ? "did you mean `warn`?" : null)
  return null
}

function readOutput(
  problems: Problems,
  value: YamlNode | null,
  field: string,
  outputs: ReadonlyMap<string, OutputSpec>,
  prefix: string,
): string | null {
  const name = value && readText(problems, value, field)
  if (name === null || value === null) return null
  const bad = dataIdProblem(name)
  if (bad) {
    problems.error("BAD_ID", value, `\`${field}: ${name}\` is not a valid output id: ${bad}`)
    return null
  }
  if (outputs.has(prefix + name)) return prefix + name
  const message = `\`${field}: ${name}\` names no output, so nobody can read it`
  problems.warn("UNDECLARED_OUTPUT", value, message, `add \`${name}\` to \`outputs\``)
  return null
}

function readFiles(problems: Problems, value: YamlNode | null): number | null {
  const count = value && readWhole(problems, value, "max_rotated_files", 2n ** 32n - 1n)
  if (count === null || value === null || count <= MAX_FILES) return count
  problems.error("BAD_VALUE", value, `\`max_rotated_files\` must not exceed ${MAX_FILES}`)
  return null
}
