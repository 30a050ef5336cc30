import { CALL_BITS, CALL_WORD, CALLS_WORD } from "../shm/layout.ts"
import type { Inbox } from "../shm/segment.ts"

/**
 * Who is being called, in memory that outlives this process: after a crash the daemon reads there which operator it was, and
 * while a call lasts it sees which one does not return.
 */
export class CallRecord {
  readonly #words: Int32Array

  constructor(inbox: Inbox) {
    this.#words = inbox.words
  }

  /** @param step  CALL_LOAD, CALL_INIT, CALL_EVENT or CALL_DROP */
  enter(operator: number, step: number): void {
    const words = this.#words
    words[CALL_WORD] = ((operator + 1) << CALL_BITS) | step
    words[CALLS_WORD] = (words[CALLS_WORD]! + 1) | 0
  }

  /** Index of the operator that is being called; −1: nobody is. */
  get current(): number {
    return (this.#words[CALL_WORD]! >> CALL_BITS) - 1
  }

  /** Back in the runtime. */
  leave(): void {
    this.#words[CALL_WORD] = 0
  }
}
