import type { LatencyTake } from "../peer.ts"

/** Quantiles of times in nanoseconds. @throws Error  when there are none */
export function quantiles(kind: LatencyTake["kind"], times: readonly number[]): LatencyTake {
  if (times.length === 0) throw new Error("no message arrived")
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return {
    kind,
    p50Ns: at(0.5),
    p90Ns: at(0.9),
    p99Ns: at(0.99),
    p999Ns: at(0.999),
    maxNs: sorted.at(-1)!,
    count: sorted.length,
  }
}
