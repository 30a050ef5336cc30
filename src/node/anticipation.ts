// Being awake shortly before something is due, within a budget of processor time. docs/adr/0009-anticipation.md.
import type { SleepKind } from "../shm/sleep.ts"

/** Share of a core that may be polled away in advance of messages, and how much of it can be saved up. */
const BUDGET = 0.2
const SAVED_NS = 10_000_000
/** Polling goes on this long after the last moment at which the message was likely. */
const GRACE_NS = 50_000
/** Weight of the newest value in what is known. */
const WEIGHT = 0.125
/** A sleep that lasted longer than expected counts so many times as much as one that was shorter … */
const LATE_COUNTS = 8
/** … and never as further off than this: a single one that lasts far too long is the machine's fault, not the timer's. */
const MOST_OFF_NS = 400_000

/** Until it is known how long the way takes to get warm. */
const USUAL_COLD_NS = 150_000
/** Longest time that is set aside for the way to get warm. */
const LONGEST_COLD_NS = 500_000

/** A core that has slept is slow for longer than the way is cold: this share of a pause is spent awake before its end, at most so long. */
const EARLY_SHARE = 0.04
const MOST_EARLY_NS = 300_000

/** What is expected next. */
export type Forecast = {
  /** When something is there for certain (a timer), in monotonic nanoseconds; Infinity when nothing is. */
  dueNs: number
  /** The most likely moment, in monotonic nanoseconds; Infinity when nothing can be foretold. */
  atNs: number
  /** How much sooner or later it may be. */
  spreadNs: number
  /** Everything that may come is foretold: before then there is no reason to stay awake. */
  sure: boolean
}

/** A rehearsal this close to the moment would be in the way, and who comes later than this may be waiting for our core. */
const CLOSE_NS = 15_000

/** Is this about the moment? */
export function isClose({ atNs }: Forecast, nowNs: number): boolean {
  return Math.abs(atNs - nowNs) < CLOSE_NS
}

/** Has the moment passed? */
export function isLate({ atNs }: Forecast, nowNs: number): boolean {
  return nowNs >= atNs + CLOSE_NS
}

/** Nothing is known. */
export const NO_FORECAST: Forecast = {
  dueNs: Number.POSITIVE_INFINITY,
  atNs: Number.POSITIVE_INFINITY,
  spreadNs: 0,
  sure: false,
}

/** What several together expect. */
export function together(forecasts: Iterable<Forecast>): Forecast {
  let first = NO_FORECAST
  let dueNs = Number.POSITIVE_INFINITY
  let sure = true
  for (const forecast of forecasts) {
    sure &&= forecast.sure
    dueNs = Math.min(dueNs, forecast.dueNs)
    if (forecast.atNs - forecast.spreadNs < first.atNs - first.spreadNs) first = forecast
  }
  return { ...first, dueNs, sure }
}

/** How much longer than asked one kind of sleep lasts, from what it did lately. */
class Oversleep {
  /** Few sleeps exceed this. */
  likelyNs = 160_000

  observe(ns: number): void {
    const off = Math.max(-MOST_OFF_NS, Math.min(ns - this.likelyNs, MOST_OFF_NS))
    this.likelyNs += WEIGHT * (off > 0 ? off : off / LATE_COUNTS)
  }
}

/** When to be awake for a {@link Forecast}. */
export class Anticipation {
  readonly #oversleep: Record<SleepKind, Oversleep> = {
    futex: new Oversleep(),
    fd: new Oversleep(),
  }
  #coldNs = USUAL_COLD_NS
  #earlyNs = 0
  #savedNs = SAVED_NS
  #creditedNs = 0

  /** The moment to wake at; Infinity when it isn't worth it, or too late. */
  wakeNs(forecast: Forecast, kind: SleepKind, nowNs: number): number {
    const { atNs, spreadNs } = forecast
    this.#earlyNs = Math.min(MOST_EARLY_NS, EARLY_SHARE * Math.max(0, atNs - nowNs))
    const from = atNs - spreadNs - this.#leadNs(kind)
    if (nowNs >= from) return Number.POSITIVE_INFINITY
    this.#credit(nowNs)
    const until = atNs + spreadNs + GRACE_NS
    return until - from <= this.#savedNs ? from : Number.POSITIVE_INFINITY
  }

  /** For how long to poll now: 0 when nothing is due yet. */
  pollNs(forecast: Forecast, kind: SleepKind, nowNs: number): number {
    const { atNs, spreadNs } = forecast
    const until = atNs + spreadNs + GRACE_NS
    if (until === Number.POSITIVE_INFINITY || nowNs >= until) return 0
    this.#credit(nowNs)
    if (nowNs < atNs - spreadNs - this.#leadNs(kind)) return 0
    return Math.min(until - nowNs, Math.max(0, this.#savedNs))
  }

  /** Is there time for the way to get warm? A rehearsal that comes too late is in the way of the message. */
  hasTime({ atNs }: Forecast, nowNs: number): boolean {
    return nowNs + this.#coldNs < atNs
  }

  /** How long before the first likely moment to be awake. */
  #leadNs(kind: SleepKind): number {
    return this.#coldNs + this.#earlyNs + this.#oversleep[kind].likelyNs
  }

  /** A sleep ended by itself, this much later than asked for; one that something ended before says nothing. */
  slept(kind: SleepKind, lateNs: number): void {
    if (lateNs > 0) this.#oversleep[kind].observe(lateNs)
  }

  /** The first message after a pause took this long: there must be time for one before the one that is due. */
  rehearsed(ns: number): void {
    this.#coldNs += WEIGHT * (Math.min(ns, LONGEST_COLD_NS) - this.#coldNs)
  }

  /** The node has polled for so long because of a forecast. */
  spend(ns: number): void {
    this.#savedNs -= ns
  }

  #credit(nowNs: number): void {
    this.#savedNs = Math.min(SAVED_NS, this.#savedNs + BUDGET * (nowNs - this.#creditedNs))
    this.#creditedNs = nowNs
  }
}
