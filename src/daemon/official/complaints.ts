import type { RelayReport } from "./messages.ts"

/** What is wrong with the messages of one node, without a flood of lines. */
export class Complaints {
  readonly #node: string
  readonly #warn: (message: string) => void
  readonly #counts = new Map<string, number>()

  constructor(node: string, report: (report: RelayReport) => void) {
    this.#node = node
    this.#warn = (message) => report({ type: "warn", message })
  }

  /** A message can't be passed on. Those of the same place are counted, and told at each power of ten. */
  leftOut(kind: "input" | "output", id: string, error: Error): void {
    const count = this.#count(`${kind} ${id}`)
    if (!Number.isInteger(Math.log10(count))) return
    const so = count > 1 ? ` (${count} so far)` : ""
    const place = `node ${this.#node}, ${kind} \`${id}\``
    this.#warn(`${place}: a message is left out${so}: ${error.message}`)
  }

  /** What comes for an input loses something on the way. */
  loses(input: string, error: Error): void {
    if (this.#count(`loss ${input}`) === 1) this.#warn(`node ${this.#node}: ${error.message}`)
  }

  #count(what: string): number {
    const count = (this.#counts.get(what) ?? 0) + 1
    this.#counts.set(what, count)
    return count
  }
}
