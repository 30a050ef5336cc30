// A measured dataflow as rows of a result: for each edge its rate, and the middle and the tail of its latency.
import { type EdgeCounters, type EdgeReport, reportEdge } from "../src/daemon/counters.ts"
import { countsBetween, LATENCY_ERROR, quantileNs } from "../src/shm/histogram.ts"
import type { FlowMeasurement } from "./flow.ts"
import { SHARES } from "./nodes/times.ts"
import { RESULT_VERSION, type Result, type Row, type Unit } from "./result.ts"
import { median, noiseOf, pairedRatio } from "./statistics.ts"
import { machineFacts } from "./support.ts"

/** Name of the part that rows of dataflows belong to. */
export const FLOW_PART = "flow"

/** What every edge has carried in the time that was measured. */
export function flowEdges({ readings }: FlowMeasurement): EdgeReport[] {
  const first = readings[0]!
  return readings.at(-1)!.map((now, i) => reportEdge(now, first[i]))
}

/**
 * A measurement as a result, which can be compared with another of the same dataflow.
 *
 * @param file  name of the dataflow file
 * @example const result = flowResult(await measureFlow(flow, options), "flow.yml")
 */
export function flowResult(measured: FlowMeasurement, file: string): Result {
  const { readings, warmUpMs, end } = measured
  const edges = flowEdges(measured)
  const seconds = edges[0]?.seconds ?? 0
  return {
    version: RESULT_VERSION,
    machine: machineFacts(),
    method: {
      dataflow: file,
      seconds: Math.round(seconds * 1000) / 1000,
      warmUpSeconds: warmUpMs / 1000,
      rounds: readings.length - 1,
      end,
      latency: `from send to receipt, of timers from the moment a tick was due; within ${percent(LATENCY_ERROR)}`,
      sampling: "every message, one in 16 while less than 5 µs lie between them",
    },
    rows: edges.flatMap((edge, i) =>
      rowsOf(
        edge,
        readings.map((reading) => reading[i]!),
      ),
    ),
  }
}

/** The latency's error in words: "3.2 %". */
export function percent(share: number): string {
  return `${(Math.ceil(share * 1000) / 10).toFixed(1)} %`
}

function rowsOf(edge: EdgeReport, readings: readonly EdgeCounters[]): Row[] {
  const windows = readings.slice(1).map((now, i) => reportEdge(now, readings[i]))
  const name = `${edge.from} → ${edge.to}`
  const rows = [rateRow(`${name}: rate`, edge, windows)]
  const middle = latencyRow(`${name}: latency`, "p50", edge, windows)
  if (middle) rows.push({ ...middle, figures: latencyFigures(edge), cdf: cdfOf(readings) })
  const tail = latencyRow(`${name}: latency p99`, "p99", edge, windows)
  return tail ? [...rows, tail] : rows
}

function rateRow(name: string, edge: EdgeReport, windows: readonly EdgeReport[]): Row {
  const rate = ({ sent, seconds }: EdgeReport) => (seconds > 0 ? sent / seconds : 0)
  // A window without a message says that windows are too short for this edge, not that it stood still.
  const steady = windows.every((window) => window.sent > 0)
  const { sent, taken, dropped, waited, highWater, queueSize, bytes, copiedBytes, seconds } = edge
  const perSecond = (count: number) => (seconds > 0 ? count / seconds : 0)
  return row(name, "messages/s", (steady ? windows : [edge]).map(rate), {
    ...{ sent, taken, dropped, "dropped%": sent > 0 ? (dropped / sent) * 100 : 0, waited },
    ...{ "queue high-water": highWater, "queue size": queueSize },
    ...{ "bytes/s": perSecond(bytes), bytes, "copied bytes": copiedBytes },
  })
}

/** Quantiles by name: their field in a report, and how many samples it takes to have one beyond them. */
const QUANTILES = {
  p50: ["latencyP50Us", 1],
  p90: ["latencyP90Us", 10],
  p99: ["latencyP99Us", 100],
  "p99.9": ["latencyP999Us", 1000],
  max: ["latencyMaxUs", 1],
} as const

/** Name of a quantile that a measured edge has. */
export type Quantile = keyof typeof QUANTILES

/** A quantile of an edge's latency in nanoseconds; null when there are too few samples for it. */
export function latencyNs(edge: EdgeReport, quantile: Quantile): number | null {
  const [field, needed] = QUANTILES[quantile]
  const us = edge[field]
  return us === null || edge.samples < needed ? null : us * 1000
}

function latencyFigures(edge: EdgeReport): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const quantile of Object.keys(QUANTILES) as Quantile[]) {
    const ns = latencyNs(edge, quantile)
    if (ns !== null) figures[quantile] = ns
  }
  return figures
}

function latencyRow(
  name: string,
  quantile: Quantile,
  edge: EdgeReport,
  windows: readonly EdgeReport[],
): Row | null {
  const whole = latencyNs(edge, quantile)
  if (whole === null) return null
  const values = windows.flatMap((window) => latencyNs(window, quantile) ?? [])
  return row(name, "ns", values.length > 0 ? values : [whole], {})
}

function row(name: string, unit: Unit, values: number[], figures: Record<string, number>): Row {
  const why = noiseOf(pairedRatio(values), values.length)
  return {
    part: FLOW_PART,
    name,
    unit,
    better: unit === "ns" ? "lower" : "higher",
    value: median(values),
    figures,
    rounds: values.map((value) => ({ value })),
    noisy: why !== null,
    ...(why === null ? {} : { why }),
  }
}

function cdfOf(readings: readonly EdgeCounters[]): [number, number][] {
  const counts = countsBetween(readings.at(-1)!.latencies, readings[0]!.latencies)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const there = SHARES.filter((share) => share === 1 || total * (1 - share) >= 1)
  return there.map((share) => [share, quantileNs(counts, share)!])
}
