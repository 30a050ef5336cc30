// Durations and sizes of a dataflow, with the official sentences.
import { type Problems, quote } from "./problems.ts"
import { readNumber, wrongType } from "./read.ts"
import { meaning, plainNumber } from "./scalar.ts"
import type { YamlNode } from "./yaml.ts"

const MAX_SECONDS = 2 ** 64
const BELOW = "smaller than 18446744073709552000"
/** Half of this rounds to nothing: durations are whole nanoseconds. */
const NANOSECOND = 1e-9

/**
 * A duration in seconds, zero allowed.
 *
 * @param owner  "node `a`"
 */
export function checkSeconds(
  problems: Problems,
  value: YamlNode,
  field: string,
  owner: string,
): number | null {
  const seconds = readNumber(problems, value, field)
  if (seconds === null) return null
  if (seconds >= 0 && seconds < MAX_SECONDS) return seconds
  const rule = `must be a finite, non-negative number of seconds ${BELOW}`
  problems.error(
    "BAD_VALUE",
    value,
    `${owner} has invalid \`${field}\`: ${plainNumber(seconds)} (${rule})`,
  )
  return null
}

/** A duration in seconds that is longer than nothing. */
export function checkPositiveSeconds(
  problems: Problems,
  value: YamlNode,
  field: string,
  owner: string,
): number | null {
  const seconds = readNumber(problems, value, field)
  if (seconds === null) return null
  const isZero = seconds >= 0 && seconds < NANOSECOND / 2
  if (seconds > 0 && seconds < MAX_SECONDS && !isZero) return seconds
  const rule = isZero
    ? "must be a positive number of seconds; this value is zero or rounds down to a zero-length duration"
    : `must be a finite, positive number of seconds ${BELOW}`
  problems.error(
    "BAD_VALUE",
    value,
    `${owner} has invalid \`${field}\`: ${plainNumber(seconds)} (${rule})`,
  )
  return null
}

const UNITS = new Map([
  ["", 1],
  ["B", 1],
  ["K", 1024],
  ["KB", 1024],
  ["M", 1024 ** 2],
  ["MB", 1024 ** 2],
  ["G", 1024 ** 3],
  ["GB", 1024 ** 3],
])

/**
 * A size in bytes: a whole number, or a number with a unit, as in `1.5 KB`.
 *
 * @example byteSize("8 MB") // { bytes: 8388608 }
 */
export function byteSize(text: string): { bytes: number } | { problem: string } {
  const trimmed = text.trim()
  const parts = /^([+-]?[0-9.]+)\s*([a-zA-Z]*)$/.exec(trimmed)
  if (!parts) return { problem: `invalid byte size: ${quote(text)}` }
  const [, number = "", unit = ""] = parts
  const factor = UNITS.get(unit.toUpperCase())
  if (factor === undefined) {
    return { problem: `unknown byte size unit: ${quote(unit.toUpperCase())}` }
  }
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(number)) {
    return { problem: `invalid number in byte size: ${quote(number)}` }
  }
  const bytes = Math.floor(Number(number) * factor)
  if (number.startsWith("-")) {
    return { problem: `byte size must be a non-negative, finite number: ${quote(text)}` }
  }
  return bytes < 2 ** 64 ? { bytes } : { problem: `byte size ${quote(text)} is too large` }
}

/** Notes what is wrong with a size in bytes. */
export function checkByteSize(problems: Problems, value: YamlNode, field: string): number | null {
  if (value.kind !== "scalar") return wrongType(problems, value, field, "a size such as `8MB`")
  const number = meaning(value)
  const result =
    typeof number === "bigint" && number < 0n
      ? { problem: "byte size cannot be negative" }
      : byteSize(value.text)
  if ("bytes" in result) return result.bytes
  problems.error("BAD_VALUE", value, result.problem)
  return null
}
