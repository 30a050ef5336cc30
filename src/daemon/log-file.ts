// The log file of a node: written at once, and begun anew when it is full.
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import type { LogSpec } from "../descriptor/types.ts"

/** `log_a.jsonl`, and the full ones before it as `log_a.1.jsonl`, the newest, `log_a.2.jsonl`, … */
export class LogFile implements Disposable {
  readonly #path: string
  readonly #maxBytes: number
  readonly #maxFiles: number
  readonly #warn: (message: string) => void
  #fd: number | null
  #bytes: number

  constructor(
    path: string,
    { maxBytes, maxFiles }: Pick<LogSpec, "maxBytes" | "maxFiles">,
    warn: (message: string) => void,
  ) {
    this.#path = path
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.#maxFiles = maxFiles
    this.#warn = warn
    this.#fd = openSync(path, "a")
    this.#bytes = fstatSync(this.#fd).size
  }

  /** At once: what a node said before a crash of ours must be there afterwards, and nothing may pile up. */
  write(text: string): void {
    if (this.#fd === null) return
    try {
      this.#bytes += writeSync(this.#fd, text)
      if (this.#bytes >= this.#maxBytes) this.#rotate()
    } catch (cause) {
      this[Symbol.dispose]()
      this.#warn(`${this.#path} can't be written any more: ${cause}`)
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #rotate(): void {
    this[Symbol.dispose]()
    rmSync(this.#full(this.#maxFiles), { force: true })
    for (let i = this.#maxFiles - 1; i >= 0; i--) {
      try {
        renameSync(this.#full(i), this.#full(i + 1))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
      }
    }
    this.#fd = openSync(this.#path, "a")
    this.#bytes = 0
  }

  /** 0: the one that is written. */
  #full(i: number): string {
    return i === 0 ? this.#path : this.#path.replace(/\.jsonl$/, `.${i}.jsonl`)
  }
}
