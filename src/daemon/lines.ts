import { MAX_LOG_LINE_BYTES } from "../core/limits.ts"

const NEWLINE = 10
const decoder = new TextDecoder()

/**
 * Cuts a byte stream into lines of text. A line beyond the limit is cut and says so; bytes that are no UTF-8 become
 * U+FFFD.
 *
 * @example const lines = new LineSplitter(print); lines.push(chunk); lines.end()
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  readonly #limit: number
  #parts: Uint8Array[] = []
  #kept = 0
  #lost = 0

  /** @param limit  bytes of the longest line */
  constructor(onLine: (line: string) => void, limit = MAX_LOG_LINE_BYTES) {
    this.#onLine = onLine
    this.#limit = limit
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    let from = 0
    for (;;) {
      const to = chunk.indexOf(NEWLINE, from)
      if (to < 0) break
      this.#keep(chunk.subarray(from, to))
      this.#emit()
      from = to + 1
    }
    // The chunk may be reused by its owner.
    if (from < chunk.byteLength) this.#keep(chunk.slice(from))
  }

  /** The stream is over: what is left is a line. */
  end(): void {
    if (this.#kept > 0 || this.#lost > 0) this.#emit()
  }

  #keep(part: Uint8Array): void {
    const room = this.#limit - this.#kept
    const kept = part.byteLength <= room ? part : part.subarray(0, room)
    this.#lost += part.byteLength - kept.byteLength
    if (kept.byteLength === 0) return
    this.#parts.push(kept)
    this.#kept += kept.byteLength
  }

  #emit(): void {
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    const text = decoder.decode(bytes)
    const mark = this.#lost > 0 ? ` … (${this.#lost} bytes cut)` : ""
    this.#parts = []
    this.#kept = 0
    this.#lost = 0
    this.#onLine((text.endsWith("\r") ? text.slice(0, -1) : text) + mark)
  }
}
