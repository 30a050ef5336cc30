// Latency of one hop between two TypeScript nodes, beside the C floor taken in the same minutes.
//   bun bench/latency.ts [--json] [--rounds N] [--only TEXT]
import { parseArgs } from "node:util"
import type { WaitMode } from "../src/shm/plan.ts"
import { cleanUp, floor, machineFacts, median, printTable, runFlow } from "./support.ts"

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
  },
})

type Case = {
  name: string
  size: number
  mode: "copy" | "loan"
  api: "recv" | "iterate"
  wait: WaitMode
  floor: "spin" | "futex"
  count: number
}

const CASES: Case[] = [
  {
    name: "64 B recv()",
    size: 64,
    mode: "copy",
    api: "recv",
    wait: "adaptive",
    floor: "spin",
    count: 200_000,
  },
  {
    name: "64 B for await",
    size: 64,
    mode: "copy",
    api: "iterate",
    wait: "adaptive",
    floor: "spin",
    count: 200_000,
  },
  {
    name: "4 KB copied",
    size: 4096,
    mode: "copy",
    api: "recv",
    wait: "adaptive",
    floor: "spin",
    count: 100_000,
  },
  {
    name: "4 KB loaned",
    size: 4096,
    mode: "loan",
    api: "recv",
    wait: "adaptive",
    floor: "spin",
    count: 100_000,
  },
  {
    name: "4 MB loaned",
    size: 4 << 20,
    mode: "loan",
    api: "recv",
    wait: "adaptive",
    floor: "spin",
    count: 50_000,
  },
  {
    name: "40 MB loaned",
    size: 40 << 20,
    mode: "loan",
    api: "recv",
    wait: "adaptive",
    floor: "spin",
    count: 50_000,
  },
  {
    name: "64 B parked",
    size: 64,
    mode: "copy",
    api: "recv",
    wait: "park",
    floor: "futex",
    count: 5_000,
  },
]

const UNSTEADY = 1.3
const TRIES = 6

type Measured = { ours: Record<string, number>; floorNs: number | null; steady: boolean }

/** One run between two takes of the floor. Virtual machines move: when the floor did, the run is repeated. */
async function measure(c: Case): Promise<Measured> {
  for (let tries = 1; ; tries++) {
    const before = takeFloor(c)
    const ours = await run(c)
    const after = takeFloor(c)
    if (before === null || after === null) return { ours, floorNs: null, steady: true }
    const steady = Math.max(before, after) <= UNSTEADY * Math.min(before, after)
    if (steady || tries === TRIES) return { ours, floorNs: (before + after) / 2, steady }
  }
}

function takeFloor(c: Case): number | null {
  const taken = floor(c.floor, c.floor === "spin" ? 100_000 : 3_000)
  return taken?.p50 ?? null
}

async function run(c: Case): Promise<Record<string, number>> {
  const env = { SIZE: String(c.size), ROUNDS: String(c.count), MODE: c.mode, API: c.api }
  const { printed } = await runFlow(
    [
      { id: "ping", path: "ping.ts", env, inputs: { pong: "pong/pong" }, outputs: ["ping"] },
      { id: "pong", path: "pong.ts", env, inputs: { ping: "ping/ping" }, outputs: ["pong"] },
    ],
    c.wait,
  )
  return printed[0]!
}

const cases = CASES.filter((c) => !flags.only || c.name.includes(flags.only))
const runs = new Map<Case, Awaited<ReturnType<typeof measure>>[]>(cases.map((c) => [c, []]))
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const c of cases) runs.get(c)!.push(await measure(c))
}
cleanUp()

const results = cases.map((c) => {
  const all = runs.get(c)!
  const half = (key: string) => median(all.map((r) => r.ours[key]! / 2))
  const floors = all.filter((r) => r.floorNs !== null)
  return {
    name: c.name,
    p50Ns: half("p50"),
    p99Ns: half("p99"),
    p999Ns: half("p999"),
    floorNs: floors.length > 0 ? median(floors.map((r) => r.floorNs! / 2)) : null,
    ratio: floors.length > 0 ? median(floors.map((r) => r.ours.p50! / r.floorNs!)) : null,
    rounds: all.map((r) => ({
      p50Ns: r.ours.p50! / 2,
      floorNs: r.floorNs && r.floorNs / 2,
      steady: r.steady,
    })),
    floorKind: c.floor,
  }
})
if (flags.json)
  console.log(JSON.stringify({ machine: machineFacts(), unit: "half round trip", results }))
else {
  const us = (ns: number) => (ns / 1000).toFixed(2)
  printTable(
    results.map((r) => ({
      "half round trip": r.name,
      "p50 µs": us(r.p50Ns),
      "p99 µs": us(r.p99Ns),
      "p99.9 µs": us(r.p999Ns),
      "C floor µs": r.floorNs === null ? "-" : us(r.floorNs),
      "by round": r.rounds
        .map((x) => `${x.floorNs ? (x.p50Ns / x.floorNs).toFixed(1) : "-"}${x.steady ? "" : "?"}`)
        .join(" "),
      "× floor": r.ratio === null ? "-" : r.ratio.toFixed(2),
    })),
  )
}
