import type { FlowClock } from "./clock.ts"
import { bucketOf } from "./histogram.ts"
import { HEAD_WORD, LATENCIES_WORD, START_FLOAT, TAIL_WORD, TAKEN_WORD } from "./layout.ts"
import type { Inbox } from "./segment.ts"

/** A timer input: due at start + k · period without drift; what was missed is skipped and counted as dropped. */
export class TimerRing {
  readonly periodNs: number
  readonly #inbox: Inbox
  readonly #base: number
  readonly #clock: FlowClock
  #startNs = 0
  #next = 0

  /** @param ring  byte offset of the timer's header in the inbox: it has counters and no slots */
  constructor(inbox: Inbox, ring: number, periodNs: number, clock: FlowClock) {
    this.#inbox = inbox
    this.#base = ring >> 2
    this.periodNs = periodNs
    this.#clock = clock
  }

  /** When the next tick is due, in monotonic nanoseconds; Infinity before the start. */
  get dueNs(): number {
    if (this.#startNs === 0) this.#readStart()
    return this.#startNs === 0
      ? Number.POSITIVE_INFINITY
      : this.#startNs + this.#next * this.periodNs
  }

  /** Takes a tick if one is due at `nowNs`. */
  take(nowNs: number): boolean {
    if (nowNs < this.dueNs) return false
    const due = Math.floor((nowNs - this.#startNs) / this.periodNs)
    this.#inbox.words[this.#base + LATENCIES_WORD + bucketOf(nowNs - this.dueNs)]!++
    this.#count(due - this.#next)
    this.#next = due + 1
    return true
  }

  /** Reads what the next tick needs. @returns something made of it */
  warm(): number {
    const { words } = this.#inbox
    const base = this.#base
    return (
      this.dueNs +
      words[base + HEAD_WORD]! +
      words[base + TAIL_WORD]! +
      words[base + LATENCIES_WORD]!
    )
  }

  #count(skipped: number): void {
    const { words } = this.#inbox
    const add = (word: number, n: number) => {
      words[this.#base + word] = (words[this.#base + word]! + n) | 0
    }
    add(TAKEN_WORD, 1)
    add(TAIL_WORD, skipped + 1)
    add(HEAD_WORD, skipped + 1)
  }

  /** A node that was started later does not make up for the ticks before its time. */
  #readStart(): void {
    const start = this.#inbox.floats[START_FLOAT]!
    if (start === 0) return
    this.#startNs = start
    const missed = Math.floor((this.#clock.nowNs() - start) / this.periodNs)
    this.#next = Math.max(0, missed)
  }
}
