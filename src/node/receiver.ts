// One look at everything that can bring an event: control events, timers, rings. No waiting here.
import type { FlowClock } from "../shm/clock.ts"
import { LOOKS_WORD, STOP_WORD } from "../shm/layout.ts"
import type { NodePlan, SegmentRef } from "../shm/plan.ts"
import type { Inbox } from "../shm/segment.ts"
import { type Forecast, NO_FORECAST } from "./anticipation.ts"
import type { Event, InputEvent } from "./event.ts"
import { type Port, RingPort, TimerPort } from "./ports.ts"
import type { Warmable } from "./waiter.ts"

/** A stop under full load is seen after this many events. */
const STOP_LOOK_MASK = 63
/** So many polls of a stream at most rely on the last look at the clock: a program may become slow from one event to the next … */
const MOST_CREDIT = 8
/** … and up to so many where even events of a second each would leave time. */
const MOST_LONG_CREDIT = 64
const SLOW_NS = 1e9

/** Collects a node's events. {@link poll} is the hot path. */
export class Receiver implements Warmable {
  readonly #inbox: Inbox
  readonly #clock: FlowClock
  readonly #ports: Port[] = []
  readonly #timers: TimerPort[] = []
  /** Polls that need not look whether a timer is due, those that the last look has allowed, and when that was. */
  #credit = 0
  #allowed = 0
  #lookedNs = 0
  /** Events that did not come through memory; they go first. */
  readonly #queue: { event: Event; delivered: (() => void) | undefined }[] = []
  /** Ring after the one that was served last: least recently served first. */
  #turn = 0
  /** Large messages that were delivered and not given back. */
  #current: InputEvent | null = null
  readonly #retained = new Set<InputEvent>()
  #openData = 0
  readonly #hasData: boolean
  readonly #endless: boolean
  large = false
  /** STOP was delivered: nothing follows. */
  ended = false
  #stopQueued = false
  #polls = 0
  /** Neither merged values nor a quick timer may keep others away: after one of them the others have their turn. */
  #last: "queue" | "timer" | null = null

  /** @param local  inputs that are fed from within this process */
  constructor(
    plan: Pick<NodePlan, "inputs" | "pid" | "exitWhenNodesFinish">,
    inbox: Inbox,
    peers: (ref: SegmentRef, wakeFd: number) => Inbox,
    clock: FlowClock,
    local: readonly Port[] = [],
  ) {
    this.#inbox = inbox
    this.#clock = clock
    const released = (event: InputEvent) => this.#forget(event)
    for (const input of plan.inputs) {
      if (input.periodNs !== null) {
        this.#timers.push(new TimerPort(inbox, input, clock))
        continue
      }
      const port = new RingPort(inbox, input, plan.pid, clock, released)
      this.#ports.push(port)
      if (!input.producer) continue
      const producer = peers(input.producer.inbox, input.producer.wakeFd)
      port.reader.onCredit = () => producer.wake()
    }
    this.#ports.push(...local)
    this.#openData = this.#ports.filter((port) => port.isData).length
    this.#hasData = this.#openData > 0
    const endless = this.#timers.length > 0 || this.#ports.some((port) => !port.isData)
    this.#endless = endless && !plan.exitWhenNodesFinish
  }

  /** The next event if there is one; gives the large message of the last event back first. */
  poll(): Event | null {
    if (this.#current !== null) this.#giveBack()
    if (this.ended) return null
    const maybeDue = this.#timers.length > 0 && --this.#credit < 0
    if (maybeDue || this.#last !== null || this.#queue.length > 0) {
      const event = this.#pollElsewhere()
      if (event !== null) return event
    }
    // A stop is looked for when nothing else is there, and now and then under a stream that never pauses.
    if ((++this.#polls & STOP_LOOK_MASK) === 0 && this.stopRequested) return this.#deliverStop()
    return this.#pollPorts() ?? this.#foundNothing()
  }

  /** Looks at all that goes before the rings. */
  #pollElsewhere(): Event | null {
    if (this.#last !== null) {
      const event = this.#pollOthers(this.#last)
      if (event !== null) return event
    }
    return this.#queue.length > 0 ? this.#dequeue() : this.#pollTimers()
  }

  #foundNothing(): Event | null {
    // Who has found nothing may do something else before the next poll.
    this.#credit = 0
    this.#inbox.words[LOOKS_WORD]!++
    return this.stopRequested ? this.#deliverStop() : null
  }

  #deliverStop(): Event | null {
    this.stop("MANUAL")
    return this.#dequeue()
  }

  /** Did the daemon ask this node to end? */
  get stopRequested(): boolean {
    return this.#stopQueued || Atomics.load(this.#inbox.words, STOP_WORD) !== 0
  }

  /** Quick look while polling, after {@link poll} found nothing: only at messages that arrive on a ring. */
  pollArrived(): Event | null {
    const ports = this.#ports
    for (let i = 0; i < ports.length; i++) {
      const port = ports[i]!
      if (!port.closed && port.arrived()) return this.#pollPort(port, true)
    }
    return null
  }

  /** Would {@link poll} find something now? Looks at everything with fresh loads, and takes nothing. */
  pending(): boolean {
    if (this.#queue.length > 0 || this.ended || this.stopRequested) return true
    for (const port of this.#ports) if (port.pending()) return true
    return this.#timers.length > 0 && this.#dueNs <= this.#clock.nowNs()
  }

  warm(): number {
    let sum = 0
    for (const port of this.#ports) sum += port.warm()
    for (const timer of this.#timers) sum += timer.warm()
    return sum
  }

  /** When the next timer is due, in monotonic nanoseconds. */
  get #dueNs(): number {
    let due = Number.POSITIVE_INFINITY
    for (const timer of this.#timers) due = Math.min(due, timer.dueNs)
    return due
  }

  /** For who is about to wait: what is expected next, and whether anything else may come before. */
  forecast(nowNs: number): Forecast {
    const dueNs = this.#dueNs
    let atNs = dueNs
    let spreadNs = 0
    let sure = true
    for (const port of this.#ports) {
      const { closed, rhythm } = port
      if (closed || rhythm === null) continue
      port.idle()
      const at = rhythm.dueNs
      const spread = rhythm.spreadNs
      // What did not come in its time may come at any.
      if (!rhythm.steady || at + spread < nowNs) sure = false
      else if (at - spread < atNs - spreadNs) {
        atNs = at
        spreadNs = spread
      }
    }
    return atNs === Number.POSITIVE_INFINITY ? NO_FORECAST : { dueNs, atNs, spreadNs, sure }
  }

  /** Adds an event that goes before everything in the rings; `delivered` is called when it was. */
  push(event: Event, delivered?: () => void): void {
    if (this.ended) delivered?.()
    else this.#queue.push({ event, delivered })
  }

  /** Asks the node to end. Only the first call counts. */
  stop(cause: "MANUAL" | "ALL_INPUTS_CLOSED"): void {
    if (this.#stopQueued) return
    this.#stopQueued = true
    this.push({ type: "STOP", cause })
  }

  /** Gives every large message back. */
  close(): void {
    this.ended = true
    if (this.#current !== null) this.#giveBack()
    for (const event of this.#retained) event.release()
    for (const { delivered } of this.#queue.splice(0)) delivered?.()
  }

  #dequeue(): Event | null {
    const next = this.#queue.shift()
    if (next === undefined) return null
    if (next.event.type === "STOP") this.ended = true
    this.#last = "queue"
    next.delivered?.()
    return next.event
  }

  /** After an event from elsewhere: the sources that have to wait for it, rings in any case. */
  #pollOthers(last: "queue" | "timer"): Event | null {
    this.#last = null
    const tick = last === "queue" ? this.#pollTimers() : null
    return tick ?? this.#pollPorts()
  }

  /** A tick of the timer that is due longest. */
  #pollTimers(): Event | null {
    const timers = this.#timers
    if (timers.length === 0 || this.#credit >= 0) return null
    let first = timers[0]!
    for (const timer of timers) if (timer.dueNs < first.dueNs) first = timer
    const now = this.#clock.nowNs()
    const tick = first.take(now)
    if (tick !== null) this.#last = "timer"
    this.#allow(now, tick === null ? first.dueNs - now : 0)
    return tick
  }

  /** The next look at the clock is due after a quarter of the time that is left, at the pace since the last one. */
  #allow(now: number, leftNs: number): void {
    const paceNs = Math.max(1, (now - this.#lookedNs) / (this.#allowed + 1))
    this.#lookedNs = now
    const most = Math.min(MOST_LONG_CREDIT, Math.max(MOST_CREDIT, leftNs / SLOW_NS / 4))
    this.#allowed = Math.floor(Math.min(most, leftNs / paceNs / 4))
    this.#credit = this.#allowed
  }

  #pollPorts(): Event | null {
    const ports = this.#ports
    const count = ports.length
    for (let i = 0; i < count; i++) {
      const at = this.#turn + i < count ? this.#turn + i : this.#turn + i - count
      const port = ports[at]!
      if (port.closed) continue
      const event = this.#pollPort(port, false)
      if (event === null) continue
      this.#turn = at + 1 < count ? at + 1 : 0
      return event
    }
    return null
  }

  #pollPort(port: Port, arrived: boolean): Event | null {
    try {
      const event = port.take(arrived)
      if (event !== null) {
        if (event.borrowed) {
          this.#current = event
          this.large = true
        }
        return event
      }
    } catch (error) {
      this.push({ type: "ERROR", error: error as Error })
      return this.#close(port)
    }
    return port.finished() ? this.#close(port) : null
  }

  #close(port: Port): Event {
    port.closed = true
    if (port.isData) this.#openData--
    if (this.#hasData && this.#openData === 0 && !this.#endless) this.stop("ALL_INPUTS_CLOSED")
    return { type: "INPUT_CLOSED", id: port.id }
  }

  #giveBack(): void {
    const event = this.#current!
    this.#current = null
    if (event.retained) {
      if (event.borrowed) this.#retained.add(event)
    } else event.release()
  }

  #forget(event: InputEvent): void {
    if (this.#retained.size > 0) this.#retained.delete(event)
    if (this.#current === event) this.#current = null
  }
}
