// Pictures of figures as inline SVG: lines over logarithmic axes, and ratios with their intervals.

/** An axis: where a value lies between 0 and 1, and which values get a mark. */
export type Axis = { label: string; place(value: number): number; ticks: [number, string][] }

/** A line of a chart; `note` says more about a point to who points at it. */
export type Series = {
  name: string
  points: [x: number, y: number][]
  note?(x: number, y: number): string
}

const WIDTH = 760
const HEIGHT = 380
const LEFT = 74
const RIGHT = 30
const TOP = 14
const BOTTOM = 46
/** Colours of lines: classes of the page's style sheet. Beyond them lines are dashed. */
const COLORS = 8
const look = (i: number) => `s${i % COLORS}${i >= COLORS ? " more" : ""}`

/**
 * An axis by powers of ten that holds all values.
 *
 * @param show  what to write at a power of ten
 * @example logAxis("p50", [230, 4100], (ns) => formatFigure(ns, "ns"))
 */
export function logAxis(
  label: string,
  values: readonly number[],
  show: (value: number) => string,
): Axis {
  const positive = values.filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(...positive)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))))
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return {
    label,
    place: (value) => (Math.log10(value) - low) / (high - low),
    ticks: powers.map((power) => [power, show(power)]),
  }
}

/** The axis of a distribution's tail: each nine takes as much room as the one before. */
export function tailAxis(most: number): Axis {
  const nines = (share: number) => -Math.log10(1 - Math.min(share, most))
  const shares: [number, string][] = [
    [0, "0"],
    [0.5, "p50"],
    [0.9, "p90"],
    [0.99, "p99"],
    [0.999, "p99.9"],
    [0.9999, "p99.99"],
    [0.99999, "p99.999"],
  ]
  return {
    label: "share of the messages",
    place: (share) => nines(share) / nines(most),
    ticks: shares.filter(([share]) => share <= most),
  }
}

/**
 * Lines over two axes.
 *
 * @example lineChart("Half a round trip by size", x, y, [{ name: "copied", points: [[64, 230]] }])
 */
export function lineChart(title: string, x: Axis, y: Axis, series: readonly Series[]): string {
  const px = (value: number) => round(LEFT + x.place(value) * (WIDTH - LEFT - RIGHT))
  const py = (value: number) => round(HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM))
  const grid = [
    ...x.ticks.map(([value, text]) => {
      const at = px(value)
      return `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="grid"/><text x="${at}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeText(text)}</text>`
    }),
    ...y.ticks.map(([value, text]) => {
      const at = py(value)
      return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" class="grid"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${escapeText(text)}</text>`
    }),
  ]
  const lines = series.map(({ name, points, note }, i) => {
    const path = points.map(([a, b], j) => `${j === 0 ? "M" : "L"}${px(a)} ${py(b)}`).join("")
    const dots = points.map(([a, b]) => {
      const said = escapeText(note ? `${name}: ${note(a, b)}` : name)
      return `<circle cx="${px(a)}" cy="${py(b)}" r="3"><title>${said}</title></circle>`
    })
    return `<g class="${look(i)}"><path d="${path}"/>${dots.join("")}</g>`
  })
  const legend = series.map(
    ({ name }, i) => `<li><i class="${look(i)}"></i>${escapeText(name)}</li>`,
  )
  return `<figure><figcaption>${escapeText(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">${grid.join("")}<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeText(x.label)}</text><text transform="translate(12 ${(HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeText(y.label)}</text>${lines.join("")}</svg><ul class="legend">${legend.join("")}</ul></figure>`
}

/** A row of a chart of ratios. */
export type RatioRow = {
  name: string
  value: number
  low: number
  high: number
  goal?: number | undefined
  text: string
}

const NAMES_WIDTH = 300
const TEXT_WIDTH = 150
const ROW_HEIGHT = 22

/** Ratios with their intervals on one logarithmic scale; a hollow mark is the goal. */
export function ratioChart(title: string, rows: readonly RatioRow[]): string {
  const all = rows.flatMap((row) => [row.low, row.high, row.goal ?? row.value, 1])
  const axis = logAxis("", all, (value) => `${value} ×`)
  const height = rows.length * ROW_HEIGHT + 30
  const px = (value: number) =>
    round(NAMES_WIDTH + axis.place(value) * (WIDTH - NAMES_WIDTH - TEXT_WIDTH))
  const bottom = height - 22
  const grid = axis.ticks.map(([value, text]) => {
    const strong = value === 1 ? " one" : ""
    return `<line x1="${px(value)}" x2="${px(value)}" y1="0" y2="${bottom}" class="grid${strong}"/><text x="${px(value)}" y="${height - 6}" text-anchor="middle">${text}</text>`
  })
  const marks = rows.map((row, i) => {
    const y = i * ROW_HEIGHT + ROW_HEIGHT / 2
    const goal = row.goal
      ? `<rect x="${px(row.goal) - 4}" y="${y - 4}" width="8" height="8" class="goal"><title>goal</title></rect>`
      : ""
    return `<text x="${NAMES_WIDTH - 10}" y="${y + 4}" text-anchor="end">${escapeText(row.name)}</text><g class="s0"><path d="M${px(row.low)} ${y}L${px(row.high)} ${y}"/><circle cx="${px(row.value)}" cy="${y}" r="4"/></g>${goal}<text x="${WIDTH - TEXT_WIDTH + 10}" y="${y + 4}">${escapeText(row.text)}</text>`
  })
  return `<figure><figcaption>${escapeText(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">${grid.join("")}${marks.join("")}</svg></figure>`
}

/** Makes a text safe inside of HTML. */
export function escapeText(text: string): string {
  return Bun.escapeHTML(text)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
