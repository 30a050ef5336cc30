// What was not used for some milliseconds has left the processor's caches: the first message after a pause takes ten times
// as long as the second. docs/adr/0009-anticipation.md.
import type { FlowClock } from "../shm/clock.ts"
import { Rehearsal } from "./rehearsal.ts"
import type { Warmable } from "./waiter.ts"
import type { Waiting } from "./waiting.ts"

/** Keeps the code and the memory of a node's messages warm while it waits for one that is foretold. */
export class Warmth {
  readonly #clock: FlowClock
  readonly #waiting: Waiting
  readonly #things: Warmable[] = []
  #rehearsal: Rehearsal | null = null
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

  /** Once more through all. @param inLoop  as for a node that waits in the event loop */
  keep(inLoop: boolean): void {
    let large = false
    let sum = 0
    for (let i = 0; i < this.#things.length; i++) {
      const thing = this.#things[i]!
      large ||= thing.large
      sum += thing.warm()
    }
    this.sum = sum
    this.#rehearsal ??= new Rehearsal(this.#clock, this.#waiting)
    if (inLoop) this.#rehearsal.runAsync(large)
    else this.#rehearsal.run(large)
  }
}
