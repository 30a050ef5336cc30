// What can be wrong with an operator. Errors of one kind of operator stand with its host.
import { DoraError } from "../core/errors.ts"
import type { OperatorPlan } from "../shm/plan.ts"

/** Where an operator comes from: its file, and its place in the dataflow file. */
export type OperatorOrigin = Pick<OperatorPlan, "id" | "path" | "place">

/** An operator threw, or answered with an error: its node ends. */
export class OperatorFailedError extends DoraError {
  constructor(node: string, { id, path, place }: OperatorOrigin, doing: string, cause: unknown) {
    super("OPERATOR_FAILED", {
      what: `operator \`${node}/${id}\` (${path}) failed ${doing}`,
      where: place,
      why: reasonOf(cause),
      cause,
    })
  }
}

/** An operator answered with something that is no status. */
export class OperatorStatusError extends DoraError {
  constructor(answer: unknown) {
    super("OPERATOR_STATUS", {
      what: `onEvent returned ${Bun.inspect(answer, { depth: 0 })}, which is no status`,
      fix: "return DoraStatus.CONTINUE, STOP or STOP_ALL, or nothing",
    })
  }
}

/** The file of an operator is not there, or is no file of its kind. */
export class OperatorFileError extends DoraError {
  constructor({ id, path, place }: OperatorOrigin, why: string, fix?: string, cause?: unknown) {
    super("OPERATOR_FILE", {
      what: `operator \`${id}\`: can't load ${path}`,
      where: place,
      why,
      fix,
      cause,
    })
  }
}

const MOST_ERRORS = 3
const MOST_FRAMES = 4

/** What an error says, and where a program's own error happened: short, since it is read in the tail of a node's output. */
export function reasonOf(error: unknown): string {
  if (error instanceof DoraError) return error.message
  if (error instanceof AggregateError) {
    return error.errors.slice(0, MOST_ERRORS).map(reasonOf).join("\n")
  }
  // What Bun throws for a file that it can't parse or resolve.
  const { position } = error as { position?: BuildMessage["position"] }
  if (position) {
    const { file, line, column, lineText } = position
    return `${file}:${line}:${column}: ${(error as Error).message}\n    ${lineText}`
  }
  if (!(error instanceof Error)) return Bun.inspect(error, { depth: 1 })
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line))
  return [`${error.name}: ${error.message}`, ...frames.slice(0, MOST_FRAMES)].join("\n")
}
