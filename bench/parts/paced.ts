import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import { type BenchNode, SIZES, sizeName } from "../support.ts"
import type { WaitMode } from "../../src/shm/plan.ts"
import { takeOf } from "./latency.ts"

type Paced = {
  size: number
  mode: "copy" | "loan"
  api: "recv" | "iterate"
  paceMs: number
  wait: WaitMode
  /** What the source goes by: a timer of the dataflow, or the clock, in its own code. */
  by: "timer" | "clock"
}

/** How long a take measures, beside the messages that warm up, and how long a quicker pace goes before. */
const FOR_MS = 700
const PRACTICE_MS = 1500
const WARM_UP = 20
/** Messages before the paced ones, for the compiler; of large ones fewer. */
const BURST = 20_000
const LARGE_BURST = 1000
const LARGE_BYTES = 65_536
/** Enough room in the queue that a receiver which is late loses nothing. */
const QUEUE = 1000

/** One way of messages that come at a steady pace, counted from when they were meant to be sent. */
export const pacedPart: Part = {
  name: "paced",
  about:
    "one way of messages at a steady pace, from the intended send, and the receiver's share of a core",
  run: (context) =>
    measure(
      context,
      "paced",
      selection(context).map((c) => toCase(context, c)),
    ),
}

function selection({ extent }: Context): Paced[] {
  const at = (paceMs: number, more: Partial<Paced> = {}): Paced => {
    return { size: 64, mode: "copy", api: "recv", wait: "adaptive", paceMs, by: "timer", ...more }
  }
  if (extent === "quick") return [at(5)]
  // Each takes seconds until it is as it stays.
  if (extent === "default") return [at(5), at(33)]
  const sweep = SIZES.filter((size) => size >= 4096).map((size) => at(5, { size, mode: "loan" }))
  return [
    ...[1, 5, 33].flatMap((pace) => [at(pace), at(pace, { api: "iterate" })]),
    ...SIZES.filter((size) => size !== 64).map((size) => at(5, { size })),
    ...sweep,
    ...[1, 5, 33].map((pace) => at(pace, { by: "clock" })),
    at(5, { wait: "park" }),
    at(5, { wait: "busy" }),
  ]
}

function toCase(context: Context, c: Paced): Case {
  const how = c.mode === "copy" ? "copied" : "loaned"
  const way = `${sizeName(c.size)} ${how}, every ${c.paceMs} ms`
  const waiting = c.wait === "adaptive" ? "" : `, ${c.wait}`
  const by = c.by === "timer" ? "" : ", by the sender's own clock"
  const name = `${way}, ${c.api === "recv" ? "recv()" : "for await"}${waiting}${by}`
  return {
    name,
    size: c.size,
    unit: "ns",
    better: "lower",
    witness: "spin",
    take: () => oneWay(context, c),
  }
}

/** One take of a paced stream from node to node. */
export async function oneWay(context: Context, c: Paced): Promise<Take> {
  const share = context.extent === "quick" ? 0.3 : 1
  const count = WARM_UP + Math.max(20, Math.round((FOR_MS * share) / c.paceMs))
  return pacedFlow(context, { ...c, count, warmUp: WARM_UP, relays: 0 })
}

/** A stream of paced messages through some relays to its end. */
export async function pacedFlow(
  context: Context,
  c: Paced & { count: number; warmUp: number; relays: number },
): Promise<Take> {
  const env = {
    SIZE: String(c.size),
    MODE: c.mode,
    API: c.api,
    PACE_NS: String(c.paceMs * 1e6),
    COUNT: String(c.count),
    WARM_UP: String(c.warmUp),
    PRACTICE_MS: String(PRACTICE_MS * (context.extent === "quick" ? 0.3 : 1)),
    BURST: String(c.size < LARGE_BYTES ? BURST : LARGE_BURST),
  }
  const outputs = ["epoch", "data"]
  const inputs = (source: string) => ({
    epoch: `${source}/epoch`,
    data: { source: `${source}/data`, queue_size: QUEUE },
  })
  const ids = ["source", ...Array.from({ length: c.relays }, (_, i) => `relay${i}`)]
  const relays = ids.slice(1).map((id, i) => {
    return { id, path: "relay.ts", inputs: inputs(ids[i]!), outputs }
  })
  const { printed } = await context.run(
    [
      source(c, env, outputs),
      ...relays,
      { id: "sink", path: "arrive.ts", env, inputs: inputs(ids.at(-1)!) },
    ],
    c.wait,
  )
  const take = takeOf(printed[0]!)
  return { ...take, figures: { ...take.figures, "cpu%": (printed[0]!.share as number) * 100 } }
}

function source(c: Paced, env: Record<string, string>, outputs: string[]): BenchNode {
  if (c.by === "clock") return { id: "source", path: "paced.ts", env, outputs }
  const inputs = { tick: `dora/timer/millis/${c.paceMs}` }
  return { id: "source", path: "ticks.ts", env, inputs, outputs }
}
