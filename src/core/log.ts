/** Levels of a log line; `stdout` is what a node printed without a level of its own. */
export const LOG_LEVELS = ["error", "warn", "info", "debug", "trace", "stdout"] as const
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One line of a node or of the daemon (`node: null`). */
export type LogRecord = {
  /** RFC 3339 time in UTC. */
  ts: string
  level: LogLevel
  node: string | null
  stream: "stdout" | "stderr" | "dora"
  msg: string
  target?: string | null
  fields?: Record<string, string> | null
}

/**
 * A record as a `dora/logs` input gets it: official names and spellings, and beside them what only we know.
 *
 * @example logMessage(record, dataflow) // {"node_id":"camera","level":"WARN","message":"hot",…}
 */
export function logMessage(record: LogRecord, dataflow: string): string {
  const { ts, level, node, stream, msg, target = null, fields = null } = record
  const place = { target, module_path: null, file: null, line: null }
  return JSON.stringify({
    build_id: null,
    dataflow_id: dataflow,
    node_id: node,
    daemon_id: null,
    level: level === "stdout" ? level : level.toUpperCase(),
    ...place,
    message: msg,
    timestamp: ts,
    fields,
    stream,
  })
}

/**
 * Does a filter let a record through? `stdout` lets everything through; plain prints pass only that filter.
 *
 * @example passes("warn", "info") // false
 */
export function passes(filter: LogLevel, level: LogLevel): boolean {
  if (filter === "stdout") return true
  if (level === "stdout") return false
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(filter)
}
