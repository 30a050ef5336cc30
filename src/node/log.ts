import type { LogLevel } from "../core/log.ts"

/** Extra values of a log line, shown and stored as text. */
export type LogFields = Record<string, unknown>

/**
 * Writes log lines that the daemon understands: JSON in dora's form when it listens, plain text otherwise.
 *
 * @example node.log.info("model loaded", { parameters: 12_000_000 })
 */
export class Log {
  readonly #node: string
  readonly #structured: boolean
  readonly #target: string
  readonly #print: (line: string) => void

  /** @internal */
  constructor(node: string, structured: boolean, target = "dora-bun", print = console.log) {
    this.#node = node
    this.#target = target
    this.#print = print
    this.#structured = structured
  }

  error(message: string, fields?: LogFields): void {
    this.write("error", message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.write("warn", message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.write("info", message, fields)
  }

  debug(message: string, fields?: LogFields): void {
    this.write("debug", message, fields)
  }

  trace(message: string, fields?: LogFields): void {
    this.write("trace", message, fields)
  }

  /** Writes one line at a level. */
  write(level: Exclude<LogLevel, "stdout">, message: string, fields: LogFields = {}): void {
    const texts = Object.entries(fields).map(([key, value]) => [key, textOf(value)] as const)
    if (!this.#structured) {
      const extra = texts.map(([key, value]) => ` ${key}=${value}`).join("")
      this.#print(`${level.toUpperCase()} ${this.#node}: ${message}${extra}`)
      return
    }
    const record = {
      level: level.toUpperCase(),
      timestamp: new Date().toISOString(),
      node_id: this.#node,
      target: this.#target,
      message,
      fields: Object.fromEntries(texts),
    }
    this.#print(JSON.stringify(record))
  }
}

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? Bun.inspect(value) : String(value)
}
