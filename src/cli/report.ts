// How errors reach the person: what went wrong in their words, and a stack only where we are at fault.
import { InvariantError } from "../core/assert.ts"
import { DoraError } from "../core/errors.ts"
import { UsageError } from "./flags.ts"
import { say } from "./say.ts"

/**
 * Shows an error on stderr and gives the exit code that belongs to it.
 *
 * @param command  the command that was running, for the hint
 * @returns        2 for a wrong command line, else 1
 */
export async function report(error: unknown, command: string | null): Promise<number> {
  if (error instanceof UsageError) {
    say.error(error.message)
    say.info(`usage: dora ${command ? `${command} ` : ""}--help`)
    return 2
  }
  const { DescriptorError, formatProblems } = await import("../descriptor/index.ts")
  if (error instanceof DescriptorError) {
    process.stderr.write(`${formatProblems(error.problems)}\n`)
  } else if (error instanceof DoraError && !(error instanceof InvariantError)) {
    say.error(error.message)
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    say.error(`unexpected: ${text}`)
    say.info("this is a bug in dora-bun: please report it with the lines above and the dataflow")
  }
  return 1
}
