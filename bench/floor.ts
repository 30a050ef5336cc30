// The floors: what the machine itself takes, measured by programs in C that are compiled for the run. Without a C compiler the
// spinning one is taken by two Bun processes with bare Atomics.
import { join } from "node:path"
import { BenchmarkFailedError, scratch } from "./support.ts"

/** Ping-pong by ways of waiting; our ring written in C; messages every 5 ms to a sleeper; a copy of 4 MB; interruptions. */
export const FLOOR_NAMES = [
  "spin",
  "futex",
  "pipe",
  "unix",
  "ring",
  "ring4k",
  "paced",
  "memcpy",
  "jitter",
] as const

/** One of {@link FLOOR_NAMES}. */
export type FloorName = (typeof FLOOR_NAMES)[number]

/** Times of a floor in nanoseconds: half round trips, one way, whole copies, or interruptions. */
export type FloorTake = {
  p50: number
  p90: number
  p99: number
  p999: number
  min: number
  /** How many there are in a second, where that says something. */
  perSecond?: number
}

type Program = {
  source: string
  arguments: (rounds: string) => string[]
  rounds: number
  /** It gives times of one way, of whole copies or interruptions; the others give round trips. */
  whole?: boolean
}

/** Few: with other programs about, two that spin may get a turn of the scheduler for each. */
const ROUND_TRIPS = 15_000
const SLEEPS = 1000
const PACE_NS = 5_000_000
/** Bytes that the floor `memcpy` copies. */
export const COPY_BYTES = 4_096_000

const PROGRAMS: Record<FloorName, Program> = {
  spin: { source: "floor.c", arguments: (rounds) => ["spin", rounds], rounds: ROUND_TRIPS },
  futex: { source: "floor.c", arguments: (rounds) => ["futex", rounds], rounds: SLEEPS },
  pipe: { source: "floor.c", arguments: (rounds) => ["pipe", rounds], rounds: SLEEPS },
  unix: { source: "floor.c", arguments: (rounds) => ["unix", rounds], rounds: SLEEPS },
  ring: {
    source: "ring.c",
    arguments: (rounds) => ["pingpong", rounds, "64"],
    rounds: ROUND_TRIPS,
  },
  ring4k: {
    source: "ring.c",
    arguments: (rounds) => ["pingpong", rounds, "4096"],
    rounds: ROUND_TRIPS,
  },
  paced: {
    source: "paced.c",
    arguments: (rounds) => [String(PACE_NS), rounds],
    rounds: 60,
    whole: true,
  },
  memcpy: {
    source: "memcpy.c",
    arguments: (rounds) => [String(COPY_BYTES), rounds],
    rounds: 100,
    whole: true,
  },
  jitter: { source: "jitter.c", arguments: (ms) => [ms], rounds: 300, whole: true },
}

/** Compiles the floors of this run when they are asked for, and takes them. */
export class Floors {
  /** A share of the usual rounds, for a glance. */
  readonly #share: number
  #compiler: string | null
  #lack = ""
  readonly #programs = new Map<string, string | null>()

  /** @param share  of the usual rounds; 1 but for a glance */
  constructor(share = 1) {
    this.#share = share
    this.#compiler = findCompiler()
    if (this.#compiler === null) this.#lack = "there is no C compiler"
    else if (this.#compile(PROGRAMS.spin.source) === null) {
      this.#lack = `${this.#compiler} can't compile bench/${PROGRAMS.spin.source}`
      this.#compiler = null
    }
  }

  /** What the floors are made with: the compiler's path, or null. */
  get compiler(): string | null {
    return this.#compiler
  }

  /** Where the floors come from, as a sentence for the result. */
  get about(): string {
    if (this.#compiler) return "C, compiled with -O2 for this run"
    return `two Bun processes with bare Atomics, because ${this.#lack}; no floor that sleeps`
  }

  /** How a floor is called in a table. */
  nameOf(name: FloorName): string {
    if (!this.#compiler) return "Atomics"
    return name.startsWith("ring") ? "ring in C" : `C ${name}`
  }

  /**
   * Takes a floor now; null where it can't be had.
   *
   * @example floors.take("spin")?.p50
   */
  take(name: FloorName): FloorTake | null {
    const { source, arguments: given, rounds, whole } = PROGRAMS[name]
    const count = String(Math.max(20, Math.round(rounds * this.#share)))
    const command = this.#compiler ? this.#compile(source) : null
    if (command === null && (this.#compiler || name !== "spin")) return null
    const atomics = [process.execPath, join(import.meta.dir, "atomics.ts")]
    const words = command === null ? [...atomics, ...given(count)] : [command, ...given(count)]
    const done = Bun.spawnSync(words, { stdout: "pipe", stderr: "inherit", timeout: 60_000 })
    if (!done.success) {
      const end = done.signalCode ?? `code ${done.exitCode}`
      throw new BenchmarkFailedError(`the floor ${name} failed`, `${words.join(" ")}: ${end}`)
    }
    const taken = JSON.parse(done.stdout.toString()) as FloorTake
    if (whole) return taken
    const half = (ns: number) => ns / 2
    const { p50, p90, p99, p999, min } = taken
    return { p50: half(p50), p90: half(p90), p99: half(p99), p999: half(p999), min: half(min) }
  }

  /** Can this floor be had here? */
  has(name: FloorName): boolean {
    if (!this.#compiler) return name === "spin"
    return this.#compile(PROGRAMS[name].source) !== null
  }

  #compile(source: string): string | null {
    const known = this.#programs.get(source)
    if (known !== undefined) return known
    const path = join(import.meta.dir, source)
    const program = join(scratch(), source.replace(".c", ""))
    const done = Bun.spawnSync([this.#compiler!, "-O2", "-o", program, path], { stderr: "pipe" })
    this.#programs.set(source, done.success ? program : null)
    return done.success ? program : null
  }
}

/** `CC` decides when it is set, so that a run without a compiler can be asked for. */
function findCompiler(): string | null {
  const wanted = process.env.CC
  if (wanted) return Bun.which(wanted)
  return Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang")
}
