// Being awake shortly before something is due, within a budget of processor time. docs/adr/0009-anticipation.md.
import type { SleepKind } from "../shm/sleep.ts"

/** Share of a core that may be polled away in advance of messages, and how much of it can be saved up. */
const BUDGET = 0.2
const SAVED_NS = 10_000_000
/** Polling goes on this long after the last moment at which the message was likely. */
const GRACE_NS = 50_000
/** Weight of the newest sleep in what is known about sleeping too long. */
const WEIGHT = 0.125
/** A sleep that lasted longer than this too long is the machine's fault, not the timer's. */
const LONGEST_OVERSLEEP_NS = 1_000_000

/** Until it is known how long the way takes to get warm. */
const USUAL_COLD_NS = 150_000
/** Longest time that is set aside for the way to get warm. */
const LONGEST_COLD_NS = 500_000

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
  #meanNs = 100_000
  #deviationNs = 30_000

  observe(ns: number): void {
    const error = Math.min(ns, LONGEST_OVERSLEEP_NS) - this.#meanNs
    this.#meanNs += WEIGHT * error
    this.#deviationNs += WEIGHT * (Math.abs(error) - this.#deviationNs)
  }

  /** Few sleeps exceed this. */
  get likelyNs(): number {
    return this.#meanNs + 2 * this.#deviationNs
  }
}

/** When to be awake for a {@link Forecast}. */
export class Anticipation {
  readonly #oversleep: Record<SleepKind, Oversleep> = {
    futex: new Oversleep(),
    fd: new Oversleep(),
  }
  #coldNs = USUAL_COLD_NS
  #savedNs = SAVED_NS
  #creditedNs = 0

  /** The moment to wake at; Infinity when it isn't worth it, or too late. */
  wakeNs(forecast: Forecast, kind: SleepKind, nowNs: number): number {
    const { atNs, spreadNs } = forecast
    const from = atNs - spreadNs - this.#coldNs - this.#oversleep[kind].likelyNs
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
    if (nowNs < atNs - spreadNs - this.#coldNs - this.#earliness(kind)) return 0
    return Math.min(until - nowNs, Math.max(0, this.#savedNs))
  }

  /** Sleeps in the event loop end at whole milliseconds. */
  #earliness(kind: SleepKind): number {
    return this.#oversleep[kind].likelyNs + (kind === "fd" ? 1_000_000 : 0)
  }

  /** A sleep ended by itself, this much later than asked for. */
  slept(kind: SleepKind, lateNs: number): void {
    this.#oversleep[kind].observe(lateNs)
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
