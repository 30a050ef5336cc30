// Messages per second over one edge, and over a fan-out; sent must be received plus counted drops.
//   bun bench/throughput.ts [--json] [--rounds N]
import { parseArgs } from "node:util"
import type { QueuePolicy } from "../src/core/policy.ts"
import { cleanUp, floor, machineFacts, median, printTable, runFlow } from "./support.ts"

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
  },
})

type Case = {
  name: string
  size: number
  count: number
  sinks: number
  policy: QueuePolicy
  queue: number
}

const CASES: Case[] = [
  {
    name: "64 B lossless",
    size: 64,
    count: 3_000_000,
    sinks: 1,
    policy: "backpressure",
    queue: 256,
  },
  {
    name: "64 B drop_oldest",
    size: 64,
    count: 3_000_000,
    sinks: 1,
    policy: "drop_oldest",
    queue: 10,
  },
  {
    name: "4 KB lossless",
    size: 4096,
    count: 500_000,
    sinks: 1,
    policy: "backpressure",
    queue: 64,
  },
  {
    name: "1 MB lossless",
    size: 1 << 20,
    count: 5_000,
    sinks: 1,
    policy: "backpressure",
    queue: 10,
  },
  {
    name: "64 B to 8 nodes, lossless",
    size: 64,
    count: 200_000,
    sinks: 8,
    policy: "backpressure",
    queue: 256,
  },
]

async function measure(c: Case) {
  const env = { SIZE: String(c.size), COUNT: String(c.count) }
  const input = { source: "source/data", queue_size: c.queue, queue_policy: c.policy }
  const sinks = Array.from({ length: c.sinks }, (_, i) => ({
    id: `sink${i}`,
    path: "sink.ts",
    inputs: { data: input },
  }))
  const source = { id: "source", path: "source.ts", env, outputs: ["data"] }
  const { printed, edges } = await runFlow([source, ...sinks], "adaptive")
  const received = printed.reduce((sum, p) => sum + p.received!, 0)
  const dropped = edges.reduce((sum, e) => sum + e.dropped, 0)
  const seconds = Math.max(...printed.map((p) => p.seconds!))
  const sent = c.count * c.sinks
  const disordered = printed.reduce((sum, p) => sum + p.disordered!, 0)
  if (received + dropped !== sent || disordered > 0) {
    throw new Error(
      `${c.name}: sent ${sent}, received ${received}, dropped ${dropped}, ${disordered} out of order`,
    )
  }
  return { received, dropped, sent, seconds }
}

const rows = []
for (const c of CASES) {
  const runs = []
  for (let round = 0; round < Number(flags.rounds); round++) runs.push(await measure(c))
  rows.push({
    name: c.name,
    sentPerSecond: median(runs.map((r) => r.sent / r.seconds)),
    deliveredPerSecond: median(runs.map((r) => r.received / r.seconds)),
    bytesPerSecond: median(runs.map((r) => (r.received * c.size) / r.seconds)),
    dropped: median(runs.map((r) => r.dropped / r.sent)),
  })
}
const spin = floor("spin", 200_000)
cleanUp()

if (flags.json) console.log(JSON.stringify({ machine: machineFacts(), floor: spin, results: rows }))
else {
  printTable(
    rows.map((r) => ({
      case: r.name,
      "sent M/s": (r.sentPerSecond / 1e6).toFixed(3),
      "delivered M/s": (r.deliveredPerSecond / 1e6).toFixed(3),
      "MB/s": (r.bytesPerSecond / 1e6).toFixed(0),
      "dropped %": (r.dropped * 100).toFixed(1),
    })),
  )
  console.log(
    `sent = received + counted drops in every run; C spin round trip ${spin?.p50 ?? "-"} ns`,
  )
}
