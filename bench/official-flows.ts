// The dataflows in which official nodes are measured, and what is read off each run.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { cargoBuild, optimizedOperators } from "../test/support/cargo.ts"
import { folder } from "../test/support/dora.ts"
import { officialDora, officialPython } from "../test/support/official.ts"
import type { Take } from "./part.ts"
import { median } from "./statistics.ts"

const HERE = join(import.meta.dir, "nodes/official")
const SIZES = { "8 B": 8, "4 KB": 4096, "64 KiB": 65_536, "1 MiB": 1 << 20, "4 MB": 4_000_000 }
const RUN_LIMIT_MS = 60_000
/** Processor time is counted from the moment when the flow has settled. */
const SETTLED_MS = 1500
const WATCHED_MS = 2000
const PACED = { "64 B": 64, "4 KB": 4096 }
const BURST = 20_000

/** Stands for the official daemon where a path of ours is expected. */
export const OFFICIAL = "official"

/** What is measured with. */
export type Programs = { interpreter: string; dora: string; peer: string }
/** Which daemon: the path of our main.ts, or {@link OFFICIAL}. */
export type Side = { programs: Programs; main: string }
/** The figures of one run, by name. */
export type Taken = Record<string, Take>
/** A dataflow, and the figures that each run of it gives. */
export type Flow = {
  name: string
  figures: readonly string[]
  run(side: Side): Promise<Taken>
}

/** What a node said as JSON. */
type Said = { size?: number; roundTrips?: number[]; stamped?: number[]; [key: string]: unknown }
/** In percent of a core: what the daemon's process takes, and what its busiest thread takes of that. */
type Usage = { "cpu%": number; "thread%": number }

/** Makes what most flows need. */
export async function prepare(): Promise<Programs> {
  const [interpreter, dora, peer] = await Promise.all([
    officialPython(),
    officialDora(),
    cargoBuild(join(import.meta.dir, "peers/dora-rs"), "dora-bun-peer"),
  ])
  return { interpreter, dora, peer }
}

/** Runs that give several figures: each figure of a run is used once. */
export class Once<T extends object> {
  readonly #run: () => Promise<T>
  #taken: T | null = null
  readonly #used = new Set<string>()

  constructor(run: () => Promise<T>) {
    this.#run = run
  }

  /** A run whose figure of this name was not used yet. */
  async take(name: string): Promise<T> {
    if (this.#taken === null || this.#used.has(name)) {
      this.#used.clear()
      this.#taken = await this.#run()
    }
    this.#used.add(name)
    return this.#taken
  }
}

/** All flows, in the order in which they are measured. */
export const FLOWS: readonly Flow[] = [
  {
    name: "Python ↔ Python",
    figures: Object.keys(SIZES),
    async run(side) {
      const env = { SIZES: JSON.stringify(Object.values(SIZES)) }
      const { said } = await run(side, [
        { id: "ping", ...python(side, "ping"), ...link("pong"), env },
        { id: "pong", ...python(side, "pong"), ...link("ping") },
      ])
      const taken = Object.entries(SIZES).map(([figure, size]) => {
        const line = said.find((line) => line.size === size)
        const { value, figures } = times(line?.roundTrips)
        // What `ping` computes for a round trip, in the library and in the kernel; `pong` does as much.
        return [figure, { value, figures: { ...figures, own: Number(line?.own) } }]
      })
      return Object.fromEntries(taken)
    },
  },
  paced("64 B"),
  paced("4 KB"),
  {
    name: "Rust → Rust as fast as they go",
    figures: [`${BURST} × 8 B`],
    async run(side) {
      const { said } = await run(side, rustPair(side, 8, { COUNT: BURST, PACE_NS: 0 }, BURST * 2))
      const { received, seconds } = said.find((line) => "received" in line) ?? {}
      const lost = BURST - Number(received)
      const value = Number(seconds) * 1e9
      return { [`${BURST} × 8 B`]: { value, figures: { "lost%": (lost / BURST) * 100 } } }
    },
  },
  throughOperator("64 B"),
  throughOperator("4 KB"),
  {
    // Each daemon with the fastest source that it has.
    name: "TypeScript (there Rust) → Python at 25 Hz",
    figures: ["4 MB"],
    async run(side) {
      const env = { SIZE: 4_000_000, COUNT: 60, PACE_NS: 40_000_000 }
      const source =
        side.main === OFFICIAL ? rust(side, "source") : { path: join(HERE, "source.ts") }
      const { said } = await run(side, [
        { id: "source", ...source, outputs: ["data"], env },
        { id: "sink", ...python(side, "sink"), inputs: { in: "source/data" } },
      ])
      return { "4 MB": times(said.find(({ stamped }) => stamped)?.stamped) }
    },
  },
]

function paced(size: keyof typeof PACED): Flow {
  return {
    name: `Rust → Rust at 1 kHz, ${size}`,
    figures: ["one way"],
    async run(side) {
      const work = { COUNT: 4000, PACE_NS: 1_000_000 }
      const { said, usage } = await run(side, rustPair(side, PACED[size], work, 100))
      const { value, figures } = times(said.find(({ stamped }) => stamped)?.stamped)
      return { "one way": { value, figures: { ...figures, ...usage } } }
    },
  }
}

function throughOperator(size: keyof typeof PACED): Flow {
  return {
    name: `Rust node → Rust operator → node, ${size}`,
    figures: ["round trip"],
    async run(side) {
      const env = { SIZE: PACED[size], COUNT: 2000, PACE_NS: 0 }
      const library = join(await optimizedOperators(), "native_v1")
      const inputs = { echo: "ping/data" }
      const { said } = await run(side, [
        { id: "ping", ...rust(side, "ping"), inputs: { data: "echo/out" }, outputs: ["data"], env },
        { id: "echo", operator: { "shared-library": library, inputs, outputs: ["out"] } },
      ])
      return { "round trip": times(said.find((line) => line.roundTrips)?.roundTrips) }
    },
  }
}

const link = (from: string) => ({ inputs: { in: `${from}/data` }, outputs: ["data"] })

function python({ programs }: Side, name: string): object {
  return { path: programs.interpreter, args: `-u ${join(HERE, `${name}.py`)}` }
}

function rust({ programs }: Side, role: string): object {
  return { path: programs.peer, args: role }
}

function rustPair(side: Side, size: number, work: object, queue: number): object[] {
  const env = { SIZE: size, ...work }
  const inputs = { in: { source: "source/data", queue_size: queue } }
  return [
    { id: "source", ...rust(side, "source"), outputs: ["data"], env },
    { id: "sink", ...rust(side, "sink"), inputs, env },
  ]
}

/** @throws Error  the node that measures has said nothing */
function times(all: readonly number[] | undefined): Take {
  if (!all?.length) throw new Error("a node that measures has ended without a result")
  const sorted = all.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return { value: median(sorted), figures: { p50: median(sorted), p90: at(0.9), p99: at(0.99) } }
}

/** Runs a dataflow to its end. @returns what its nodes said, and the daemon's shares of a core meanwhile */
async function run(side: Side, nodes: object[]): Promise<{ said: Said[]; usage: Usage }> {
  using place = folder({})
  const file = join(place.path, "flow.yml")
  writeFileSync(file, JSON.stringify({ nodes }))
  const { interpreter, dora } = side.programs
  const program = side.main === OFFICIAL ? [dora] : [process.execPath, side.main]
  const env = { ...process.env, PATH: `${dirname(interpreter)}:${process.env.PATH}` }
  const options = { cwd: place.path, env, timeout: RUN_LIMIT_MS, stderr: "ignore" } as const
  const child = Bun.spawn([...program, "run", file], options)
  const usage = usageOf(child.pid)
  const text = await new Response(child.stdout).text()
  await child.exited
  const said = text.split("\n").flatMap((line) => {
    const at = line.indexOf('{"')
    return at < 0 ? [] : [JSON.parse(line.slice(at).replaceAll("NaN", "0")) as Said]
  })
  return { said, usage: await usage }
}

async function usageOf(pid: number): Promise<Usage> {
  await Bun.sleep(SETTLED_MS)
  const before = threadTimes(pid)
  await Bun.sleep(WATCHED_MS)
  const shares = [...threadTimes(pid)].map(
    ([thread, ns]) => (ns - (before.get(thread) ?? 0)) / WATCHED_MS / 1e4,
  )
  return {
    "cpu%": shares.reduce((sum, share) => sum + share, 0),
    "thread%": Math.max(0, ...shares),
  }
}

/** Nanoseconds that each thread of a process has run; nothing of one that is gone. */
function threadTimes(pid: number): Map<string, number> {
  const threads = `/proc/${pid}/task`
  try {
    return new Map(
      readdirSync(threads).map((thread) => {
        const [ns] = readFileSync(`${threads}/${thread}/schedstat`, "utf8").split(" ")
        return [thread, Number(ns)]
      }),
    )
  } catch {
    return new Map()
  }
}
