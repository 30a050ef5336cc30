// How numbers are read and shown: durations, bytes, rates. One place, so that every table agrees.

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const PART = /^(\d+(?:\.\d+)?)(ms|s|m|h)/

/**
 * Reads a duration: `10s`, `500ms`, `2m`, `1h30m`; a bare number is in seconds. Milliseconds, or null when it is none.
 *
 * @example parseDuration("1m30s") // 90_000
 */
export function parseDuration(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  let rest = text
  let total = 0
  while (rest !== "") {
    const part = PART.exec(rest)
    if (!part) return null
    total += Number(part[1]) * UNIT_MS[part[2]!]!
    rest = rest.slice(part[0].length)
  }
  return text === "" ? null : total
}

/**
 * A duration with three digits and the unit that suits it, nanoseconds to hours.
 *
 * @param micros  microseconds
 * @example formatMicros(1234) // "1.23 ms"
 */
export function formatMicros(micros: number): string {
  if (!Number.isFinite(micros)) return "-"
  if (micros > 0 && micros < 0.9995) return `${Math.round(micros * 1000)} ns`
  if (micros < 999.5) return `${digits(micros)} µs`
  if (micros < 999_500) return `${digits(micros / 1000)} ms`
  if (micros < 59_950_000) return `${digits(micros / 1e6)} s`
  const seconds = Math.round(micros / 1e6)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`
}

/**
 * A duration in milliseconds, shown as {@link formatMicros} does.
 *
 * @example formatMillis(8000) // "8.00 s"
 */
export function formatMillis(millis: number): string {
  return formatMicros(millis * 1000)
}

/**
 * A size in decimal units.
 *
 * @example formatBytes(921_600) // "922 kB"
 */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB"])
}

/**
 * A rate of messages.
 *
 * @example formatRate(29.97) // "30.0/s"
 */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "-"
  return `${scaled(perSecond, ["", "k", "M", "G"], false).trimEnd()}/s`
}

/**
 * A whole number in groups of three.
 *
 * @example formatCount(1234567) // "1,234,567"
 */
export function formatCount(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",")
}

function scaled(value: number, units: readonly string[], whole = true): string {
  let index = 0
  let rest = value
  // 999.5 rounds to four digits, so it belongs to the next unit.
  while (Math.abs(rest) >= 999.5 && index < units.length - 1) {
    rest /= 1000
    index++
  }
  const exact = whole && index === 0 && Number.isInteger(rest)
  return `${exact ? rest : digits(rest)} ${units[index]}`
}

/** Three significant digits, without an exponent. */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95) return value.toFixed(0)
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}
