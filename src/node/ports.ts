// Where a node's events come from: the rings of its inbox, and its timers.
import { interned } from "../core/ids.ts"
import type { FlowClock } from "../shm/clock.ts"
import { CLOSED_WORD } from "../shm/layout.ts"
import type { InputPlan } from "../shm/plan.ts"
import { EdgeReader } from "../shm/reader.ts"
import type { Inbox } from "../shm/segment.ts"
import { TimerRing } from "../shm/timer.ts"
import { InputEvent, type InputSource, type Template } from "./event.ts"
import { Rhythm } from "./rhythm.ts"

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
  /** When its messages come; null for what is fed from within this process. */
  readonly rhythm: Rhythm | null
  /** The next message, or null. @throws EdgePoisonedError */
  take(arrived?: boolean): InputEvent | null
  /** The receiver has found nothing and is about to wait. */
  idle(): void
  /** A quick look: is there a message? */
  arrived(): boolean
  /** Is there something to do? Looks with fresh loads. */
  pending(): boolean
  /** Has the input ended, and was everything taken? */
  finished(): boolean
  /** Reads what the next message needs. @returns something made of it */
  warm(): number
}

/** An input that is fed through a ring. */
export class RingPort implements InputSource, Port {
  readonly id: string
  readonly plan: InputPlan
  readonly reader: EdgeReader
  readonly rhythm = new Rhythm()
  closed = false
  readonly #clock: FlowClock
  readonly #released: (event: InputEvent) => void
  readonly #templates = new Map<number, Template>()
  /** The one that was asked for last, mostly the only one. */
  #last = 0
  #lastTemplate: Template | null = null
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
    this.id = interned(plan.id)
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
    return new InputEvent(
      this,
      reader.seconds,
      reader.fraction,
      reader.template,
      reader.parameters,
      reader.stream,
      reader.body,
      reader.borrow,
    )
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

  warm(): number {
    const { rhythm } = this
    const header = this.#lastTemplate?.layout.byteLength ?? 0
    return this.reader.warm() + rhythm.dueNs + rhythm.spreadNs + this.#sampledNs + header
  }

  /** A stream that pauses is no fast one: its next message counts. */
  idle(): void {
    this.#stride = 1
    this.#untilSample = 0
  }

  template(number: number): Template | null {
    if (number === this.#last) return this.#lastTemplate
    this.#last = number
    this.#lastTemplate = this.#templates.get(number) ?? null
    return this.#lastTemplate
  }

  learn(number: number, template: Template): void {
    if (this.#templates.size >= MAX_TEMPLATES) return
    this.#last = 0
    this.#lastTemplate = null
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
    this.rhythm.observe(this.reader.sample(this.#clock, now), now)
    const gap = (now - this.#sampledNs) / this.#stride
    this.#sampledNs = now
    this.#stride = gap < FAST_GAP_NS ? SAMPLE_FAST : 1
    this.#untilSample = this.#stride - 1
  }
}

/** A timer input: makes a tick an event. */
export class TimerPort implements InputSource {
  readonly id: string
  readonly #timer: TimerRing
  readonly #clock: FlowClock

  constructor(inbox: Inbox, plan: InputPlan, clock: FlowClock) {
    this.id = interned(plan.id)
    this.#timer = new TimerRing(inbox, plan.ring, plan.periodNs!, clock)
    this.#clock = clock
  }

  /** When the next tick is due, in monotonic nanoseconds; Infinity before the start. */
  get dueNs(): number {
    return this.#timer.dueNs
  }

  get periodNs(): number {
    return this.#timer.periodNs
  }

  /** A tick if one is due at `nowNs`. */
  take(nowNs: number): InputEvent | null {
    if (!this.#timer.take(nowNs)) return null
    this.#clock.stamp()
    const { seconds, fraction } = this.#clock
    return new InputEvent(this, seconds, fraction, 0, null, null, null, null)
  }

  warm(): number {
    return this.#timer.warm()
  }

  template(): null {
    return null
  }

  learn(): void {}

  released(): void {}
}
