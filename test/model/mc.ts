// A model checker: explicit states, breadth first, every interleaving, shortest counterexample.
//
// A model says how its state looks at first, which atomic steps its processes can take, when a state is wrong and in
// which states everything may rest. The checker visits every state that can be reached and proves two things: none is
// wrong, and from each of them a good state can still be reached (otherwise: a lost wake-up, a live-lock).
import { viewOf } from "./state.ts"

/** Offers one atomic step of one process: its name for a counterexample, and what it changes. */
export type Go<T> = (label: string, change: (next: T) => void) => void

/** What is to be explored. `T` is an object of small numbers, see `Shape` in state.ts. */
export type System<T extends object> = {
  initial: T
  /** Offers each step that some process can take now. Must not change `now`. */
  steps(now: T, go: Go<T>): void
  /** A sentence when this state must never be. */
  wrong(now: T): string | null
  /** May everything rest here? */
  good(now: T): boolean
}

/** What came out: `why` and the shortest way there when it doesn't hold. */
export type Result = {
  states: number
  steps: number
  ms: number
  failure: { why: string; trace: string[] } | null
}

/** More states than this, and the model is too big to give a verdict. */
export const MAX_STATES = 12_000_000

/**
 * Explores every state that can be reached.
 *
 * @throws Error  when there are more than {@link MAX_STATES} states, or a number leaves 0 … 255
 */
export function explore<T extends object>(system: System<T>): Result {
  return new Explorer(system).run()
}

class Explorer<T extends object> {
  readonly #system: System<T>
  readonly #now: { words: Int32Array; state: T }
  readonly #next: { words: Int32Array; state: T }
  readonly #states: StateSet
  /** Where the steps of each state begin in `#targets`: states are visited in the order of their numbers. */
  readonly #firstStep = new IntList()
  readonly #targets = new IntList()
  readonly #parents = new IntList()
  readonly #goodStates = new IntList()

  constructor(system: System<T>) {
    this.#system = system
    this.#now = viewOf(system.initial)
    this.#next = viewOf(system.initial)
    this.#states = new StateSet(this.#now.words.length)
  }

  run(): Result {
    const start = performance.now()
    const failure = this.#visitAll() ?? this.#findDeadEnd()
    const ms = performance.now() - start
    return { states: this.#states.size, steps: this.#targets.size, ms, failure }
  }

  #visitAll(): Result["failure"] {
    const { words, state } = this.#now
    this.#states.add(words)
    this.#parents.push(-1)
    for (let number = 0; number < this.#states.size; number++) {
      if (number > MAX_STATES) throw new Error(`more than ${MAX_STATES} states: no verdict`)
      this.#states.load(number, words)
      const why = this.#system.wrong(state)
      if (why) return this.#failure(why, number)
      this.#firstStep.push(this.#targets.size)
      this.#system.steps(state, (_, change) => this.#take(number, change))
      const good = this.#system.good(state)
      if (good) this.#goodStates.push(number)
      else if (this.#firstStep.at(number) === this.#targets.size) {
        return this.#failure("stuck: nobody can run and the work isn't done", number)
      }
    }
    this.#firstStep.push(this.#targets.size)
    return null
  }

  #take(from: number, change: (next: T) => void) {
    this.#next.words.set(this.#now.words)
    change(this.#next.state)
    const before = this.#states.size
    const target = this.#states.add(this.#next.words)
    if (target === before) this.#parents.push(from)
    this.#targets.push(target)
  }

  /** Walks backwards from the good states; a state that this doesn't meet is a dead end. */
  #findDeadEnd(): Result["failure"] {
    const count = this.#states.size
    const { first, sources } = this.#backwards()
    const met = new Uint8Array(count)
    const open = new IntList()
    const meet = (number: number) => {
      if (met[number]) return
      met[number] = 1
      open.push(number)
    }
    for (let i = 0; i < this.#goodStates.size; i++) meet(this.#goodStates.at(i))
    for (let i = 0; i < open.size; i++) {
      const number = open.at(i)
      for (let e = first[number]!; e < first[number + 1]!; e++) meet(sources[e]!)
    }
    const lost = met.indexOf(0)
    if (lost < 0) return null
    return this.#failure("no way back: from here the work can never be done", lost)
  }

  /** The steps turned around: those into state i come from `sources[first[i] … first[i + 1])`. */
  #backwards() {
    const count = this.#states.size
    const first = new Int32Array(count + 1)
    for (let e = 0; e < this.#targets.size; e++) first[this.#targets.at(e) + 1]! += 1
    for (let i = 0; i < count; i++) first[i + 1]! += first[i]!
    const free = first.slice()
    const sources = new Int32Array(this.#targets.size)
    for (let i = 0; i < count; i++) {
      for (let e = this.#firstStep.at(i); e < this.#firstStep.at(i + 1); e++) {
        const target = this.#targets.at(e)
        sources[free[target]!] = i
        free[target]! += 1
      }
    }
    return { first, sources }
  }

  #failure(why: string, number: number): Result["failure"] {
    const trace: string[] = []
    for (let to = number; this.#parents.at(to) >= 0; to = this.#parents.at(to)) {
      trace.push(this.#labelOf(this.#parents.at(to), to))
    }
    return { why, trace: trace.reverse() }
  }

  /** Labels aren't kept: the step is taken again and recognised by where it leads. */
  #labelOf(from: number, to: number): string {
    let found = "?"
    this.#states.load(from, this.#now.words)
    this.#system.steps(this.#now.state, (label, change) => {
      this.#next.words.set(this.#now.words)
      change(this.#next.state)
      if (found === "?" && this.#states.add(this.#next.words) === to) found = label
    })
    return found
  }
}

/** A growing list of whole numbers. */
class IntList {
  size = 0
  #items = new Int32Array(1024)

  at(index: number): number {
    return this.#items[index]!
  }

  push(value: number) {
    if (this.size === this.#items.length) {
      const larger = new Int32Array(this.size * 2)
      larger.set(this.#items)
      this.#items = larger
    }
    this.#items[this.size++] = value
  }
}

/** Each state once, as a row of bytes, numbered in the order of their coming. Open addressing, at most half full. */
class StateSet {
  size = 0
  readonly #width: number
  readonly #row: Uint8Array
  #rows: Uint8Array
  #hashes = new IntList()
  #places = new Int32Array(2048).fill(-1)

  constructor(width: number) {
    this.#width = width
    this.#row = new Uint8Array(width)
    this.#rows = new Uint8Array(width * 1024)
  }

  load(number: number, words: Int32Array) {
    const start = number * this.#width
    for (let i = 0; i < this.#width; i++) words[i] = this.#rows[start + i]!
  }

  /** The number of this state, which is new when it equals the size before. */
  add(words: Int32Array): number {
    const hash = this.#pack(words)
    const mask = this.#places.length - 1
    let place = hash & mask
    for (let number = this.#places[place]!; number >= 0; number = this.#places[place]!) {
      if (this.#hashes.at(number) === hash && this.#equals(number)) return number
      place = (place + 1) & mask
    }
    this.#places[place] = this.size
    this.#append(hash)
    return this.size - 1
  }

  #pack(words: Int32Array): number {
    let hash = 0x811c9dc5
    for (let i = 0; i < this.#width; i++) {
      const word = words[i]!
      if (word & ~0xff) throw new Error(`word ${i} of a state is ${word}, not in 0 … 255`)
      this.#row[i] = word
      hash = Math.imul(hash ^ word, 0x01000193)
    }
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return hash ^ (hash >>> 13)
  }

  #equals(number: number): boolean {
    const start = number * this.#width
    for (let i = 0; i < this.#width; i++) if (this.#rows[start + i] !== this.#row[i]) return false
    return true
  }

  #append(hash: number) {
    const start = this.size * this.#width
    if (start === this.#rows.length) {
      const larger = new Uint8Array(start * 2)
      larger.set(this.#rows)
      this.#rows = larger
    }
    this.#rows.set(this.#row, start)
    this.#hashes.push(hash)
    this.size++
    if (this.size * 2 > this.#places.length) this.#spread()
  }

  #spread() {
    this.#places = new Int32Array(this.#places.length * 2).fill(-1)
    const mask = this.#places.length - 1
    for (let number = 0; number < this.size; number++) {
      let place = this.#hashes.at(number) & mask
      while (this.#places[place]! >= 0) place = (place + 1) & mask
      this.#places[place] = number
    }
  }
}
