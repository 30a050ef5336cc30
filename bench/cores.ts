// Whether the cores are ours alone. Where a core's other hardware thread runs somebody else's program, another guest's on a
// virtual machine, ours gets half to two thirds of what it gets otherwise. No counter of ours shows that, and neither do floors that wait
// for a cache line or for the kernel; a loop that keeps all units of a core busy does.
import { readAffinity, writeAffinity } from "../src/shm/libc.ts"
import { median } from "./statistics.ts"

/** Steps of one piece of work, some 20 µs. */
const STEPS = 8000
/** Pieces behind one reading: their median. */
const PIECES = 9
/** Readings at the beginning, which also make the compiler take the loop for what it is. */
const FIRST_READINGS = 60
/** A core that takes this much longer than at best is shared. */
export const SHARED = 1.3

const memory = new Int32Array(4096)
let kept = 0

/** Tells how much of the cores this process gets. */
export class Cores {
  /** Least time of a piece so far. */
  #best = Number.POSITIVE_INFINITY
  #readings = 0
  #shared = 0
  readonly #takePiece: () => number

  /** @param takePiece  does a piece of work and says how many nanoseconds it took; always the same work */
  constructor(takePiece = pieceNs) {
    this.#takePiece = takePiece
    for (let i = 0; i < FIRST_READINGS; i++) this.slowdown()
    this.#readings = 0
    this.#shared = 0
  }

  /**
   * How many times as long the same work takes now as it did at best, on the worse of the two cores of which most is left: two nodes
   * that are awake need two. It takes half a millisecond for each core.
   *
   * @example if (cores.slowdown() > SHARED) console.log("somebody else is at work")
   */
  slowdown(): number {
    const all = readAffinity()
    const times: number[] = []
    for (const core of coresOf(all)) {
      const one = new Uint8Array(all.length)
      one[core >> 3] = 1 << (core & 7)
      if (!writeAffinity(one)) continue
      const ns = median(Array.from({ length: PIECES }, this.#takePiece))
      this.#best = Math.min(this.#best, ns)
      times.push(ns)
    }
    writeAffinity(all)
    times.sort((a, b) => a - b)
    const second = times[1] ?? times[0]
    const slowdown = second === undefined ? 1 : second / this.#best
    this.#readings++
    if (slowdown > SHARED) this.#shared++
    return slowdown
  }

  /** Nanoseconds of a piece of work at best. */
  get bestNs(): number {
    return this.#best
  }

  /** In how many of all readings a core was shared, in percent. */
  get sharedPercent(): number {
    return this.#readings === 0 ? 0 : Math.round((this.#shared / this.#readings) * 100)
  }
}

/** The processors of a set. */
function coresOf(mask: Uint8Array): number[] {
  return Array.from({ length: mask.length * 8 }, (_, core) => core).filter(
    (core) => (mask[core >> 3]! >> (core & 7)) & 1,
  )
}

/** Does a piece of work on whatever core this is. @returns how many nanoseconds it took */
export function pieceNs(): number {
  const start = Bun.nanoseconds()
  kept ^= work(STEPS)
  return Bun.nanoseconds() - start
}

/** Eight chains that don't wait for each other, and memory that is at hand: as many instructions at once as a core can do. */
function work(steps: number): number {
  let a = kept
  let b = 2
  let c = 3
  let d = 4
  let e = 5
  let f = 6
  let g = 7
  let h = 8
  for (let i = 0; i < steps; i++) {
    a = ((a + i) ^ 0x55) | 0
    b = ((b ^ i) + 3) | 0
    c = ((c + i) ^ 7) | 0
    d = ((d ^ i) + 9) | 0
    e = ((e + i) ^ 0x33) | 0
    f = ((f ^ i) + 5) | 0
    g = ((g + i) ^ 3) | 0
    h = ((h ^ i) + 1) | 0
    memory[i & 4095] = (a + memory[(i * 7) & 4095]!) | 0
  }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h
}
