import type { Forecast } from "./anticipation.ts"

/** Somebody who waits: `attempt` does what is waited for and says whether it could; `pending` only looks. */
export interface Waiter {
  attempt(): boolean
  pending(): boolean
  /** What it expects next, and what is there by itself at some moment (timers). Without this nothing can be foretold. */
  forecast?(nowNs: number): Forecast
  /** Of those that are served in turn only the first may try: what comes while others tried is for it. */
  readonly inTurn?: boolean
}

/** What keeps its part of a message's way warm. */
export interface Warmable {
  /** There were messages that lie in chunks. */
  readonly large: boolean
  /** Reads what the next message needs, so that it is in the caches. @returns something made of it, or the compiler would leave it out */
  warm(): number
}

/** What can be polled: a receiver, or something that looks at several of them. */
export interface Pollable<T> {
  poll(): T | null
  /** As poll, but looks only at what is likely. */
  pollArrived(): T | null
  forecast(nowNs: number): Forecast
  readonly ended: boolean
}

/** The clock is read once in so many looks. */
const LOOKS_PER_CLOCK = 64

/** Looks for what comes quickly, for some hundred nanoseconds. */
export function look<T>(source: Pollable<T>): T | null {
  let found: T | null = null
  for (let i = 0; i < LOOKS_PER_CLOCK && found === null; i++) found = source.pollArrived()
  return found
}
