// The table at the end of a run: what each edge has carried.
import type { EdgeReport } from "../daemon/types.ts"
import type { DataflowResult } from "../daemon/types.ts"
import { painter } from "./color.ts"
import { formatBytes, formatCount, formatMicros, formatMillis, formatRate } from "./format.ts"
import { table } from "./table.ts"

const HEAD = ["edge", "messages", "rate", "bytes", "dropped", "p50", "p99"]

/**
 * What a run came to, for people: one row an edge; latency is from send to receipt.
 *
 * @example for (const line of summaryLines(result, false)) console.log(line)
 */
export function summaryLines(result: DataflowResult, color: boolean): string[] {
  const paint = painter(color)
  const time = `ran ${formatMillis(result.durationMs)}`
  if (result.edges.length === 0) return ["", time]
  const [head, ...rows] = table([HEAD, ...result.edges.map(row)])
  return ["", paint("bold", head!), ...rows, time]
}

/**
 * The same as one line of JSON: `{"type":"summary","ok":true,…}`; log lines have no `type`.
 *
 * @example JSON.parse(summaryJson(result)).edges[0].dropped
 */
export function summaryJson(result: DataflowResult): string {
  const { id, ok, durationMs, edges, stopped } = result
  const failed = result.firstFailure?.node ?? null
  return JSON.stringify({ type: "summary", id, ok, durationMs, failed, stopped, edges })
}

function row(edge: EdgeReport): string[] {
  const rate = edge.seconds > 0 ? edge.sent / edge.seconds : Number.NaN
  return [
    `${edge.from} → ${edge.to}`,
    formatCount(edge.sent),
    formatRate(rate),
    formatBytes(edge.bytes),
    formatCount(edge.dropped),
    edge.latencyP50Us === null ? "-" : formatMicros(edge.latencyP50Us),
    edge.latencyP99Us === null ? "-" : formatMicros(edge.latencyP99Us),
  ]
}
