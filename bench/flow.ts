// Measures a dataflow as it is: the counters in the memory of its edges are read now and then, and nothing is added to its
// nodes.
import { startDataflow } from "../src/daemon/index.ts"
import type {
  DataflowResult,
  EdgeCounters,
  RunningDataflow,
  RunOptions,
} from "../src/daemon/types.ts"
import type { Dataflow } from "../src/descriptor/types.ts"

/** Windows of a measurement: each gives a round, by which two measurements are compared. */
export const WINDOWS = 10

/** How a dataflow is measured. */
export type FlowOptions = {
  durationMs: number
  /** Not counted: the time from the start until compilers and queues have settled. */
  warmUpMs: number
  run?: RunOptions
  /** Hears of the flow once it runs. */
  started?: (running: RunningDataflow) => void
  progress?: (what: string) => void
  /** Ends the measurement early. */
  interrupted?: Promise<void>
}

/** Why a measurement ended: its time was over, somebody asked for it, or the dataflow had ended by itself. */
export type FlowEnd = "time" | "interrupted" | "by itself"

/** Readings of the counters of all edges, from the end of the warm-up to the end. */
export type FlowMeasurement = {
  /** At least two; the first is the start itself when the dataflow ended before the warm-up was over. */
  readings: readonly (readonly EdgeCounters[])[]
  warmUpMs: number
  end: FlowEnd
  result: DataflowResult
}

/**
 * Runs a dataflow, measures it for a while, and stops it.
 *
 * @throws DoraError  it could not be started
 * @example const { readings, result } = await measureFlow(flow, { durationMs: 10_000, warmUpMs: 1000 })
 */
export async function measureFlow(flow: Dataflow, options: FlowOptions): Promise<FlowMeasurement> {
  const { durationMs, warmUpMs, progress = () => {} } = options
  progress("starting")
  const running = await startDataflow(flow, options.run)
  options.started?.(running)
  const start = performance.now()
  const begin = running.counters().map(zero)
  const ended = running.finished.then(() => "by itself" as const)
  const interrupted =
    options.interrupted?.then(() => "interrupted" as const) ?? new Promise<never>(() => {})
  const until = (ms: number) => within(ms - (performance.now() - start), ended, interrupted)

  progress(`warming up for ${warmUpMs / 1000} s`)
  let end: FlowEnd = await until(warmUpMs)
  const warm = end === "time"
  const readings = [warm ? running.counters() : begin]
  for (let window = 1; window <= WINDOWS && end === "time"; window++) {
    progress(`measuring for ${durationMs / 1000} s, round ${window} of ${WINDOWS}`)
    end = await until(warmUpMs + (durationMs * window) / WINDOWS)
    if (end === "time") readings.push(running.counters())
  }
  // Stopping is no part of it; but what a dataflow did that ended by itself is only complete now.
  if (end === "interrupted") readings.push(running.counters())
  progress("stopping")
  running.stop("dora bench")
  const result = await running.finished
  if (end === "by itself") readings.push(running.counters())
  return { readings, warmUpMs: warm ? warmUpMs : 0, end, result }
}

/** The counters of an edge before it has carried anything. */
function zero(edge: EdgeCounters): EdgeCounters {
  return {
    ...edge,
    ...{ seconds: 0, sent: 0, taken: 0, dropped: 0, queued: 0, waited: 0 },
    ...{ bytes: 0, lentBytes: 0, copiedBytes: 0 },
    depths: edge.depths.map(() => 0),
    latencies: edge.latencies.map(() => 0),
  }
}

async function within(
  ms: number,
  ended: Promise<"by itself">,
  interrupted: Promise<"interrupted">,
): Promise<FlowEnd> {
  let timer: Timer | undefined
  const time = new Promise<"time">((resolve) => {
    timer = setTimeout(() => resolve("time"), Math.max(0, ms))
  })
  try {
    return await Promise.race([ended, interrupted, time])
  } finally {
    clearTimeout(timer)
  }
}
