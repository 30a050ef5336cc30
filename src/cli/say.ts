// What the command itself has to say goes to stderr, so that stdout carries only what the user asked for.
import { createConsola, type LogObject, type LogType } from "consola/core"
import { painter, type Style, wantsColor } from "./color.ts"

const LABELS: Partial<Record<LogType, [label: string, style: Style]>> = {
  error: ["error:", "red"],
  fatal: ["error:", "red"],
  warn: ["warning:", "yellow"],
  success: ["[dora]", "green"],
}

/**
 * Messages of the command line, with a label that says how serious they are.
 *
 * @example say.warn("`wait` is ignored here")
 */
export const say = createConsola({ reporters: [{ log: print }] })

function print(entry: LogObject): void {
  const [label, style] = LABELS[entry.type] ?? ["[dora]", "dim"]
  const paint = painter(wantsColor(process.stderr))
  process.stderr.write(`${paint(style, label)} ${entry.args.map(String).join(" ")}\n`)
}
