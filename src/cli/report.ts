// How errors reach the person: what went wrong in their words, and a stack only where we are at fault.
import { InvariantError } from "../core/assert.ts"
import { DoraError } from "../core/errors.ts"
import {
  type Dataflow,
  DescriptorError,
  formatProblems,
  type Problem,
} from "../descriptor/index.ts"
import { wantsColor } from "./color.ts"
import { UsageError } from "./flags.ts"
import { say } from "./say.ts"

/**
 * Shows an error on stderr and gives the exit code that belongs to it.
 *
 * @param command  the command that was running, for the hint
 * @returns        2 for a wrong command line, else 1
 */
export function report(error: unknown, command: string | null): number {
  if (error instanceof UsageError) {
    say.error(error.message)
    say.info(`usage: dora ${command ? `${command} ` : ""}--help`)
    return 2
  }
  if (error instanceof DescriptorError) {
    showProblems(error.problems, error.texts)
    const errors = error.problems.filter((problem) => problem.severity === "error").length
    say.error(`${errors} ${errors === 1 ? "problem" : "problems"}, nothing was started`)
  } else if (error instanceof DoraError && !(error instanceof InvariantError)) {
    say.error(error.message)
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    say.error(`unexpected: ${text}`)
    say.info("this is a bug in dora-bun: please report it with the lines above and the dataflow")
  }
  return 1
}

/** Shows what is legal in a dataflow file and probably not meant. */
export function showWarnings(flow: Dataflow): void {
  if (flow.warnings.length > 0) showProblems(flow.warnings, flow.texts)
}

function showProblems(problems: readonly Problem[], texts: Dataflow["texts"]): void {
  const color = wantsColor(process.stderr)
  process.stderr.write(`${formatProblems(problems, texts, { color })}\n\n`)
}
