// A command that is run to its end before the nodes are started.
import { StartAbortedError } from "./failure.ts"
import type { NodeLog } from "./logs.ts"
import { Child, type Exit, type Launch } from "./spawn.ts"

/**
 * Runs a command for a node.
 *
 * @param signal  aborted: the command is killed
 * @throws SpawnError, StartAbortedError
 */
export async function runStep(launch: Launch, log: NodeLog, signal?: AbortSignal): Promise<Exit> {
  signal?.throwIfAborted()
  log.begin()
  const child = new Child(launch)
  const abort = () => child.kill()
  signal?.addEventListener("abort", abort)
  const exit = await child.finished
  signal?.removeEventListener("abort", abort)
  if (signal?.aborted) throw new StartAbortedError(signal.reason)
  return exit
}
