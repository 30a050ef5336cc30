import type { FloorName } from "../floor.ts"
import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import { SIZES, sizeName } from "../support.ts"
import type { WaitMode } from "../../src/shm/plan.ts"

type Mode = "copy" | "loan"
type Api = "recv" | "iterate"
/** Two nodes that answer each other, and how. */
export type PingPong = {
  size: number
  mode: Mode
  api: Api
  wait: WaitMode
  /** Pings at a pace: so many, counted from when each was meant to be sent. */
  paced?: { ns: number; count: number }
}

/** Round trips at most, and how long a take measures. */
const MOST = 400_000
const FOR_MS = 150
/** The compiler works beside the nodes for the first second; its threads are what a tail is made of until then. */
const WARM_UP = 2_000_000
const WARM_MS = 1000
/** Of a paced take, which ends by its count. */
const LONGEST_MS = 60_000
const APIS: Record<Api, string> = { recv: "recv()", iterate: "for await" }
/** A wish to stay awake goes without saying: it is what most rows are about. */
const WAITS: Record<WaitMode, string> = { busy: "", adaptive: ", adaptive", park: ", parked" }

/** Half of a round trip between two nodes, by size and by the way memory and waiting are used. */
export const latencyPart: Part = {
  name: "latency",
  about: "half a round trip between two nodes that stay awake, wait as by default, or park",
  run: (context) =>
    measure(
      context,
      "latency",
      selection(context).map((c) => latencyCase(context, c)),
    ),
}

function selection({ extent }: Context): PingPong[] {
  const awake = (size: number, mode: Mode, api: Api = "recv"): PingPong => {
    return { size, mode, api, wait: "busy" }
  }
  const small = (wait: WaitMode, api: Api): PingPong => ({ size: 64, mode: "copy", api, wait })
  if (extent === "quick") return [awake(64, "copy"), awake(4096, "loan")]
  if (extent === "default") {
    return [
      awake(64, "copy"),
      awake(64, "copy", "iterate"),
      awake(4096, "copy"),
      awake(4096, "loan"),
      awake(4_096_000, "loan"),
      awake(40_960_000, "loan"),
      small("adaptive", "recv"),
      small("park", "recv"),
    ]
  }
  return [
    ...SIZES.flatMap((size) => [awake(size, "copy"), awake(size, "loan")]),
    ...[64, 4096].map((size) => awake(size, "copy", "iterate")),
    awake(4_096_000, "loan", "iterate"),
    small("adaptive", "recv"),
    small("adaptive", "iterate"),
    small("park", "recv"),
    small("park", "iterate"),
  ]
}

/** A ping-pong as a row of the suite. */
export function latencyCase(context: Context, c: PingPong): Case {
  const way = `${sizeName(c.size)} ${c.mode === "copy" ? "copied" : "loaned"}, ${APIS[c.api]}`
  const name = way + WAITS[c.wait]
  const floor: FloorName = c.wait === "park" ? "futex" : "spin"
  return {
    name,
    size: c.size,
    unit: "ns",
    better: "lower",
    floor,
    take: () => pingPong(context, c),
  }
}

/** One take of a ping-pong between two nodes. */
export async function pingPong(context: Context, c: PingPong): Promise<Take> {
  const share = context.extent === "quick" ? 0.3 : 1
  const env = {
    SIZE: String(c.size),
    MODE: c.mode,
    API: c.api,
    WARM_UP: String(WARM_UP),
    WARM_MS: String(WARM_MS),
    MOST: String(c.paced?.count ?? MOST),
    FOR_MS: String(c.paced ? LONGEST_MS : FOR_MS * share),
    PACE_NS: String(c.paced?.ns ?? 0),
  }
  const { printed } = await context.run(
    [
      { id: "ping", path: "ping.ts", env, inputs: { pong: "pong/pong" }, outputs: ["ping"] },
      { id: "pong", path: "pong.ts", env, inputs: { ping: "ping/ping" }, outputs: ["pong"] },
    ],
    c.wait,
  )
  return takeOf(printed[0]!, 2)
}

/** Makes a take of what a node printed of its times, each divided by `parts`. */
export function takeOf(printed: Record<string, unknown>, parts = 1): Take {
  const of = (name: string) => (printed[name] as number) / parts
  const cdf = (printed.cdf as [number, number][]).map(([share, ns]): [number, number] => {
    return [share, ns / parts]
  })
  const figures = {
    min: of("min"),
    p50: of("p50"),
    p90: of("p90"),
    p95: of("p95"),
    p99: of("p99"),
    "p99.9": of("p999"),
    max: of("max"),
    mean: of("mean"),
    count: printed.count as number,
  }
  return { value: figures.p50, figures, cdf }
}
