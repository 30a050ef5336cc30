// Unmodified official nodes under our daemon and under the official one, in turns: `bun bench/official.ts [rounds]`. Needs
// cargo and python3; the first run installs and builds.
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { cargoBuild, optimizedOperators } from "../test/support/cargo.ts"
import { folder } from "../test/support/dora.ts"
import { officialDora, officialPython } from "../test/support/official.ts"

const HERE = join(import.meta.dir, "nodes/official")
const CLI = join(import.meta.dir, "../src/cli/main.ts")
const SIZES = [8, 4096, 65_536, 1 << 20, 4_000_000]
const TICKS_PER_SECOND = 100
const RUN_LIMIT_MS = 60_000

type Side = "ours" | "official"
type Measured = Record<string, number>
/** What a node said as JSON. */
type Said = { size?: number; roundTrips?: number[]; stamped?: number[]; [key: string]: unknown }

const [interpreter, dora, peer, operators] = await Promise.all([
  officialPython(),
  officialDora(),
  cargoBuild(join(import.meta.dir, "peers/dora-rs"), "dora-bun-peer"),
  optimizedOperators(),
])
const python = (name: string) => ({ path: interpreter, args: `-u ${join(HERE, `${name}.py`)}` })
const rust = (role: string) => ({ path: peer, args: role })

/** Runs a dataflow under one of the daemons. @returns what its nodes said, and the daemon's share of a core at half time */
async function run(side: Side, nodes: object[]): Promise<{ said: Said[]; cpu: number }> {
  using place = folder({})
  const file = join(place.path, "flow.yml")
  writeFileSync(file, JSON.stringify({ nodes }))
  const command = side === "ours" ? [process.execPath, CLI, "run", file] : [dora, "run", file]
  const env = { ...process.env, PATH: `${dirname(interpreter)}:${process.env.PATH}` }
  const options = { cwd: place.path, env, timeout: RUN_LIMIT_MS, stderr: "ignore" } as const
  const child = Bun.spawn(command, options)
  const usage = cpuOf(child.pid)
  const text = await new Response(child.stdout).text()
  await child.exited
  const said = text.split("\n").flatMap((line) => {
    const at = line.indexOf('{"')
    return at < 0 ? [] : [JSON.parse(line.slice(at).replaceAll("NaN", "0")) as Said]
  })
  return { said, cpu: await usage }
}

async function cpuOf(pid: number): Promise<number> {
  await Bun.sleep(1500)
  const before = ticks(pid)
  await Bun.sleep(2000)
  return (ticks(pid) - before) / TICKS_PER_SECOND / 2
}

function ticks(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return Number.NaN
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** Rows by name; each gives its figures in microseconds unless its name says otherwise. */
const ROWS: Record<string, (side: Side) => Promise<Measured>> = {
  async "Python round trip"(side) {
    const { said } = await run(side, [
      {
        id: "ping",
        ...python("ping"),
        inputs: { in: "pong/data" },
        outputs: ["data"],
        env: { SIZES: JSON.stringify(SIZES) },
      },
      { id: "pong", ...python("pong"), inputs: { in: "ping/data" }, outputs: ["data"] },
    ])
    const trips = said.filter(({ roundTrips }) => roundTrips)
    return Object.fromEntries(
      trips.map(({ size, roundTrips }) => [`${size} B`, median(roundTrips!) / 1000]),
    )
  },
  async "Rust one way at 1 kHz"(side) {
    const measured: Measured = {}
    for (const size of [64, 4096]) {
      const { said, cpu } = await run(side, rustPair(size, 4000, 1_000_000, 100))
      measured[`${size} B`] = median(said.find(({ stamped }) => stamped)?.stamped ?? []) / 1000
      measured[`${size} B, daemon % of a core`] = cpu * 100
    }
    return measured
  },
  async "Rust node → Rust operator → node, round trip"(side) {
    const measured: Measured = {}
    for (const size of [64, 4096]) {
      const { said } = await run(side, [
        {
          id: "ping",
          ...rust("ping"),
          inputs: { data: "echo/out" },
          outputs: ["data"],
          env: { SIZE: size, COUNT: 2000, PACE_NS: 0 },
        },
        {
          id: "echo",
          operator: {
            "shared-library": join(operators, "native_v1"),
            inputs: { echo: "ping/data" },
            outputs: ["out"],
          },
        },
      ])
      measured[`${size} B`] = median(said.find((line) => line.roundTrips)?.roundTrips ?? []) / 1000
    }
    return measured
  },
  async "Rust burst of 20,000 × 8 B"(side) {
    const { said } = await run(side, rustPair(8, 20_000, 0, 30_000))
    const { received, seconds } = said.find((line) => "received" in line) ?? {}
    return { "lost, messages": 20_000 - Number(received), ms: Number(seconds) * 1000 }
  },
  async "4 MB to Python (ours from TypeScript, official from Rust)"(side) {
    const env = { SIZE: 4_000_000, COUNT: 60, PACE_NS: 40_000_000 }
    const source = side === "ours" ? { path: join(HERE, "source.ts") } : rust("source")
    const { said } = await run(side, [
      { id: "source", ...source, outputs: ["data"], env },
      { id: "sink", ...python("sink"), inputs: { in: "source/data" } },
    ])
    return { "4 MB": median(said.find(({ stamped }) => stamped)?.stamped ?? []) / 1000 }
  },
}

function rustPair(size: number, count: number, paceNs: number, queue: number): object[] {
  const env = { SIZE: size, COUNT: count, PACE_NS: paceNs }
  return [
    { id: "source", ...rust("source"), outputs: ["data"], env },
    {
      id: "sink",
      ...rust("sink"),
      inputs: { in: { source: "source/data", queue_size: queue } },
      env,
    },
  ]
}

const rounds = Number(process.argv[2] ?? 3)
const only = process.argv[3]
for (const [name, measure] of Object.entries(ROWS)) {
  if (only && !name.includes(only)) continue
  const found: Record<Side, Measured[]> = { ours: [], official: [] }
  for (let round = 0; round < rounds; round++) {
    for (const side of ["ours", "official"] as const) found[side].push(await measure(side))
  }
  console.log(name)
  for (const figure of Object.keys(found.ours[0]!)) {
    const [ours, official] = [found.ours, found.official].map((all) =>
      median(all.map((one) => one[figure]!)),
    )
    const text = (value: number) =>
      (Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0)).padStart(8)
    console.log(
      `  ${figure.padEnd(28)}${text(ours!)}${text(official!)}  × ${(ours! / official!).toFixed(2)}`,
    )
  }
}
