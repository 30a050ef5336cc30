// Log lines of the nodes: made structured, filtered, written to a file by node, passed on. Section 4.9 of the protocol
// reference.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DoraError } from "../core/errors.ts"
import { STDERR_TAIL_CHARS, STDERR_TAIL_LINES } from "../core/limits.ts"
import { type LogLevel, type LogRecord, passes } from "../core/log.ts"
import type { LogSpec } from "../descriptor/types.ts"
import { LogFile } from "./log-file.ts"
import { recordOf } from "./log-record.ts"

/** The log files of a dataflow can't be made. */
export class LogDirectoryError extends DoraError {
  constructor(directory: string, cause: unknown) {
    super("LOG_DIRECTORY", {
      what: `can't write log files to ${directory}`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: "make the directory writable, or choose another one",
      cause,
    })
  }
}

/** Where the lines of a dataflow go. */
export class Logs implements Disposable {
  /** Directory of the log files. */
  readonly directory: string
  readonly #emit: (record: LogRecord) => void
  readonly #files: NodeLog[] = []

  /**
   * @param directory  made when it is missing
   * @param emit       gets every record that passed its node's filter, and those of the daemon
   * @throws LogDirectoryError
   */
  constructor(directory: string, emit: (record: LogRecord) => void) {
    try {
      mkdirSync(directory, { recursive: true })
    } catch (cause) {
      throw new LogDirectoryError(directory, cause)
    }
    this.directory = directory
    this.#emit = emit
  }

  /** The log of a node. */
  node(node: string, spec: LogSpec): NodeLog {
    const path = join(this.directory, `log_${node}.jsonl`)
    const file = new LogFile(path, spec, (message) => this.say("warn", message))
    const log = new NodeLog(node, file, spec.minLevel ?? "stdout", this.#emit)
    this.#files.push(log)
    return log
  }

  /** A line of the daemon itself. */
  say(level: LogLevel, msg: string): void {
    this.#emit({ ts: new Date().toISOString(), level, node: null, stream: "dora", msg })
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const file of this.#files) file[Symbol.dispose]()
  }
}

/** The log of one node, and the end of its stderr for a failure report. */
export class NodeLog implements Disposable {
  /** Last lines of stderr of the newest process, without colours. */
  readonly stderrTail: string[] = []
  readonly #node: string
  readonly #minLevel: LogLevel
  readonly #emit: (record: LogRecord) => void
  readonly #file: LogFile

  constructor(node: string, file: LogFile, minLevel: LogLevel, emit: (record: LogRecord) => void) {
    this.#node = node
    this.#file = file
    this.#minLevel = minLevel
    this.#emit = emit
  }

  /** Another process begins, for its build or of the node itself: what was said before says nothing about its end. */
  begin(): void {
    this.stderrTail.length = 0
  }

  /** One line that the node printed. @returns what it is to others; null when its level is too low */
  line(stream: "stdout" | "stderr", text: string): LogRecord | null {
    const record = recordOf(this.#node, stream, text)
    if (stream === "stderr") this.#remember(record.msg)
    if (!passes(this.#minLevel, record.level)) return null
    this.#file.write(`${JSON.stringify(inOrder(record))}\n`)
    this.#emit(record)
    return record
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }

  #remember(line: string): void {
    this.stderrTail.push(Bun.stripANSI(line).slice(0, STDERR_TAIL_CHARS))
    if (this.stderrTail.length > STDERR_TAIL_LINES) this.stderrTail.shift()
  }
}

function inOrder(record: LogRecord) {
  const { ts, level, node, stream, msg, target = null, fields = null } = record
  return { ts, level, node, stream, msg, target, fields }
}
