// Where a node's events come from: the rings of its inbox, and its timers.
import { bucketOf, depthBucketOf } from "../shm/histogram.ts"
import type { FlowClock } from "../shm/clock.ts"
import {
  CLOSED_WORD,
  DEPTHS_WORD,
  HEAD_WORD,
  LATENCIES_WORD,
  START_FLOAT,
  TAIL_WORD,
  TAKEN_WORD,
} from "../shm/layout.ts"
import type { InputPlan } from "../shm/plan.ts"
import { EdgeReader } from "../shm/reader.ts"
import type { Inbox } from "../shm/segment.ts"
import { InputEvent, type InputSource, type Template } from "./event.ts"

const MAX_TEMPLATES = 64
/** Latency and queue are sampled for every message, or one in so many of a fast stream. */
const SAMPLE_FAST = 16
const FAST_GAP_NS = 5000

/** Where messages of one input come from. */
export interface Port {
  readonly id: string
  /** INPUT_CLOSED was delivered. */
  closed: boolean
  /** Does this input end some day? */
  readonly isData: boolean
  /** The next message, or null. @throws EdgePoisonedError */
  take(arrived?: boolean): InputEvent | null
  /** A quick look: is there a message? */
  arrived(): boolean
  /** Is there something to do? Looks with fresh loads. */
  pending(): boolean
  /** Has the input ended, and was everything taken? */
  finished(): boolean
}

/** An input that is fed through a ring. */
export class RingPort implements InputSource, Port {
  readonly id: string
  readonly plan: InputPlan
  readonly reader: EdgeReader
  closed = false
  readonly #clock: FlowClock
  readonly #released: (event: InputEvent) => void
  readonly #templates = new Map<number, Template>()
  #untilSample = 0
  #sampledNs = 0
  #stride = 1

  constructor(
    inbox: Inbox,
    plan: InputPlan,
    pid: number,
    clock: FlowClock,
    released: (event: InputEvent) => void,
  ) {
    this.id = plan.id
    this.plan = plan
    this.reader = new EdgeReader(inbox, plan, pid)
    this.#clock = clock
    this.#released = released
  }

  /** Logs never end. */
  get isData(): boolean {
    return this.plan.producer !== null
  }

  take(arrived = false): InputEvent | null {
    const { reader } = this
    if (!reader.take(arrived)) return null
    this.#clock.observe(reader.seconds, reader.fraction)
    if (this.#untilSample-- <= 0) this.#sample()
    return new InputEvent(this, reader)
  }

  arrived(): boolean {
    return this.reader.ring.arrived()
  }

  finished(): boolean {
    return this.reader.ring.checkEnd()
  }

  pending(): boolean {
    if (this.closed) return false
    const { ring } = this.reader
    return ring.ready() || Atomics.load(ring.words, ring.base + CLOSED_WORD) === 1
  }

  template(number: number): Template | null {
    return this.#templates.get(number) ?? null
  }

  learn(number: number, template: Template): void {
    if (this.#templates.size >= MAX_TEMPLATES) return
    this.#templates.set(number, template)
    const { simple, headerLength } = template.layout
    if (simple === null || simple.offset !== headerLength) return
    this.reader.learn(number, simple.array, simple.offset, simple.length)
  }

  released(event: InputEvent): void {
    this.#released(event)
  }

  /** Counts how long the message was under way, and the queue. Reading the clock costs, so a fast stream is sampled. */
  #sample(): void {
    const now = this.#clock.nowNs()
    const { seconds, fraction, ring } = this.reader
    const { words, base } = ring
    const latency = now - this.#clock.monotonicNs(seconds, fraction)
    words[base + LATENCIES_WORD + bucketOf(latency)]!++
    words[base + DEPTHS_WORD + depthBucketOf(ring.depth())]!++
    const gap = (now - this.#sampledNs) / this.#stride
    this.#sampledNs = now
    this.#stride = gap < FAST_GAP_NS ? SAMPLE_FAST : 1
    this.#untilSample = this.#stride - 1
  }
}

const TICK = {
  seconds: 0,
  fraction: 0,
  template: 0,
  parameters: null,
  stream: null,
  body: null,
  borrow: null,
}

/** A timer input: ticks at start + k · period without drift; what was missed is skipped and counted as dropped. */
export class TimerPort implements InputSource {
  readonly id: string
  readonly #inbox: Inbox
  readonly #base: number
  readonly #periodNs: number
  readonly #clock: FlowClock
  #startNs = 0
  #next = 0

  constructor(inbox: Inbox, plan: InputPlan, clock: FlowClock) {
    this.id = plan.id
    this.#inbox = inbox
    this.#base = plan.ring >> 2
    this.#periodNs = plan.periodNs!
    this.#clock = clock
  }

  /** When the next tick is due, in monotonic nanoseconds; Infinity before the start. */
  get dueNs(): number {
    if (this.#startNs === 0) this.#readStart()
    return this.#startNs === 0
      ? Number.POSITIVE_INFINITY
      : this.#startNs + this.#next * this.#periodNs
  }

  get periodNs(): number {
    return this.#periodNs
  }

  /** A tick if one is due at `nowNs`. */
  take(nowNs: number): InputEvent | null {
    if (nowNs < this.dueNs) return null
    const due = Math.floor((nowNs - this.#startNs) / this.#periodNs)
    this.#inbox.words[this.#base + LATENCIES_WORD + bucketOf(nowNs - this.dueNs)]!++
    this.#count(due - this.#next)
    this.#next = due + 1
    this.#clock.stamp()
    const { seconds, fraction } = this.#clock
    return new InputEvent(this, { ...TICK, seconds, fraction })
  }

  template(): null {
    return null
  }

  learn(): void {}

  released(): void {}

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
    const missed = Math.floor((this.#clock.nowNs() - start) / this.#periodNs)
    this.#next = Math.max(0, missed)
  }
}
