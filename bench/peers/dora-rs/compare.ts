// Official dora 1.1.0, Rust → Rust, and ours, TypeScript → TypeScript, doing the work of official dora's benchmark example in turns.
//   bun bench/peers/dora-rs/compare.ts [--rounds 5] [--count 200] [--sizes 0,64,4096] [--json] [--python] [--no-burst]
import { parseArgs } from "node:util"
import { median, pairedRatio } from "../../statistics.ts"
import { machineFacts, runFlow, SIZES, sizeName } from "../../support.ts"
import type { ThroughputTake } from "../peer.ts"
import { OfficialDora, type OfficialTake } from "./peer.ts"
import { quantiles } from "./quantiles.ts"

const PACE_NS = 5_000_000
/** 5 ms are not enough to copy these. */
const LARGE = 10_000_000
const LARGE_PACE_NS = 1_000_000_000
const BURST_SIZE = 64
/** As many as the example sends; ours is over too soon to be timed with so few. */
const BURST = 1000
const OUR_BURST = 1_000_000
const GOALS = { latency: 20, throughput: 50 }

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    count: { type: "string", default: "200" },
    sizes: { type: "string", default: SIZES.join(",") },
    json: { type: "boolean", default: false },
    python: { type: "boolean", default: false },
    "no-burst": { type: "boolean", default: false },
  },
})

async function ours(work: { size: number; count: number; paceNs: number }, input: object) {
  const { size, count, paceNs } = work
  const env = { SIZE: `${size}`, COUNT: `${count}`, PACE_NS: `${paceNs}` }
  const path = (name: string) => `${import.meta.dir}/${name}.ts`
  const inputs = { data: { source: "source/data", ...input } }
  const { printed } = await runFlow([
    { id: "source", path: path("source"), env, outputs: ["data"] },
    { id: "sink", path: path("sink"), env, inputs },
  ])
  return printed[0] as unknown as {
    due: number[]
    stamped: number[]
    received: number
    seconds: number
  }
}

async function ourLatency(size: number, count: number, paceNs: number): Promise<OfficialTake> {
  const { due, stamped } = await ours({ size, count, paceNs }, { queue_size: 2000 })
  return { ...quantiles("one way", due), stamped: quantiles("one way", stamped) }
}

async function ourThroughput(): Promise<ThroughputTake> {
  const work = { size: BURST_SIZE, count: OUR_BURST, paceNs: 0 }
  const { received, seconds } = await ours(work, { queue_size: 256, queue_policy: "backpressure" })
  const messagesPerSecond = received / seconds
  const bytesPerSecond = messagesPerSecond * BURST_SIZE
  return { messagesPerSecond, bytesPerSecond, sent: OUR_BURST, received }
}

const official = new OfficialDora(flags.python ? "python" : "rust")
const missing = await official.missing()
if (missing) throw new Error(missing)
await official.prepare()

const sizes = flags.sizes.split(",").map(Number)
const rounds = Array.from({ length: Number(flags.rounds) }, (_, i) => i)
const latency = sizes.map((size) => ({
  size,
  theirs: [] as OfficialTake[],
  ours: [] as OfficialTake[],
}))
const burst = { theirs: [] as ThroughputTake[], ours: [] as ThroughputTake[] }
try {
  for (const _ of rounds) {
    for (const { size, theirs, ours } of latency) {
      const paceNs = size > LARGE ? LARGE_PACE_NS : PACE_NS
      const count = size > LARGE ? Math.ceil(Number(flags.count) / 25) : Number(flags.count)
      theirs.push(await official.latency({ size, count, paceNs }))
      ours.push(await ourLatency(size, count, paceNs))
    }
    if (flags["no-burst"]) continue
    burst.theirs.push(await official.throughput({ size: BURST_SIZE, count: BURST }))
    burst.ours.push(await ourThroughput())
  }
} finally {
  await official.close()
}

const stamped = (take: OfficialTake) => take.stamped!
const middle = (takes: OfficialTake[], of: (take: OfficialTake) => number) => median(takes.map(of))
const us = (ns: number) => (ns / 1000).toFixed(1)

/** Theirs by ours, of takes that stood beside each other. */
function ratioText(theirs: number[], ours: number[], goal: number): string {
  const { value, low, high } = pairedRatio(theirs.map((their, i) => their / ours[i]!))
  const missed = value >= goal ? "" : `, misses ${goal}`
  return `${value.toFixed(1)} × (${low.toFixed(1)} to ${high.toFixed(1)}${missed})`
}

if (flags.json) console.log(JSON.stringify({ machine: machineFacts(), latency, burst }))
else {
  console.log("one way in µs since the stamp in the metadata: p50 (p99); and p50 since it was due")
  for (const { size, theirs, ours } of latency) {
    const text = (takes: OfficialTake[]) =>
      `${us(middle(takes, (take) => stamped(take).p50Ns))} (${us(middle(takes, (take) => stamped(take).p99Ns))})` +
      ` ${us(middle(takes, (take) => take.p50Ns))}`
    const p50 = (takes: OfficialTake[]) => takes.map((take) => stamped(take).p50Ns)
    const ratio = ratioText(p50(theirs), p50(ours), GOALS.latency)
    console.log(`${sizeName(size).padEnd(6)}  theirs ${text(theirs)}  ours ${text(ours)}  ${ratio}`)
  }
  if (!flags["no-burst"]) sayBurst()
}

function sayBurst(): void {
  const rates = (takes: ThroughputTake[]) => takes.map((take) => take.messagesPerSecond)
  const ratio = ratioText(rates(burst.ours), rates(burst.theirs), GOALS.throughput)
  const lost = median(burst.theirs.map((take) => take.sent - take.received))
  console.log(
    `burst of ${BURST_SIZE} B: theirs ${median(rates(burst.theirs)).toFixed(0)}/s, ${lost} of ${BURST} lost;` +
      ` ours ${median(rates(burst.ours)).toFixed(0)}/s  ${ratio}`,
  )
}
