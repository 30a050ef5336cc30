// A result as one page that needs nothing else: no network, no script.
import { polls } from "./parts/peers.ts"
import type { Result, Row } from "./result.ts"
import { formatFigure, formatRatio, goalText, noiseLines, reaches } from "./show.ts"
import { median } from "./statistics.ts"
import { SIZES, sizeName } from "./support.ts"
import {
  type Axis,
  escapeText as safe,
  lineChart,
  logAxis,
  ratioChart,
  type Series,
  tailAxis,
} from "./svg.ts"

const STYLE = `
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5d6778;--line:#dde2ea;--page:#fff;
--c0:#2563eb;--c1:#d97706;--c2:#059669;--c3:#dc2626;--c4:#7c3aed;--c5:#0891b2;--c6:#be185d;--c7:#65a30d}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#2c3442;--page:#12161d;
--c0:#6ea0ff;--c1:#f5a94c;--c2:#3fcf9a;--c3:#ff7a75;--c4:#b08cff;--c5:#4cc9e6;--c6:#ff7ab8;--c7:#a5d64a}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:980px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .4rem}p{margin:.3rem 0}
.soft,dt,figcaption,.noisy td{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.87rem}
th,td{text-align:right;padding:.22rem .5rem;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:11rem}
.wide{overflow-x:auto}.yes{color:var(--c2)}.no{color:var(--c3)}
figure{margin:1.2rem 0}svg{width:100%;height:auto;display:block}svg text{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--line)}.one{stroke:var(--soft)}path{fill:none;stroke:var(--c);stroke-width:1.8}circle{fill:var(--c)}
.goal{fill:var(--page);stroke:var(--ink);stroke-width:1.5}
${Array.from({ length: 8 }, (_, i) => `.s${i}{--c:var(--c${i})}`).join("")}
.more path{stroke-dasharray:5 4}.legend .more{background:repeating-linear-gradient(90deg,var(--c) 0 5px,transparent 5px 9px)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.3rem 0 0 4rem;font-size:.85rem}
.legend i{display:inline-block;width:1rem;height:3px;background:var(--c);vertical-align:middle;margin-right:.4rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;font-size:.87rem}dd{margin:0}
`

/**
 * The page.
 *
 * @example await Bun.write("result.html", resultPage(result))
 */
export function resultPage(result: Result): string {
  const { machine, method, rows } = result
  const groups = Map.groupBy(rows, (row) => row.part)
  const date = String(machine.date).slice(0, 16).replace("T", " ")
  const tables = [...groups].map(([part, of]) => `<h2>${safe(part)}</h2>${tableOf(of)}`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>dora bench ${safe(date)}</title><style>${STYLE}</style></head><body>
<h1>dora bench</h1>
<p class="soft">${safe(`${date} UTC · ${machine.cpu}, ${machine.cores} cores · Linux ${machine.kernel} · Bun ${machine.bun} · dora-bun ${machine.doraBun} · ${method.rounds} rounds`)}</p>
${goals(rows)}
${pictures(rows)}
${tables.join("\n")}
${noise(rows)}
${notesOf(result)}
<h2>Machine and method</h2>${facts(machine)}${facts(method)}
</body></html>
`
}

function goals(rows: readonly Row[]): string {
  const held = rows.filter((row) => reaches(row) !== null)
  if (held.length === 0) return ""
  const reached = held.filter((row) => reaches(row)).length
  return `<p>${reached} of ${held.length} rows with a goal reach it.</p>`
}

function tableOf(rows: readonly Row[]): string {
  const tail = rows.some((row) => row.figures["p99.9"] !== undefined)
  const head = ["", tail ? "p50" : "median", ...(tail ? ["p90", "p99", "p99.9", "max"] : [])]
  const others = ["dropped%", "cpu%", "bytes/s"].filter((name) =>
    rows.some((row) => row.figures[name] !== undefined && row.unit !== "%"),
  )
  head.push(...others.map((name) => name.replace("%", " %")), "beside", "ratio", "95 %", "goal")
  const body = rows.map((row) => {
    const figure = (name: string) =>
      row.figures[name] === undefined ? "" : formatFigure(row.figures[name], row.unit)
    const other = (name: string) => {
      const value = row.figures[name]
      if (value === undefined) return ""
      return name === "bytes/s" ? formatFigure(value, "bytes/s") : value.toFixed(1)
    }
    const { ratio } = row
    const beside = row.peer ?? row.floor
    const reached = reaches(row)
    const mark = reached === null ? "" : reached ? ' <b class="yes">✓</b>' : ' <b class="no">✗</b>'
    const cells = [
      safe(row.name) + (row.noisy ? ` <span title="${safe(row.why ?? "")}">?</span>` : ""),
      formatFigure(row.value, row.unit),
      ...(tail ? ["p90", "p99", "p99.9", "max"].map(figure) : []),
      ...others.map(other),
      beside ? safe(`${beside.name} ${formatFigure(beside.value, row.unit)}`) : "",
      ratio ? `${formatRatio(ratio.value)} ×` : "",
      ratio ? `${formatRatio(ratio.low)}–${formatRatio(ratio.high)}` : "",
      safe(goalText(row)) + mark,
    ]
    return `<tr${row.noisy ? ' class="noisy"' : ""}>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`
  })
  const titles = head.map((title) => `<th>${safe(title)}</th>`).join("")
  return `<div class="wide"><table><thead><tr>${titles}</tr></thead><tbody>${body.join("")}</tbody></table></div>`
}

function pictures(rows: readonly Row[]): string {
  const of = (part: string) => rows.filter((row) => row.part === part)
  const awake = of("latency").filter((row) => !/, (adaptive|parked)$/.test(row.name))
  return [
    ratios(
      "Times beside the floor (hollow: the goal)",
      rows.filter((row) => row.ratio?.to === "floor"),
    ),
    sweep(
      "Half a round trip by size, p50",
      "p50",
      awake.filter((row) => row.name.includes("recv()")),
      true,
    ),
    distribution("Half a round trip, distribution", awake),
    sweep(
      "Paced, one way by size, p50",
      "p50",
      of("paced").filter((row) => row.name.includes("every 5 ms, recv()")),
    ),
    distribution("Paced, one way from the intended send, distribution", of("paced")),
    sweep("Messages a second by size", "messages/s", of("throughput")),
    ...[...Map.groupBy(of("peers"), (row) => row.name.replace(/^[^:]*: [^,]*, /, ""))].map(
      ([work, group]) => peers(work, group),
    ),
  ].join("\n")
}

function ratios(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return ""
  return ratioChart(
    title,
    rows.map((row) => ({
      name: row.name,
      ...row.ratio!,
      goal: row.goals?.find((goal) => goal.of === "ratio")?.limit,
      text: `${formatRatio(row.ratio!.value)} × ${row.floor!.name}`,
    })),
  )
}

/** Sizes in equal steps, which is how the benchmarks choose them; 0 has a place too. */
function sizeAxis(sizes: readonly number[]): Axis {
  const steps = SIZES.filter((size) => sizes.includes(size))
  const last = Math.max(1, steps.length - 1)
  return {
    label: "bytes in a message",
    place: (size) => steps.indexOf(size) / last,
    ticks: steps.map((size) => [size, sizeName(size)]),
  }
}

/** A line for each way of sending, over the sizes. */
function sweep(title: string, label: string, rows: readonly Row[], withFloor = false): string {
  const sized = rows.filter((row) => row.size !== undefined && SIZES.includes(row.size))
  const way = (row: Row) => row.name.replace(/^\d+ [KMG]?B /, "")
  const series: Series[] = [...Map.groupBy(sized, way)].map(([name, group]) =>
    seriesOf(name, group, (row) => row.value),
  )
  if (withFloor && sized.every((row) => row.floor)) {
    const floors = sized.map((row): [number, number] => [row.size!, row.floor!.value])
    const line = [...new Map(floors).entries()].sort(([a], [b]) => a - b)
    if (line.length > 0) series.push({ name: sized[0]!.floor!.name, points: line })
  }
  return overSizes(title, label, series, sized[0]?.unit ?? "ns")
}

function peers(work: string, rows: readonly Row[]): string {
  const theirs = [...Map.groupBy(rows, (row) => row.peer?.name ?? "?")].map(([name, group]) =>
    seriesOf(name, group, (row) => row.peer!.value),
  )
  // Ours were measured beside each of them: awake beside those that poll.
  const way = ({ peer }: Row) => {
    if (!work.startsWith("one after")) return "dora-bun"
    return polls(peer?.name ?? "") ? "dora-bun, awake" : "dora-bun, waiting as by default"
  }
  const ours = [...Map.groupBy(rows, way)].map(([name, group]) => {
    const sizes = [...Map.groupBy(group, (row) => row.size).values()]
    const middle = (same: Row[]) => ({ ...same[0]!, value: median(same.map((row) => row.value)) })
    return seriesOf(name, sizes.map(middle), (row) => row.value)
  })
  const unit = rows[0]?.unit ?? "ns"
  const label = unit === "ns" ? "p50" : unit
  return overSizes(`Peers, ${work}`, label, [...ours, ...theirs], unit)
}

function seriesOf(name: string, rows: readonly Row[], value: (row: Row) => number): Series {
  const points = rows.map((row): [number, number] => [row.size!, value(row)])
  const { unit } = rows[0]!
  return {
    name,
    points: points.sort(([a], [b]) => a - b),
    note: (size, at) => `${sizeName(size)}, ${formatFigure(at, unit)}`,
  }
}

function overSizes(title: string, label: string, series: Series[], unit: Row["unit"]): string {
  const sizes = series.flatMap(({ points }) => points.map(([size]) => size))
  if (new Set(sizes).size < 2) return ""
  const values = series.flatMap(({ points }) => points.map(([, value]) => value))
  const y = logAxis(label, values, (value) => formatFigure(value, unit))
  return lineChart(title, sizeAxis(sizes), y, series)
}

/** How many lines one picture of distributions may have; where there are more, rows of these sizes stand for all. */
const MOST_LINES = 8
const DRAWN_SIZES: readonly unknown[] = [64, 4096, 4_096_000]

function distribution(title: string, rows: readonly Row[]): string {
  const all = rows.filter((row) => row.cdf)
  const few = all.length <= MOST_LINES ? all : all.filter(({ size }) => DRAWN_SIZES.includes(size))
  const drawn = few.slice(0, MOST_LINES)
  if (drawn.length === 0) return ""
  const series = drawn.map(({ name, cdf }): Series => {
    // The largest has no share of its own: it is drawn one step beyond the last.
    const points = cdf!.filter(([share]) => share < 1)
    return {
      name,
      points,
      note: (share, ns) => `${formatFigure(ns, "ns")} at ${share.toPrecision(5)}`,
    }
  })
  const shares = series.flatMap(({ points }) => points.map(([share]) => share))
  const values = series.flatMap(({ points }) => points.map(([, ns]) => ns))
  const y = logAxis("time", values, (value) => formatFigure(value, "ns"))
  return lineChart(title, tailAxis(Math.max(...shares)), y, series)
}

function noise(rows: readonly Row[]): string {
  const noisy = rows.filter((row) => row.noisy)
  if (noisy.length === 0) return ""
  const list = noiseLines(noisy).map((line) => `<li>${safe(line)}</li>`)
  return `<h2>Not to be relied on</h2><p>Rows marked “?”:</p><ul class="soft">${list.join("")}</ul>`
}

function notesOf({ notes }: Result): string {
  return (notes ?? []).map((sentence) => `<p>${safe(sentence)}</p>`).join("")
}

function facts(record: Record<string, unknown>): string {
  const pairs = Object.entries(record).map(
    ([name, value]) => `<dt>${safe(name)}</dt><dd>${safe(String(value ?? "-"))}</dd>`,
  )
  return `<dl>${pairs.join("")}</dl>`
}
