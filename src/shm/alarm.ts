// An alarm of the event loop that is exact. Bun's timers have whole milliseconds; a wait for a word of memory that nobody ever
// changes ends in the event loop, too, and some microseconds after its time. docs/adr/0009-anticipation.md.

/** Nobody ever changes it. */
const WORD = new Int32Array(new SharedArrayBuffer(4))
/** The last so many milliseconds are such a wait: it can't be taken back, so what is cleared ends unheard. */
const EXACT_MS = 10
/** A timer for the rest of a longer time rings this much before that. */
const LATENESS_MS = 2

/**
 * Calls a function when a time is over.
 *
 * @example const alarm = new Alarm(() => console.log("now")); alarm.set(0.35)
 */
export class Alarm {
  readonly #ring: () => void
  #timer: ReturnType<typeof setTimeout> | null = null
  /** Of the last setting or clearing. */
  #number = 0

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** In place of an earlier one. @param ms  any fraction of milliseconds; without an end: Infinity */
  set(ms: number): void {
    this.clear()
    if (!(ms >= EXACT_MS)) this.#wait(ms)
    else if (ms < 2 ** 31) {
      const end = performance.now() + ms
      const rest = () => this.#wait(end - performance.now())
      this.#timer = setTimeout(rest, ms - LATENESS_MS)
    }
  }

  clear(): void {
    this.#number++
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #wait(ms: number): void {
    const number = this.#number
    const { value } = Atomics.waitAsync(WORD, 0, 0, ms > 0 ? ms : 0)
    void Promise.resolve(value).then(() => {
      if (number === this.#number) this.#ring()
    })
  }
}
