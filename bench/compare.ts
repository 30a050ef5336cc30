// Two results side by side, with a verdict for each row that knows the noise.
import { painter, type Style } from "../src/cli/color.ts"
import { table } from "../src/cli/table.ts"
import type { Interval, Machine, Result, Row } from "./result.ts"
import { formatFigure, formatRatio } from "./show.ts"
import { compareRounds, ENOUGH_ROUNDS } from "./statistics.ts"

/**
 * `same`: whatever the change is, it lies within the threshold. `unclear`: the noise allows for a change beyond it, and for
 * none. `apart`: the machine was in other states throughout. `added`, `gone`: only one of the results has the row.
 */
export type Verdict = "faster" | "slower" | "same" | "unclear" | "apart" | "added" | "gone"

/** One row in both results. `change` is after ÷ before; above 1 is worse, whichever way the figure counts. */
export type Change = {
  part: string
  name: string
  before: Row | null
  after: Row | null
  change: Interval | null
  verdict: Verdict
  why?: string
}

/**
 * Compares row by row. Rounds are compared with rounds that found the machine in the same state, going by their floor.
 *
 * @param threshold  a factor: changes up to it count as none
 * @example compareResults(before, after, 1.05).filter((change) => change.verdict === "slower")
 */
export function compareResults(before: Result, after: Result, threshold: number): Change[] {
  const key = (row: Row) => `${row.part}\0${row.name}`
  const old = new Map(before.rows.map((row) => [key(row), row]))
  const fresh = new Map(after.rows.map((row) => [key(row), row]))
  return [...new Set([...old.keys(), ...fresh.keys()])].map((id) =>
    compareRows(old.get(id) ?? null, fresh.get(id) ?? null, threshold),
  )
}

function compareRows(before: Row | null, after: Row | null, threshold: number): Change {
  const { part, name } = (before ?? after)!
  const alone = (verdict: Verdict, why?: string): Change => {
    return { part, name, before, after, change: null, verdict, ...(why ? { why } : {}) }
  }
  if (!before) return alone("added")
  if (!after) return alone("gone")
  if (before.unit !== after.unit || before.better !== after.better) {
    return alone("unclear", "the two don't measure the same")
  }
  if ([...before.rounds, ...after.rounds].some((round) => round.value <= 0)) {
    return alone("unclear", "a figure of nothing has no ratio")
  }
  const rounds = Math.min(before.rounds.length, after.rounds.length)
  const found = compareRounds(before.rounds, after.rounds)
  if (!found) return alone("apart", "the floors of the two results have no round in common")
  const change = before.better === "lower" ? found : inverse(found)
  const verdict = rounds < ENOUGH_ROUNDS ? "unclear" : judge(change, threshold)
  const why = verdict === "unclear" ? whyUnclear(rounds, before, after) : undefined
  return { part, name, before, after, change, verdict, ...(why ? { why } : {}) }
}

function inverse({ value, low, high }: Interval): Interval {
  return { value: 1 / value, low: 1 / high, high: 1 / low }
}

function judge({ low, high }: Interval, threshold: number): Verdict {
  if (low > threshold) return "slower"
  if (high < 1 / threshold) return "faster"
  return high <= threshold && low >= 1 / threshold ? "same" : "unclear"
}

function whyUnclear(rounds: number, before: Row, after: Row): string {
  if (rounds < ENOUGH_ROUNDS)
    return `only ${rounds} rounds; ${ENOUGH_ROUNDS} at least say something`
  return before.why ?? after.why ?? "the interval reaches to both sides of the threshold"
}

const STYLES: Partial<Record<Verdict, Style>> = { faster: "green", slower: "red", unclear: "dim" }

/**
 * A comparison for a person at a terminal.
 *
 * @example for (const line of compareLines(before, after, changes, false)) console.log(line)
 */
export function compareLines(
  before: Result,
  after: Result,
  changes: readonly Change[],
  color: boolean,
): string[] {
  const paint = painter(color)
  const [head, ...body] = table([
    ["row", "before", "after", "change", "95 %", "verdict"],
    ...changes.map(cells),
  ])
  const lines = [...otherMachine(before.machine, after.machine), paint("bold", head!)]
  for (const [i, text] of body.entries()) {
    const style = STYLES[changes[i]!.verdict]
    lines.push(style ? paint(style, text) : text)
  }
  const count = (verdict: Verdict) => changes.filter((one) => one.verdict === verdict).length
  const kinds: Verdict[] = ["slower", "faster", "same", "unclear", "apart", "added", "gone"]
  const counts = kinds.filter((kind) => count(kind) > 0).map((kind) => `${count(kind)} ${kind}`)
  lines.push("", counts.join(", "))
  for (const { part, name, why } of changes) if (why) lines.push(`  ${part}: ${name}: ${why}`)
  return lines
}

function cells({ part, name, before, after, change, verdict }: Change): string[] {
  const figure = (row: Row | null) => (row ? formatFigure(row.value, row.unit) : "-")
  return [
    `${part}: ${name}`,
    figure(before),
    figure(after),
    change ? `${formatRatio(change.value)} ×` : "",
    change ? `${formatRatio(change.low)}–${formatRatio(change.high)}` : "",
    verdict,
  ]
}

const FACTS = ["cpu", "cores", "usable", "kernel", "bun"]

function otherMachine(before: Machine, after: Machine): string[] {
  const differ = FACTS.filter((fact) => before[fact] !== after[fact])
  if (differ.length === 0) return []
  const list = differ.map((fact) => `${fact} ${before[fact]} → ${after[fact]}`)
  return [`not the same machine: ${list.join(", ")}`, ""]
}
