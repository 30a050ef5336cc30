// How a log record looks on the screen. Files always hold the JSON form (docs/cli.md).
import type { LogRecord } from "../core/log.ts"
import { NODE_STYLES, type Paint, painter, type Style } from "./color.ts"

/** `pretty` for people, `compact` without time and level, `json` for programs. */
export const LOG_FORMATS = ["pretty", "json", "compact"] as const
/** One of {@link LOG_FORMATS}. */
export type LogFormat = (typeof LOG_FORMATS)[number]

const LEVEL_STYLES: Partial<Record<LogRecord["level"], Style>> = {
  error: "red",
  warn: "yellow",
  debug: "dim",
  trace: "dim",
}

/**
 * A function that turns log records into lines; it remembers which node has which colour.
 *
 * @example logLines("pretty", false)(record) // "12:00:01 INFO   camera: started"
 */
export function logLines(format: LogFormat, color: boolean): (record: LogRecord) => string {
  if (format === "json") return (record) => JSON.stringify(record)
  const paint = painter(color)
  const styles = new Map<string, Style>()
  return (record) => {
    const who = speaker(record, paint, styles)
    // Without colour a node's own colours would only be noise in a file or pipe.
    const text = color ? record.msg : Bun.stripANSI(record.msg)
    const said = `${who} ${text}${fieldText(record, paint)}`
    return format === "compact" ? said : `${clock(record.ts)} ${level(record.level, paint)} ${said}`
  }
}

function speaker(record: LogRecord, paint: Paint, styles: Map<string, Style>): string {
  const { node, target } = record
  if (node === null) return paint("dim", "[dora]")
  const style = styles.get(node) ?? NODE_STYLES[styles.size % NODE_STYLES.length]!
  styles.set(node, style)
  // An operator names itself as the target of its lines.
  return paint(style, `${target?.startsWith(`${node}/`) ? target : node}:`)
}

function level(name: LogRecord["level"], paint: Paint): string {
  const text = name.toUpperCase().padEnd("STDOUT".length)
  const style = LEVEL_STYLES[name]
  return style ? paint(style, text) : text
}

function fieldText(record: LogRecord, paint: Paint): string {
  const fields = Object.entries(record.fields ?? {})
  return fields.map(([key, value]) => ` ${paint("dim", `${key}=`)}${value}`).join("")
}

/** Local wall time, as the person at the terminal reads it. */
function clock(ts: string): string {
  const time = new Date(ts)
  if (Number.isNaN(time.getTime())) return "--:--:--"
  const two = (value: number) => String(value).padStart(2, "0")
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}
