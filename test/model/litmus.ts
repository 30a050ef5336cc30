// Store-load litmus (Dekker) on this machine: two processes store their own word and load the other's. Each misses the other's
// store only if the load passed the store. Parking relies on that never happening with `Atomics` on a mapped file, which
// is no SharedArrayBuffer (docs/adr/0004-waiting.md). Run by hand: `bun test/model/litmus.ts 2000000`.
import { dlopen } from "bun:ffi"

/** What was seen: how often both sides missed the other's store. `rounds` is less than asked for when time ran out. */
export type LitmusResult = { rounds: number; plain: number; atomic: number; ms: number }

const SEGMENT_BYTES = 64 * 1024
/** Loads before a waiting process looks at the clock and lets others run. */
const SPIN_LOADS = 5000

/** Words far enough apart to lie in cache lines of their own; those of two sides are two lists. */
const MEET = [64, 128]
const LEAVE = [192, 256]
const STORED = [512, 1024]
const SAW = [2048, 2560]
const NOISE = [3000, 3064]
const DONE = 3200

const libc = dlopen("libc.so.6", {
  memfd_create: { args: ["buffer", "u32"], returns: "i32" },
  ftruncate: { args: ["i32", "i64"], returns: "i32" },
  sched_yield: { args: [], returns: "i32" },
}).symbols

/**
 * Runs the litmus with a second process.
 *
 * @param rounds  with plain stores, and as many with `Atomics`; alternating, so that both get their share of a short time
 * @param limitMs  the end, whatever has been done by then: a spinning pair on busy cores can be a thousand times slower
 * @throws Error  when the second process fails
 */
export async function runLitmus(rounds: number, limitMs: number): Promise<LitmusResult> {
  const fd = libc.memfd_create(Buffer.from("litmus\0"), 0)
  if (fd < 0 || libc.ftruncate(fd, SEGMENT_BYTES) < 0) throw new Error("no memory for the litmus")
  const path = `/proc/${process.pid}/fd/${fd}`
  const until = Date.now() + limitMs
  const argv = [process.execPath, import.meta.path, String(rounds), path, String(until)]
  const partner = Bun.spawn(argv, { stdio: ["ignore", "ignore", "inherit"] })
  const start = performance.now()
  const result = new Side(0, path, until).run(rounds)
  const code = await partner.exited
  if (code !== 0) throw new Error(`the second process of the litmus ended with ${code}`)
  return { ...result, ms: performance.now() - start }
}

/** Signals that the time is over; thrown out of the innermost wait. */
class TimeOver extends Error {}

class Side {
  readonly #words: Int32Array
  readonly #me: number
  readonly #other: number
  readonly #until: number

  constructor(me: 0 | 1, path: string, until: number) {
    this.#words = new Int32Array(Bun.mmap(path, { shared: true }).buffer as ArrayBuffer)
    this.#me = me
    this.#other = 1 - me
    this.#until = until
  }

  run(rounds: number) {
    const result = { rounds: 0, plain: 0, atomic: 0 }
    try {
      while (result.rounds < rounds) {
        // Long runs of one kind, so that each is compiled for itself.
        const count = Math.min(10_000, rounds - result.rounds)
        for (let i = 1; i <= count; i++) result.plain += this.#round(2 * result.rounds + i, false)
        const base = 2 * result.rounds + count
        for (let i = 1; i <= count; i++) result.atomic += this.#round(base + i, true)
        result.rounds += count
      }
    } catch (error) {
      if (!(error instanceof TimeOver)) throw error
    }
    Atomics.store(this.#words, DONE, 1)
    return result
  }

  #round(i: number, atomic: boolean): number {
    const words = this.#words
    const mine = STORED[this.#me]!
    const theirs = STORED[this.#other]!
    this.#meet(MEET, i)
    for (let k = (i * 7 + this.#me * 3) % 23; k > 0; k--) words[NOISE[this.#me]!]! += 1
    let seen: number
    if (atomic) {
      Atomics.store(words, mine, i)
      seen = Atomics.load(words, theirs)
    } else {
      words[mine] = i
      seen = words[theirs]!
    }
    Atomics.store(words, SAW[this.#me]!, seen === i ? 1 : 0)
    this.#meet(LEAVE, i)
    return seen !== i && Atomics.load(words, SAW[this.#other]!) === 0 ? 1 : 0
  }

  #meet(place: number[], i: number) {
    Atomics.store(this.#words, place[this.#me]!, i)
    const other = place[this.#other]!
    for (let loads = 1; Atomics.load(this.#words, other) < i; loads++) {
      if (loads % SPIN_LOADS) continue
      const over = Date.now() > this.#until || Atomics.load(this.#words, DONE) === 1
      // Who is done has left its last round before it said so.
      if (over && Atomics.load(this.#words, other) < i) throw new TimeOver()
      libc.sched_yield()
    }
  }
}

if (import.meta.main) {
  const [rounds = "2000000", path, until] = process.argv.slice(2)
  if (path) new Side(1, path, Number(until)).run(Number(rounds))
  else console.log(process.arch, await runLitmus(Number(rounds), 60_000))
}
