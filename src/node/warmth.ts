// What was not used for some milliseconds has left the processor's caches: the first message after a pause takes ten times
// as long as the second. docs/adr/0009-anticipation.md.
import type { FlowClock } from "../shm/clock.ts"
import { Rehearsal } from "./rehearsal.ts"
import type { Warmable } from "./waiter.ts"
import type { Waiting } from "./waiting.ts"

/** A step of the preparations takes less, the first time that the code runs. */
const STEP_NS = 4_000_000
/** So often no step is made because there is too little time; then one is made all the same. */
const MOST_PUT_OFF = 20

/** Keeps the code and the memory of a node's messages warm while it waits for one that is foretold. */
export class Warmth {
  readonly #clock: FlowClock
  readonly #waiting: Waiting
  readonly #things: Warmable[] = []
  #small: Rehearsal | null = null
  /** Once there were large messages. */
  #large: Rehearsal | null = null
  #putOff = 0
  #turn = 0
  /** Made of what was read: without a use the compiler would leave it out. */
  sum = 0

  constructor(clock: FlowClock, waiting: Waiting) {
    this.#clock = clock
    this.#waiting = waiting
  }

  /** Reads what these need as well from now on. */
  add(things: Iterable<Warmable>): void {
    this.#things.push(...things)
  }

  /**
   * A step towards rehearsals, some milliseconds long, if there is something left to prepare.
   *
   * @param leftNs  nothing comes sooner
   * @param inLoop  as for a node that waits in the event loop
   */
  prepare(leftNs: number, inLoop: boolean): void {
    const large = this.#small?.practised === true
    if (large && (this.#large?.practised === true || !this.#anyLarge())) return
    if (leftNs < STEP_NS && this.#putOff++ < MOST_PUT_OFF) return
    this.#putOff = 0
    const next = large ? this.#large : this.#small
    if (next !== null) rehearse(next, inLoop)
    else if (large) this.#large = new Rehearsal(this.#clock, this.#waiting, true)
    else this.#small = new Rehearsal(this.#clock, this.#waiting, false)
  }

  #anyLarge(): boolean {
    for (let i = 0; i < this.#things.length; i++) if (this.#things[i]!.large) return true
    return false
  }

  /** Once more through all that is prepared. @param inLoop  as for a node that waits in the event loop */
  keep(inLoop: boolean): void {
    let sum = 0
    for (let i = 0; i < this.#things.length; i++) sum += this.#things[i]!.warm()
    this.sum = sum
    const large = this.#large?.practised === true && (this.#turn++ & 1) === 1
    const rehearsal = large ? this.#large : this.#small
    if (rehearsal?.practised) rehearse(rehearsal, inLoop)
  }
}

function rehearse(rehearsal: Rehearsal, inLoop: boolean): void {
  if (inLoop) rehearsal.runAsync()
  else rehearsal.run()
}
