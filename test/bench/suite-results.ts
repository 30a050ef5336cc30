// Results of the suite as tests need them.
import { type Result, RESULT_VERSION, type Round, type Row } from "../../bench/result.ts"

/** A row of the part "latency", with rounds of these values beside the same floor. */
export function rowOf(values: readonly number[], more: Partial<Row> = {}): Row {
  const rounds: Round[] = values.map((value) => ({ value, floor: 100 }))
  const sorted = [...values].sort((a, b) => a - b)
  return {
    part: "latency",
    name: "64 B copied, recv()",
    size: 64,
    unit: "ns",
    better: "lower",
    value: sorted[sorted.length >> 1]!,
    figures: {
      min: 90,
      p50: 240,
      p90: 300,
      p95: 320,
      p99: 900,
      "p99.9": 5000,
      max: 80_000,
      mean: 260,
      count: 400_000,
    },
    floor: { name: "C spin", value: 100 },
    ratio: { value: 2.4, low: 2.3, high: 2.6, to: "floor" },
    goals: [{ of: "ratio", limit: 2 }],
    rounds,
    noisy: false,
    cdf: [
      [0, 90],
      [0.5, 240],
      [0.99, 900],
      [0.999, 5000],
      [1, 80_000],
    ],
    ...more,
  }
}

/** A result with these rows. */
export function resultOf(...rows: Row[]): Result {
  return {
    version: RESULT_VERSION,
    machine: {
      date: "2026-11-22T07:00:00.000Z",
      cpu: "A, B",
      cores: 2,
      kernel: "6.1",
      bun: "1.4.5",
      doraBun: "0.1.0",
      load: 0,
    },
    method: { extent: "default", rounds: 5, seconds: 100, othersPercent: 0, floor: "C" },
    rows,
  }
}
