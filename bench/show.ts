// A result as text: one table for each part, with bars.
import { formatBytes, formatMicros, formatRate } from "../src/cli/format.ts"
import { painter } from "../src/cli/color.ts"
import { table } from "../src/cli/table.ts"
import type { Result, Row, Unit } from "./result.ts"

const BAR_CELLS = 12
const FULL = "█"
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/**
 * A figure in the unit that suits it.
 *
 * @example formatFigure(1234, "ns") // "1.23 µs"
 */
export function formatFigure(value: number, unit: Unit): string {
  switch (unit) {
    case "ns":
      return formatMicros(value / 1000)
    case "bytes":
      return formatBytes(value)
    case "bytes/s":
      return `${formatBytes(value)}/s`
    case "%":
      return `${value.toPrecision(2)} %`
    case "×":
      return formatRatio(value)
    default:
      return formatRate(value)
  }
}

/** A ratio in three digits; small ones as fractions: 1/81.0. */
export function formatRatio(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  if (value >= 9.995) return value.toFixed(1)
  return value >= 0.0995 || value <= 0 ? value.toFixed(2) : `1/${formatRatio(1 / value)}`
}

/** Does a row reach its goals? Null without any, or when one of them could not be looked at. */
export function reaches(row: Row): boolean | null {
  const { goals = [], better } = row
  if (goals.length === 0) return null
  let all = true
  for (const { of, limit } of goals) {
    const found = of === "value" ? row.value : of === "ratio" ? row.ratio?.value : row.figures[of]
    if (found === undefined) return null
    all &&= better === "lower" ? found <= limit : found >= limit
  }
  return all
}

/** A row's goals in words: "≤ 2.00 ×, p99.9 ≤ 5.00 µs", "≥ 4.00 M/s". */
export function goalText({ goals = [], unit, better }: Row): string {
  const sign = better === "lower" ? "≤" : "≥"
  const words = goals.map(({ of, limit }) => {
    if (of === "ratio") return `${sign} ${formatRatio(limit)} ×`
    if (of === "value") return `${sign} ${formatFigure(limit, unit)}`
    if (of.endsWith("%")) return `${of.slice(0, -1)} ${sign} ${limit} %`
    return `${of} ${sign} ${formatFigure(limit, unit)}`
  })
  return words.join(", ")
}

/**
 * A result for a person at a terminal.
 *
 * @example for (const line of resultLines(result, false)) console.log(line)
 */
export function resultLines(result: Result, color: boolean): string[] {
  const paint = painter(color)
  const { cpu, cores, kernel, bun, load } = result.machine
  const { seconds, rounds, othersPercent, floor } = result.method
  const lines = [
    `${cpu}, ${cores} cores, Linux ${kernel}, Bun ${bun}, load ${load} at the start`,
    `${rounds} rounds in ${seconds} s; floor: ${floor}; other programs took ${othersPercent} % of the machine`,
  ]
  for (const [part, rows] of Map.groupBy(result.rows, (row) => row.part)) {
    const [head, ...body] = table([headOf(part, rows), ...rows.map((row) => cells(row, rows))])
    lines.push("", paint("bold", head!))
    for (const [i, text] of body.entries()) {
      lines.push(rows[i]!.noisy ? paint("dim", text) : text)
    }
  }
  if (result.notes?.length) lines.push("", ...result.notes)
  const noisy = result.rows.filter((row) => row.noisy)
  if (noisy.length > 0) {
    lines.push("", "? not to be relied on:", ...noiseLines(noisy).map((line) => `  ${line}`))
  }
  return lines
}

/** How many rows with the same reason are named. */
const MOST_NAMED = 3

/**
 * Why rows are no good ground for a statement, those with the same reason together.
 *
 * @example noiseLines(rows) // ["only 2 rounds: 12 rows"]
 */
export function noiseLines(noisy: readonly Row[]): string[] {
  const reasons = Map.groupBy(noisy, (row) => (row.why ?? "").replace(/\d.*$/, "…"))
  return [...reasons.values()].map((rows) => {
    const [first] = rows
    if (rows.length > MOST_NAMED) return `${first!.why} and the like: ${rows.length} rows`
    return `${first!.why}: ${rows.map((row) => `${row.part}: ${row.name}`).join("; ")}`
  })
}

const HAS_TAIL = (row: Row) => row.figures["p99.9"] !== undefined

function headOf(part: string, rows: Row[]): string[] {
  const tail = rows.some(HAS_TAIL) ? ["p50", "p99", "p99.9"] : ["median"]
  return [part, ...tail, "beside", "ratio", "95 %", "goal", "", ""]
}

function cells(row: Row, rows: Row[]): string[] {
  const { unit, figures, ratio, noisy } = row
  const beside = row.peer ?? row.floor
  const reached = reaches(row)
  const figure = (name: string) =>
    figures[name] === undefined ? "" : formatFigure(figures[name], unit)
  return [
    row.name,
    formatFigure(row.value, unit),
    ...(rows.some(HAS_TAIL) ? [figure("p99"), figure("p99.9")] : []),
    beside ? besideText(row, beside) : extra(row),
    ratio ? `${formatRatio(ratio.value)} ×` : "",
    ratio ? `${formatRatio(ratio.low)}–${formatRatio(ratio.high)}` : "",
    goalText(row),
    (noisy ? "?" : "") + (reached === null ? "" : reached ? "✓" : "✗"),
    bar(row, rows),
  ]
}

/** The name of a peer that its rows are called by needs no repeating. */
function besideText({ name, unit }: Row, beside: { name: string; value: number }): string {
  const figure = formatFigure(beside.value, unit)
  return name.startsWith(`${beside.name}:`) ? figure : `${beside.name} ${figure}`
}

/** What else a row without a floor has to say. */
function extra({ figures, size, unit }: Row): string {
  const said: string[] = []
  if (size !== undefined && size > 0 && figures["bytes/s"]) {
    said.push(`${formatBytes(figures["bytes/s"])}/s`)
  }
  if (figures.unshared !== undefined) said.push(`${formatFigure(figures.unshared, unit)} unshared`)
  if (figures["per second"] !== undefined) said.push(`${figures["per second"]} a second`)
  if (figures["dropped%"]) said.push(`${figures["dropped%"].toFixed(1)} % dropped`)
  if (figures["cpu%"] !== undefined && figures.p50 !== undefined) {
    said.push(`${figures["cpu%"].toFixed(1)} % of a core`)
  }
  return said.join(", ")
}

/** A bar on a scale of powers from half of the least to the largest figure of the same part and unit. */
function bar(row: Row, rows: Row[]): string {
  const values = rows.filter((other) => other.unit === row.unit).map((other) => other.value)
  const [least, most] = [Math.min(...values) / 2, Math.max(...values)]
  if (!(least > 0)) return " ".repeat(BAR_CELLS)
  const eighths = Math.round((Math.log(row.value / least) / Math.log(most / least)) * BAR_CELLS * 8)
  return (FULL.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(BAR_CELLS)
}
