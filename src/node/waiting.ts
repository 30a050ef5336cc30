// How a node waits: drain, spin, rounds of the event loop, then sleep. docs/adr/0004-waiting.md, 0009-anticipation.md.
import type { FlowClock } from "../shm/clock.ts"
import type { WaitMode } from "../shm/plan.ts"
import type { Sleeper, SleepKind } from "../shm/sleep.ts"
import { Anticipation, type Forecast, isClose, isLate, NO_FORECAST } from "./anticipation.ts"
import type { Event } from "./event.ts"
import { Patience } from "./patience.ts"
import type { Receiver } from "./receiver.ts"
import { nextTurn, SLICE_NS, Turn } from "./turn.ts"
import { look, type Pollable, type Waiter, type Warmable } from "./waiter.ts"
import { Waiters } from "./waiters.ts"
import { Warmth } from "./warmth.ts"

/** Spin this long before the event loop gets its turn. */
const SPIN_NS = 20_000
/** A round for something foretold polls this long itself. */
const FORETOLD_NS = 60_000
/** A wait for something foretold that blocks keeps the way warm once in so many readings of the clock, … */
const REHEARSAL_MASK = 31
/** … and one without end more rarely, since what is made on the way is garbage: every quarter of a millisecond. */
const BUSY_REHEARSAL_MASK = 255
/** A producer sleeps this long until half of a full queue is free, and only then until there is any room. */
const HALF_NS = 1_000_000
/** Between two looks of a producer for room, about 25 ns each. */
const PAUSES_PER_LOOK = 8
/** How long to sleep when there is something that nobody can take: room in the queue, but no memory for a large message. */
const STUCK_MS = 1

const pause = (Atomics as unknown as { pause(): void }).pause

/** What else counts for how a node waits. */
type About = {
  /** It has outputs that are read. */
  sends?: boolean
  /** More nodes may use its cores than there are. */
  crowded?: boolean
}

/** Waits on behalf of everybody in this process: one sleep for all. */
export class Waiting {
  readonly #sleeper: Sleeper
  readonly #clock: FlowClock
  readonly #mode: WaitMode
  readonly #sends: boolean
  readonly #crowded: boolean
  readonly #ahead = new Anticipation()
  readonly #patience = new Patience()
  readonly #waiters = new Waiters()
  #running = false
  readonly #turn: Turn
  /** Null in a crowd: what does nothing but keep the way warm is in the way of others there. */
  readonly #warmth: Warmth | null
  /** Turns of the event loop spent so, without a pause. */
  #rounds = 0
  /** What the turn of the event loop under way is spent polling for. */
  #foretold: Forecast | null = null

  constructor(sleeper: Sleeper, clock: FlowClock, mode: WaitMode, about: About = {}) {
    this.#sends = about.sends === true
    this.#crowded = about.crowded === true
    this.#sleeper = sleeper
    this.#clock = clock
    this.#mode = mode
    this.#turn = new Turn(clock)
    this.#warmth = this.#crowded ? null : new Warmth(clock, this)
  }

  /** Things to be kept warm while something foretold is waited for. */
  keepWarm(things: Iterable<Warmable>): void {
    this.#warmth?.add(things)
  }

  /** Does anybody wait? */
  get active(): boolean {
    return this.#waiters.any
  }

  /**
   * May the caller hand out one more event without leaving the current turn of the event loop? Now and then no, so that
   * timers, sockets and signals of the user's program get their turn.
   */
  mayContinue(): boolean {
    return this.#turn.mayContinue()
  }

  /** Polls for a short while in this very call. */
  spinFor<T>(source: Pollable<T>): T | null {
    if (this.#mode === "park") return null
    const mostNs = this.#mode === "busy" ? SLICE_NS / 2 : SPIN_NS
    return this.#spin(source, "fd", mostNs, Number.POSITIVE_INFINITY)
  }

  #spin<T>(source: Pollable<T>, kind: SleepKind, mostNs: number, deadline: number): T | null {
    let until = 0
    let forecast = NO_FORECAST
    let foretoldSince = 0
    let mask = this.#mode === "busy" ? BUSY_REHEARSAL_MASK : -1
    let rounds = 1
    let now = 0
    for (;;) {
      let event = look(source)
      if (event === null) event = source.poll()
      const over = event !== null || source.ended
      if (!over) now = this.#clock.nowNs()
      if (!over && until === 0) {
        forecast = this.#expected(source, deadline, now)
        const pollNs = this.#ahead.pollNs(forecast, kind, now)
        if (pollNs > 0) foretoldSince = now
        if (pollNs > 0 && this.#ahead.hasTime(forecast, now)) [mask, rounds] = [REHEARSAL_MASK, 0]
        until = now + Math.min(mostNs, pollNs > 0 ? pollNs : this.#usualNs(forecast))
      }
      if (!over && now < until) {
        if ((rounds++ & mask) === 0 && !isClose(forecast, now)) this.#rehearse(rounds === 1, false)
        if (this.#crowded || isLate(forecast, now)) this.#sleeper.giveWay()
        continue
      }
      if (foretoldSince > 0) this.#ahead.spend(now - foretoldSince)
      else if (until > 0) this.#patience.spun(event !== null)
      return event
    }
  }

  /** Who sends when its time is over, at a pace of its own, is to be as quick then as after a message. */
  #expected<T>(source: Pollable<T>, deadline: number, now: number): Forecast {
    if (this.#mode === "busy") return NO_FORECAST
    const forecast = source.forecast(now)
    const first = this.#sends && deadline < forecast.atNs - forecast.spreadNs
    return first ? { ...forecast, atNs: deadline, spreadNs: 0 } : forecast
  }

  /** For how long to poll when nothing is due. */
  #usualNs(forecast: Forecast): number {
    if (this.#mode === "busy") return SLICE_NS
    return forecast.sure ? 0 : this.#patience.spinNs
  }

  /** Blocks the thread until there is an event. @returns null when the time is over, or after the last event */
  blockFor(receiver: Receiver, timeoutMs: number): Event | null {
    // What comes at once need not wait for two readings of the clock.
    const first = this.#mode === "park" ? null : look(receiver)
    if (first !== null) return first
    const deadline = this.#clock.nowNs() + timeoutMs * 1e6
    for (;;) {
      if (this.#mode !== "park") {
        const event = this.#spin(receiver, "futex", deadline - this.#clock.nowNs(), deadline)
        if (event !== null || receiver.ended) return event
      }
      const event = receiver.poll()
      const now = this.#clock.nowNs()
      if (event !== null || receiver.ended || now >= deadline) return event
      if (this.#mode === "busy") continue
      const forecast = this.#expected(receiver, deadline, now)
      const untilNs = Math.min(deadline, forecast.dueNs, this.#wakeNs(forecast, "futex", now))
      this.#sleepSync(() => receiver.pending(), untilNs)
    }
  }

  /**
   * Blocks the thread until `pending` says yes; it is told when its no means sleep. Who goes on at the first chance has to wait
   * again at once: polling goes on a little for `plenty`, and the first sleep is, for a while, one for `half`.
   */
  blockUntil(
    pending: (sleeping: boolean, half: boolean) => boolean,
    plenty = () => pending(false, false),
  ): void {
    for (let half = true; ; half = false) {
      this.#sleeper.looked()
      const until = this.#clock.nowNs() + (this.#mode === "park" ? 0 : SPIN_NS)
      do {
        if (plenty()) return
        // Each look takes a line from the consumer that is to make room: let it get on with it.
        if (this.#crowded) this.#sleeper.giveWay()
        else for (let i = 0; i < PAUSES_PER_LOOK; i++) pause()
      } while (this.#clock.nowNs() < until)
      if (pending(false, false)) return
      if (this.#mode === "busy") continue
      const untilNs = half ? this.#clock.nowNs() + HALF_NS : Number.POSITIVE_INFINITY
      this.#sleepSync(() => pending(true, half), untilNs)
    }
  }

  #sleepSync(pending: () => boolean, untilNs: number): void {
    this.#sleeper.arm("futex")
    if (!pending()) {
      const ms = (untilNs - this.#clock.nowNs()) / 1e6
      if (ms > 0) {
        this.#sleeper.sleepSync(ms)
        this.#ahead.slept("futex", this.#clock.nowNs() - untilNs)
      }
    }
    this.#sleeper.disarm()
    // Called from a callback while the loop below sleeps on the same word: what woke us may have been for it.
    this.interrupt()
    this.#clock.idle()
  }

  /** Waits in the event loop until the waiter's attempt succeeds. */
  add(waiter: Waiter): void {
    this.#waiters.add(waiter)
    if (this.#running) this.#sleeper.interrupt()
    else void this.#run()
  }

  /** The waiter gives up. */
  remove(waiter: Waiter): void {
    this.#waiters.remove(waiter)
    if (!this.#waiters.any) this.#sleeper.interrupt()
  }

  /** Something happened outside of shared memory: look again. */
  interrupt(): void {
    if (this.#running) this.#sleeper.interrupt()
  }

  async #run(): Promise<void> {
    this.#running = true
    let idleSince = this.#clock.nowNs()
    let servedNs = idleSince
    let stuck = false
    let found = false
    await nextTurn()
    while (this.#waiters.any) {
      this.#newTurn()
      if (this.#waiters.serve()) {
        idleSince = this.#turn.beganNs
        this.#patience.waited(idleSince - servedNs)
        servedNs = idleSince
        stuck = false
        found = false
        // Whoever was served continues in microtasks and may wait again at once.
        await null
        continue
      }
      if (this.#mode === "busy") {
        this.#poll(SLICE_NS / 2)
        await nextTurn()
      } else if (this.#mode === "adaptive" && this.#pollsOn(idleSince)) {
        // What was found and could not be had must not keep the event loop from its turn.
        found = this.#foretold !== null && !found && this.#poll(FORETOLD_NS)
        if (!found) await nextTurn()
      } else {
        stuck = await this.#park(stuck)
        idleSince = this.#mode === "park" ? 0 : this.#clock.nowNs()
      }
    }
    this.#foretold = null
    this.#running = false
  }

  /** Is one more round of the event loop better than a sleep? */
  #pollsOn(idleSince: number): boolean {
    const now = this.#turn.beganNs
    const forecast = this.#waiters.forecast(now)
    this.#foretold = this.#ahead.pollNs(forecast, "fd", now) > 0 ? forecast : null
    if (this.#foretold === null) this.#rounds = 0
    else if (!isClose(forecast, now) && (this.#rounds > 0 || this.#ahead.hasTime(forecast, now)))
      this.#rehearse(this.#rounds++ === 0, true)
    return this.#foretold !== null || (!forecast.sure && now - idleSince < this.#patience.roundsNs)
  }

  /** The first time after a pause shows how long the way takes to get warm. */
  #rehearse(first: boolean, inLoop: boolean): void {
    if (this.#warmth === null) return
    if (this.#mode === "busy") this.#warmth.prepare(Number.POSITIVE_INFINITY, inLoop)
    const before = first ? this.#clock.nowNs() : 0
    this.#warmth.keep(inLoop)
    if (first) this.#ahead.rehearsed(this.#clock.nowNs() - before)
  }

  #newTurn(): void {
    this.#clock.idle()
    const now = this.#clock.nowNs()
    this.#sleeper.looked()
    if (this.#foretold !== null) this.#ahead.spend(now - this.#turn.beganNs)
    this.#foretold = null
    this.#turn.begin(now)
  }

  /** Polls in this turn of the event loop for so long; true when there is something. */
  #poll(ns: number): boolean {
    const until = this.#turn.beganNs + ns
    for (;;) {
      if (this.#waiters.pending()) return true
      const now = this.#clock.nowNs()
      if (now >= until) return false
      if (this.#crowded || isLate(this.#foretold ?? NO_FORECAST, now)) this.#sleeper.giveWay()
    }
  }

  /** Sleeps; true when there was something to look at instead, though not for the first time when it is `stuck`. */
  async #park(stuck: boolean): Promise<boolean> {
    this.#sleeper.arm("fd")
    const pending = this.#waiters.pending()
    const ms = pending ? (stuck ? STUCK_MS : 0) : this.#sleepMs()
    if (ms > 0) {
      const until = this.#clock.nowNs() + ms * 1e6
      await this.#sleeper.sleep(ms)
      if (!pending) this.#ahead.slept("fd", this.#clock.nowNs() - until)
    }
    this.#sleeper.disarm()
    if (ms <= 0) await nextTurn()
    return pending
  }

  /** Until what is due for certain, or soon enough for what is foretold. */
  #sleepMs(): number {
    const now = this.#clock.nowNs()
    const forecast = this.#waiters.forecast(now)
    const untilNs = Math.min(forecast.dueNs, this.#wakeNs(forecast, "fd", now))
    return (untilNs - this.#clock.nowNs()) / 1e6
  }

  /** When to wake for what is foretold; there may be time until then to get ready for it. */
  #wakeNs(forecast: Forecast, kind: SleepKind, now: number): number {
    if (this.#mode === "park") return Number.POSITIVE_INFINITY
    const wake = this.#ahead.wakeNs(forecast, kind, now)
    if (wake < Number.POSITIVE_INFINITY) this.#warmth?.prepare(wake - now, kind === "fd")
    return wake
  }
}
