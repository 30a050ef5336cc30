// What the tests of this room share.
import { parseDataflow } from "./load.ts"
import { DescriptorError } from "./problems.ts"
import { formatProblems } from "./report.ts"
import type { Dataflow, Problem } from "./types.ts"

/** A dataflow and the exact report about it. */
export type Case = { name: string; text: string; report: string }

/** Where test dataflows claim to lie; nothing is there. */
export const TEST_FILE = "/flows/flow.yml"
const ENV = { PATH: "/usr/bin:/bin", GREETING: "hello", EMPTY: "", NUMBER: "0123" }

/** Reads a dataflow in a fixed environment: PATH, GREETING, EMPTY, NUMBER. */
export function parse(text: string): Dataflow {
  return parseDataflow(text, TEST_FILE, { env: ENV })
}

/** Everything that is said about a dataflow. */
export function problemsOf(text: string): readonly Problem[] {
  try {
    return parse(text).warnings
  } catch (error) {
    if (error instanceof DescriptorError) return error.problems
    throw error
  }
}

/** The plain report about a dataflow. */
export function reportOf(text: string): string {
  return formatProblems(problemsOf(text), new Map([[TEST_FILE, text]])).replaceAll(
    TEST_FILE,
    "flow.yml",
  )
}

/** Codes of the errors of a dataflow, in order. */
export function errorsOf(text: string): string[] {
  return problemsOf(text).flatMap(({ severity, code }) => (severity === "error" ? code : []))
}

/** Codes of the warnings of a dataflow, in order. */
export function warningsOf(text: string): string[] {
  return problemsOf(text).flatMap(({ severity, code }) => (severity === "warning" ? code : []))
}

/** A template literal without its first line break and without the six columns that indent it. */
export function dedent(text: string): string {
  return text.replace(/^\n/, "").replace(/^ {6}/gm, "")
}
