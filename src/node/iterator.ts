import type { Event } from "./event.ts"

/** The result of a step, used again for the next one after its value was read. */
class Step implements IteratorYieldResult<Event> {
  readonly done = false
  #value: Event | null = null
  #read = true

  get value(): Event {
    this.#read = true
    return this.#value!
  }

  /** Puts a value in; false when nobody has read the last one yet. */
  offer(value: Event): boolean {
    if (!this.#read) return false
    this.#read = false
    this.#value = value
    return true
  }
}

/**
 * Events for `for await`. A promise and a result for each event would cost as much as the event itself, so one promise,
 * resolved for good, serves all steps that are consumed before the next begins, which is what the loop does.
 */
export class EventIterator implements AsyncIterator<Event> {
  readonly #quick: () => Event | null
  readonly #wait: (done: (event: Event | null) => void) => void
  readonly #step = new Step()
  readonly #stepped = Promise.resolve(this.#step)

  /**
   * @param quick  the next event if it can be had in this turn of the event loop
   * @param wait   calls back with the next event, later; null after the last
   */
  constructor(quick: () => Event | null, wait: (done: (event: Event | null) => void) => void) {
    this.#quick = quick
    this.#wait = wait
  }

  next(): Promise<IteratorResult<Event>> {
    const event = this.#quick()
    if (event === null) return this.#later()
    if (this.#step.offer(event)) return this.#stepped
    return Promise.resolve({ value: event, done: false })
  }

  return(): Promise<IteratorResult<Event>> {
    return Promise.resolve({ value: undefined, done: true })
  }

  #later(): Promise<IteratorResult<Event>> {
    return new Promise((resolve) => {
      this.#wait((value) => {
        resolve(value === null ? { value: undefined, done: true } : { value, done: false })
      })
    })
  }
}
