// From a line that a node printed to a log record. Official nodes print the events of their tracing library as JSON, and
// hand on what Python's logging said inside of such an event.
import { LOG_LEVELS, type LogLevel, type LogRecord } from "../core/log.ts"

/** A line that is a JSON object with `level` and `timestamp` is a structured record, any other a plain print. */
export function recordOf(node: string, stream: "stdout" | "stderr", line: string): LogRecord {
  const value = line.startsWith("{") ? parsed(line) : null
  const level = levelOf(value?.level)
  const ts = typeof value?.timestamp === "string" ? new Date(value.timestamp) : null
  if (!value || !level || !ts || Number.isNaN(ts.getTime())) {
    return { ts: new Date().toISOString(), level: "stdout", node, stream, msg: line }
  }
  return { ts: value.timestamp as string, level, node, stream, ...contentOf(value) }
}

/** What was said: at the top in the log lines of nodes, among the fields in those of their tracing library. */
function contentOf(value: Record<string, unknown>): Pick<LogRecord, "msg" | "target" | "fields"> {
  const fields = textsOf(value.fields)
  const target = typeof value.target === "string" ? value.target : null
  if (typeof value.message === "string") return { msg: value.message, target, fields }
  if (fields?.message === undefined) return { msg: "", target, fields }
  const { message, ...rest } = fields
  if (!isFromPython(value)) return { msg: message, target, fields: orNull(rest) }
  const { target: logger, file: _file, line: _line, ...others } = rest
  return { msg: message, target: logger ?? target, fields: orNull(others) }
}

/** A record of Python's logging: its place in the source says little, and its logger stands among the fields. */
function isFromPython({ span }: Record<string, unknown>): boolean {
  const name = typeof span === "object" && span !== null && "name" in span ? span.name : ""
  return typeof name === "string" && name.startsWith("dora.python.log.")
}

function orNull(fields: Record<string, string>): Record<string, string> | null {
  return Object.keys(fields).length > 0 ? fields : null
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function levelOf(value: unknown): LogLevel | null {
  const text = typeof value === "string" ? value.toLowerCase() : ""
  return LOG_LEVELS.find((level) => level === text) ?? null
}

function textsOf(value: unknown): Record<string, string> | null {
  if (typeof value !== "object" || value === null) return null
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.map(([key, field]) => [key, typeof field === "string" ? field : JSON.stringify(field)]),
  )
}
