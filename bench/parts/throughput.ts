import type { QueuePolicy } from "../../src/core/policy.ts"
import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import { BenchmarkFailedError, type BenchNode, SIZES, sizeName } from "../support.ts"

type Stream = {
  size: number
  mode: "copy" | "loan"
  policy: QueuePolicy
  sources: number
  sinks: number
}

/** How long a take measures. */
const FOR_MS = 300
/** How long it warms up before, for each process that receives … */
const WARM_MS = 300
/** … and at least: the compiler is busy for the first second or two, but a default run has little time. */
const LEAST_WARM_MS = { quick: 300, default: 500, full: 1500 }
const FEW_BYTES = 4096
/** Slots of the queues: of small messages many, so that the two sides meet rarely. */
const queueOf = ({ size, policy }: Stream) =>
  policy === "drop_oldest" ? 10 : size <= FEW_BYTES ? 1024 : 10

/** Messages a second over one edge. */
export const throughputPart: Part = {
  name: "throughput",
  about: "messages a second over one edge that delivers all, or gives way to the newest",
  run: (context) =>
    measure(
      context,
      "throughput",
      selection(context).map((c) => toCase(context, c)),
    ),
}

/** One node to eight, and eight to one. */
export const fanPart: Part = {
  name: "fan",
  about: "deliveries a second from one node to eight and from eight nodes to one",
  run(context) {
    const out: Stream = { size: 64, mode: "copy", policy: "backpressure", sources: 1, sinks: 8 }
    const fans = [out, { ...out, sources: 8, sinks: 1 }]
    if (context.extent === "full") {
      const large = { ...out, size: 4_096_000, mode: "loan" } as const
      fans.push(large, { ...large, sources: 8, sinks: 1 })
    }
    return measure(
      context,
      "fan",
      fans.map((c) => toCase(context, c)),
    )
  },
}

function selection({ extent }: Context): Stream[] {
  const stream = (size: number, more: Partial<Stream> = {}): Stream => {
    return { size, mode: "copy", policy: "backpressure", sources: 1, sinks: 1, ...more }
  }
  if (extent === "quick") return [stream(64)]
  if (extent === "default") {
    return [
      stream(64),
      stream(64, { policy: "drop_oldest" }),
      stream(4096),
      stream(4_096_000, { mode: "loan" }),
    ]
  }
  return SIZES.flatMap((size) => [
    stream(size),
    stream(size, { policy: "drop_oldest" }),
    stream(size, { mode: "loan" }),
  ])
}

function toCase(context: Context, c: Stream): Case {
  const what = `${sizeName(c.size)} ${c.mode === "copy" ? "copied" : "loaned"}, ${c.policy}`
  const name = c.sources * c.sinks > 1 ? `${c.sources} → ${c.sinks}, ${what}` : what
  return {
    name,
    size: c.size,
    unit: "messages/s",
    better: "higher",
    witness: "spin",
    take: () => stream(context, c),
  }
}

/** One take of messages as fast as they go. */
export async function stream(context: Context, c: Stream): Promise<Take> {
  const share = context.extent === "quick" ? 0.3 : 1
  const { printed, edges } = await context.run(
    nodesOf(c, FOR_MS * share, LEAST_WARM_MS[context.extent]),
  )
  const sinks = printed.filter((one) => one.node.startsWith("sink"))
  const sources = printed.filter((one) => one.node.startsWith("source"))
  const total = (of: readonly Record<string, unknown>[], name: string) =>
    of.reduce((sum, one) => sum + (one[name] as number), 0)
  const streams = edges.filter((edge) => edge.from.endsWith("/data"))
  const [sent, dropped] = [total(streams, "sent"), total(streams, "dropped")]
  const received = total(sinks, "received")
  const disordered = total(sinks, "disordered")
  if (received + dropped !== sent || disordered > 0) {
    throw new BenchmarkFailedError(
      `${sent} messages were sent, ${received} received, ${dropped} counted as dropped`,
      `${disordered} were out of order`,
    )
  }
  const rate = sinks.reduce(
    (sum, one) => sum + (one.counted as number) / (one.seconds as number),
    0,
  )
  const sentRate = sources.reduce(
    (sum, one) => sum + (one.sent as number) / (one.seconds as number),
    0,
  )
  return {
    value: rate,
    figures: {
      "delivered/s": rate,
      "sent/s": sentRate * c.sinks,
      "bytes/s": rate * c.size,
      seconds: Math.max(...sinks.map((one) => one.seconds as number)),
      "dropped%": sent > 0 ? (dropped / sent) * 100 : 0,
    },
  }
}

function nodesOf(c: Stream, forMs: number, leastWarmMs: number): BenchNode[] {
  const env = {
    SIZE: String(c.size),
    MODE: c.mode,
    FOR_MS: String(forMs),
    WARM_MS: String(Math.max(leastWarmMs, WARM_MS * c.sources * c.sinks)),
    COUNT: "5000000",
    MARKS: String(c.sources),
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
  const sources = numbers(c.sources).map((i) => {
    return { id: `source${i}`, path: "source.ts", env, outputs: ["data", "mark"] }
  })
  const inputs = Object.fromEntries(
    sources.flatMap(({ id }, i) => [
      [`mark${i}`, `${id}/mark`],
      [`data${i}`, { source: `${id}/data`, queue_size: queueOf(c), queue_policy: c.policy }],
    ]),
  )
  return [
    ...sources,
    ...numbers(c.sinks).map((i) => ({ id: `sink${i}`, path: "sink.ts", env, inputs })),
  ]
}
