// `dora bench flow.yml` as a person sees it. What the nodes say goes into their logs: the terminal is for the figures.
import { basename } from "node:path"
import { painter } from "../src/cli/color.ts"
import { failureReport } from "../src/cli/failure.ts"
import {
  formatBytes,
  formatCount,
  formatMicros,
  formatMillis,
  formatRate,
} from "../src/cli/format.ts"
import { standardOutput } from "../src/cli/output.ts"
import { showWarnings } from "../src/cli/report.ts"
import { say } from "../src/cli/say.ts"
import { StopRequests } from "../src/cli/stop-signals.ts"
import { table } from "../src/cli/table.ts"
import type { EdgeReport, RunningDataflow, RunOptions } from "../src/daemon/types.ts"
import type { Dataflow } from "../src/descriptor/types.ts"
import { LATENCY_ERROR } from "../src/shm/histogram.ts"
import { type Outputs, progressOn, writableFolder, writeFiles } from "./command.ts"
import { type FlowMeasurement, measureFlow } from "./flow.ts"
import { flowEdges, flowResult, latencyNs, percent, type Quantile } from "./flow-rows.ts"

/** How long a dataflow is measured, and how it is run. */
export type FlowBench = { durationMs: number; warmUpMs: number; run: RunOptions }

/**
 * Measures a dataflow and shows what each of its edges has carried; the exit code: 1 when a node failed.
 *
 * @throws DoraError  the dataflow could not be started
 * @example await runFlowBench(flow, { durationMs: 10_000, warmUpMs: 1000, run: {} }, outputs)
 */
export async function runFlowBench(
  flow: Dataflow,
  bench: FlowBench,
  outputs: Outputs,
): Promise<number> {
  showWarnings(flow)
  const folder = writableFolder(outputs.folder)
  const out = standardOutput()
  const progress = progressOn(process.stderr)
  let running: RunningDataflow | null = null
  const giveUp = new AbortController()
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>()
  using _requests = new StopRequests({
    stop(why) {
      if (running) interrupt()
      else giveUp.abort(why)
    },
    kill: () => running?.kill(),
    abort: () => process.exit(1),
  })
  const measured = await measureFlow(flow, {
    durationMs: bench.durationMs,
    warmUpMs: bench.warmUpMs,
    run: { ...bench.run, signal: giveUp.signal },
    started: (started) => {
      running = started
    },
    progress: progress.show,
    interrupted,
  }).finally(progress.end)
  const { result } = measured
  const figures = flowResult(measured, basename(flow.path))
  // Half a measurement of a dataflow that failed is nothing to compare with.
  const files = result.ok ? await writeFiles(figures, folder, outputs) : []
  if (!outputs.json) for (const line of flowLines(measured, out.color)) out.line(line)
  else if (result.ok) out.line(JSON.stringify(figures))
  for (const file of files) process.stderr.write(`written: ${file}\n`)
  await out.end()
  if (!result.ok) say.error(failureReport(result))
  return result.ok ? 0 : 1
}

const HEAD = [
  ...["edge", "rate", "bytes", "p50", "p90", "p99", "p99.9", "max"],
  ...["dropped", "queue", "copied"],
]

/** The table: one row an edge. */
export function flowLines(measured: FlowMeasurement, color: boolean): string[] {
  const edges = flowEdges(measured)
  if (edges.length === 0) return ["this dataflow has no edges: there is nothing to measure"]
  const [head, ...rows] = table([HEAD, ...edges.map(cells)])
  return [painter(color)("bold", head!), ...rows, "", ...notes(measured, edges)]
}

function cells(edge: EdgeReport): string[] {
  const { kind, seconds, sent, bytes, dropped, highWater, queueSize, copiedBytes } = edge
  const timer = kind === "timer"
  const perSecond = (count: number) => (seconds > 0 ? count / seconds : Number.NaN)
  const bytesPerSecond = (count: number) =>
    timer || !(seconds > 0) ? "-" : `${formatBytes(perSecond(count))}/s`
  const latency = (quantile: Quantile) => {
    const ns = latencyNs(edge, quantile)
    return ns === null ? "-" : formatMicros(ns / 1000)
  }
  return [
    `${edge.from} → ${edge.to}`,
    formatRate(perSecond(sent)),
    bytesPerSecond(bytes),
    ...(["p50", "p90", "p99", "p99.9", "max"] as const).map(latency),
    formatCount(dropped),
    timer ? "-" : `${highWater}/${queueSize}`,
    bytesPerSecond(copiedBytes),
  ]
}

function notes({ warmUpMs, end }: FlowMeasurement, edges: readonly EdgeReport[]): string[] {
  const seconds = formatMillis(edges[0]!.seconds * 1000)
  const after = warmUpMs > 0 ? `after ${formatMillis(warmUpMs)} of warm-up` : "from its start"
  const why = {
    time: "",
    interrupted: "; ended early because it was asked to",
    "by itself": "; the dataflow ended by itself",
  }
  return [
    `measured for ${seconds} ${after}${why[end]}`,
    `latency: from send to receipt, of timers from the moment a tick was due; within ${percent(LATENCY_ERROR)}`,
    "queue: most messages that waited at a time / queue_size; copied: bytes of bodies that were not lent",
  ]
}
