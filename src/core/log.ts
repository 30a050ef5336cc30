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
 * Does a filter let a record through? `stdout` lets everything through; plain prints pass only that filter.
 *
 * @example passes("warn", "info") // false
 */
export function passes(filter: LogLevel, level: LogLevel): boolean {
  if (filter === "stdout") return true
  if (level === "stdout") return false
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(filter)
}
