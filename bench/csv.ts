// A result in the rows of dora's own benchmarks, so that what reads theirs reads ours: those that its example writes with
// BENCH_CSV (nanoseconds), and those of its benchmark repository (microseconds).
import type { Result, Row } from "./result.ts"

/** The rows have no field for a way of sending but the label, where a comma would be one field more. */
const label = (row: Row) => `dora-bun ${row.part} ${row.name}`.replaceAll(",", "")
const whole = (value: number | undefined) => Math.round(value ?? 0)

/**
 * `latency,<bytes>,<label>,<n>,<avg>,<p50>,<p95>,<p99>,<p99.9>,<min>,<max>` in nanoseconds, and
 * `throughput,<bytes>,<label>,<n>,<messages/s>,<elapsed>,0,0,0,0,0`.
 *
 * @example await Bun.write("rust.csv", exampleCsv(result))
 */
export function exampleCsv({ rows }: Result): string {
  const lines = rows.flatMap((row) => {
    const { size, figures } = row
    if (size === undefined) return []
    if (row.unit === "messages/s") {
      const seconds = figures.seconds ?? 1
      const fields = [whole(row.value * seconds), whole(row.value), whole(seconds * 1e9)]
      return [["throughput", size, label(row), ...fields, 0, 0, 0, 0, 0].join(",")]
    }
    if (figures.p50 === undefined || figures.count === undefined) return []
    const times = ["mean", "p50", "p95", "p99", "p99.9", "min", "max"]
    const fields = ["count", ...times].map((name) => whole(figures[name]))
    return [["latency", size, label(row), ...fields].join(",")]
  })
  return text(lines)
}

/**
 * `date,language,platform,name,size_bytes,avg_us,p50_us,p90_us,p99_us,n`, without a header as there; microseconds have decimals,
 * since most of ours are below one.
 *
 * @example await Bun.write("timer.csv", timerCsv(result))
 */
export function timerCsv({ machine, rows }: Result): string {
  const lines = rows.flatMap((row) => {
    const { size, figures } = row
    if (size === undefined || figures.p50 === undefined || figures.count === undefined) return []
    const platform = String(machine.cpu).replaceAll(",", "")
    const date = String(machine.date).slice(0, 19)
    const times = ["mean", "p50", "p90", "p99"].map((name) => whole(figures[name]!) / 1000)
    return [
      [date, "TypeScript", platform, label(row), size, ...times, whole(figures.count)].join(","),
    ]
  })
  return text(lines)
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("")
}
