// The result of a run of the suite: one schema for the table, the page, the comparison and the file.
import { DoraError } from "../src/core/errors.ts"

/** Counts up when a reader of the last version would misunderstand the file. */
export const RESULT_VERSION = 1

/** A number with its 95 % interval. */
export type Interval = { value: number; low: number; high: number }

/** In what a figure is given. Times are in ns, shares of a core and losses in %, memory in bytes. */
export const UNITS = ["ns", "messages/s", "bytes/s", "events/s", "%", "bytes", "×"] as const

/** One of {@link UNITS}. */
export type Unit = (typeof UNITS)[number]

/**
 * One take of a row; `floor` and `peer` were taken beside it. `unsteady` says what disturbed it, `shared` how many times as long as at
 * best a core took that was shared.
 */
export type Round = {
  value: number
  floor?: number
  peer?: number
  unsteady?: string
  shared?: number
}

/** A bound that a row is held to: on its value, its ratio, or one of its figures by name. */
export type Goal = { of: string; limit: number }

/** One figure of the suite. A row is known by its part and name. */
export type Row = {
  part: string
  name: string
  /** Bytes of a message, where it has one. */
  size?: number
  unit: Unit
  better: "lower" | "higher"
  /** The median over the rounds of what the row is about: a p50, a rate. */
  value: number
  /** All figures by name, in `unit` unless the name says otherwise: p50, p90, p99, p99.9, max, dropped%, cpu%. */
  figures: Record<string, number>
  /** What it is measured against, taken in the same minutes. */
  floor?: { name: string; value: number }
  peer?: { name: string; value: number; figures?: Record<string, number> }
  /** Of the figure to the floor or the peer, over the pairs of takes that stand beside each other. */
  ratio?: Interval & { to: "floor" | "peer" }
  goals?: readonly Goal[]
  rounds: Round[]
  /** The machine was too noisy for this figure, and in which way. */
  noisy: boolean
  why?: string
  /** At most 64 points [share of messages, figure], rising. */
  cdf?: [number, number][]
}

/** Facts of the machine without which figures mean nothing. */
export type Machine = Record<string, string | number | null>

/** How a result was made. */
export type Method = Record<string, string | number | boolean | null>

/** A run of the suite. */
export type Result = {
  version: number
  machine: Machine
  method: Method
  rows: Row[]
  /** What else a reader must know: what was left out, and why. */
  notes?: string[]
}

/** A file is no result of the suite. */
export class ResultFileError extends DoraError {
  constructor(path: string, why: string) {
    super("RESULT_FILE", {
      what: `${path} is not a result of dora bench`,
      why,
      fix: "give a file that `dora bench` wrote: bench-results/<date>.json, or its `--json` output",
    })
  }
}

/** Most points of a {@link Row.cdf}. */
export const MAX_CDF_POINTS = 64
/** Largest result that is read. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024

/**
 * Reads a result from a file.
 *
 * @throws ResultFileError  missing, unreadable, or anything but a result
 * @example (await readResult("bench-results/2026-11-22.json")).rows[0]?.name
 */
export async function readResult(path: string): Promise<Result> {
  const file = Bun.file(path)
  let text: string
  try {
    if (file.size > MAX_RESULT_BYTES) throw new Error(`it has ${file.size} bytes`)
    text = await file.text()
  } catch (error) {
    throw new ResultFileError(path, messageOf(error))
  }
  return parseResult(text, path)
}

/**
 * Reads a result from text and checks every field that is used later.
 *
 * @throws ResultFileError  with the place of the first field that is wrong
 * @example parseResult(JSON.stringify(result), "a.json")
 */
export function parseResult(text: string, path: string): Result {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ResultFileError(path, messageOf(error))
  }
  const problem = problemOf(value)
  if (problem !== null) throw new ResultFileError(path, problem)
  return value as Result
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

type Check = (value: unknown) => boolean

const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value)
const isText: Check = (value) => typeof value === "string"
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const shape =
  (fields: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]))
const recordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check)
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value)

const named = shape({ name: isText, value: isNumber, figures: maybe(recordOf(isNumber)) })
const interval = { value: isNumber, low: isNumber, high: isNumber }
const ROW: Record<string, Check> = {
  part: isText,
  name: isText,
  size: maybe(isNumber),
  unit: oneOf(...UNITS),
  better: oneOf("lower", "higher"),
  value: isNumber,
  figures: recordOf(isNumber),
  floor: maybe(named),
  peer: maybe(named),
  ratio: maybe(shape({ ...interval, to: oneOf("floor", "peer") })),
  goals: maybe(listOf(shape({ of: isText, limit: isNumber }))),
  rounds: listOf(
    shape({
      value: isNumber,
      floor: maybe(isNumber),
      peer: maybe(isNumber),
      unsteady: maybe(isText),
      shared: maybe(isNumber),
    }),
  ),
  noisy: oneOf(true, false),
  why: maybe(isText),
  cdf: maybe(listOf((point) => listOf(isNumber)(point) && (point as unknown[]).length === 2)),
}
const isFact: Check = (value) =>
  value === null || ["string", "number", "boolean"].includes(typeof value)

function problemOf(value: unknown): string | null {
  if (!isObject(value)) return "it holds no object"
  if (value.version !== RESULT_VERSION) {
    return `"version" is ${JSON.stringify(value.version)}, this reads ${RESULT_VERSION}`
  }
  for (const name of ["machine", "method"]) {
    if (!recordOf(isFact)(value[name])) return `"${name}" is no object of plain values`
  }
  if (!maybe(listOf(isText))(value.notes)) return '"notes" is no list of sentences'
  if (!Array.isArray(value.rows)) return '"rows" is no list'
  for (const [index, row] of value.rows.entries()) {
    if (!isObject(row)) return `rows[${index}] is no object`
    for (const [name, check] of Object.entries(ROW)) {
      if (!check(row[name])) return `rows[${index}].${name} is ${brief(row[name])}`
    }
  }
  return null
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 60)
}
