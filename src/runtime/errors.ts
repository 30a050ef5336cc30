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

/** What an error says, and where a program's own error happened. */
export function reasonOf(error: unknown): string {
  if (error instanceof DoraError) return error.message
  if (!(error instanceof Error)) return Bun.inspect(error, { depth: 1 })
  return Bun.inspect(error).trim()
}
