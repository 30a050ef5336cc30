// The daemon ticks for official nodes; nodes of ours do it themselves.
import type { HybridClock } from "../../core/clock.ts"
import type { FlowClock } from "../../shm/clock.ts"
import type { InputPlan } from "../../shm/plan.ts"
import type { Inbox } from "../../shm/segment.ts"
import { TimerRing } from "../../shm/timer.ts"
import type { Outgoing } from "./outgoing.ts"

/** The timer inputs of one node. */
export class Ticks {
  readonly #timers: { id: string; ring: TimerRing }[] = []
  readonly #clock: HybridClock
  readonly #flowClock: FlowClock

  constructor(clock: HybridClock, flowClock: FlowClock) {
    this.#clock = clock
    this.#flowClock = flowClock
  }

  /** Has the node any? */
  get any(): boolean {
    return this.#timers.length > 0
  }

  add(inbox: Inbox, { id, ring, periodNs }: InputPlan): void {
    this.#timers.push({ id, ring: new TimerRing(inbox, ring, periodNs!, this.#flowClock) })
  }

  /** When the next one is due, in monotonic nanoseconds. */
  get dueNs(): number {
    let due = Number.POSITIVE_INFINITY
    for (const { ring } of this.#timers) due = Math.min(due, ring.dueNs)
    return due
  }

  /** Writes those that are due. @returns how many */
  write(out: Outgoing): number {
    let events = 0
    const now = this.any ? this.#flowClock.nowNs() : 0
    for (const { id, ring } of this.#timers) {
      if (!ring.take(now)) continue
      out.form.tick(out.writer, id, this.#clock.stamp())
      events++
    }
    return events
  }
}
