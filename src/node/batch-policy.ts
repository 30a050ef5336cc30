// A node that takes a flood of messages sleeps each time its queues are empty, and every wake-up takes a core away from who
// sends, after one message. As a batch process it is woken all the same, and gets its turn when a core is free.
// docs/adr/0004-waiting.md.
import { POLICY_WORD, QUEUE_SIZE_WORD, TAKEN_WORD } from "../shm/layout.ts"
import { setBatch } from "../shm/libc.ts"

/** One judgement in so many sleeps, or after so long. */
const SLEEPS = 32
const LONG_NS = 50e6
/** It is a flood from so many sleeps a second on, with so many messages between them, … */
const FLOOD_SLEEPS = 1000
const FLOOD_MESSAGES = 8
/** … but no more than this share of a queue: else who sends gets on well as it is. */
const FLOOD_SHARE = 0.25
/** It is over when fewer than so many messages come in a second. */
const TRICKLE = 8000

/** Decides for one node, from what it has taken between two sleeps. */
export class BatchPolicy {
  readonly #words: Int32Array
  /** Where the headers of its lossless rings are: of others a late turn would cost messages. */
  readonly #rings: readonly number[]
  /** Slots of the longest. */
  readonly #queue: number
  readonly #set: (batch: boolean) => boolean
  #batch = false
  #sleeps = 0
  #sinceNs = 0
  #taken = 0

  /**
   * @param words  of the node's inbox
   * @param rings  its inputs: byte offsets into the inbox
   * @param set    changes the scheduling of this thread; false when it can't
   */
  constructor(words: Int32Array, rings: readonly number[], set = setBatch) {
    this.#words = words
    this.#rings = rings.map((ring) => ring >> 2).filter((base) => words[base + POLICY_WORD] === 1)
    this.#queue = Math.max(0, ...this.#rings.map((base) => words[base + QUEUE_SIZE_WORD]!))
    this.#set = set
  }

  /** Has the node inputs that may be flooded? Without them there is nothing to decide. */
  get applies(): boolean {
    return this.#rings.length > 0
  }

  /** The node is about to sleep. */
  sleeps(nowNs: number): void {
    const ns = nowNs - this.#sinceNs
    if (++this.#sleeps < SLEEPS && ns < LONG_NS) return
    const before = this.#taken
    this.#taken = 0
    for (const base of this.#rings)
      this.#taken = (this.#taken + this.#words[base + TAKEN_WORD]!) | 0
    const messages = (this.#taken - before) >>> 0
    const batch = this.#batch ? messages / ns >= TRICKLE / 1e9 : this.#isFlood(messages, ns)
    if (batch !== this.#batch && this.#set(batch)) this.#batch = batch
    this.#sleeps = 0
    this.#sinceNs = nowNs
  }

  #isFlood(messages: number, ns: number): boolean {
    const each = messages / this.#sleeps
    if (each < FLOOD_MESSAGES || each > FLOOD_SHARE * this.#queue) return false
    return this.#sleeps / ns >= FLOOD_SLEEPS / 1e9
  }
}
