import { DoraError } from "../core/errors.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import { placeOf } from "./failure.ts"
import type { Guard } from "./guard.ts"
import type { NodeLog } from "./logs.ts"
import { runStep } from "./step.ts"

/** A build command of a node did not succeed. */
export class BuildError extends DoraError {
  constructor(node: NodeSpec, command: readonly string[], status: string, tail: readonly string[]) {
    super("BUILD_FAILED", {
      what: `build command \`${command.join(" ")}\` of node ${node.id} returned ${status}`,
      where: placeOf(node),
      why: tail.length > 0 ? `stderr:\n${tail.map((line) => `    ${line}`).join("\n")}` : undefined,
      fix: "run the command by hand in the directory of the dataflow file",
    })
  }
}

/**
 * Runs the build commands of a node one after the other; their output goes to the node's log.
 *
 * @param cwd  where the node will run
 * @throws BuildError, SpawnError, StartAbortedError
 */
export async function build(
  node: NodeSpec,
  cwd: string,
  around: {
    env: Record<string, string>
    log: NodeLog
    guard: Guard
    /** `pip` is that of uv. */
    uv?: boolean
    signal?: AbortSignal
  },
): Promise<void> {
  const { log, guard, uv, signal } = around
  const env = { ...around.env, CLICOLOR: "1", CLICOLOR_FORCE: "1" }
  for (const written of node.build) {
    const argv = uv && /^pip3?$/.test(written[0]!) ? ["uv", "pip", ...written.slice(1)] : written
    const onLine = (stream: "stdout" | "stderr", line: string) => void log.line(stream, line)
    const step = { argv: inPath(argv, env), cwd, env, guard, onLine }
    const { code, signal: killed } = await runStep(step, log, signal)
    if (code !== 0) throw new BuildError(node, argv, killed ?? `exit code ${code}`, log.stderrTail)
  }
}

/** The PATH of the node counts, not ours. */
function inPath(argv: string[], env: Record<string, string>): string[] {
  const [program = "", ...args] = argv
  const found = program.includes("/") ? null : Bun.which(program, { PATH: env.PATH ?? "" })
  return [found ?? program, ...args]
}
