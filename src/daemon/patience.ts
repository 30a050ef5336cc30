// The wait for all nodes to come to the start barrier.
import { STARTUP_TIMEOUT_MS } from "../core/limits.ts"
import type { Barrier } from "./barrier.ts"
import { StartAbortedError, StartupTimeoutError } from "./failure.ts"
import { isLoading } from "./operators.ts"
import type { SupervisedNode } from "./supervise.ts"
import type { RunOptions } from "./types.ts"

const LOOK_MS = 500

/**
 * Waits until all nodes have been let go.
 *
 * @throws StartupTimeoutError, StartAbortedError, and what the barrier fails with
 */
export async function passBarrier(
  barrier: Barrier,
  nodes: readonly SupervisedNode[],
  { signal, startupTimeoutMs = STARTUP_TIMEOUT_MS }: RunOptions,
): Promise<void> {
  const abort = () => barrier.fail(new StartAbortedError(signal!.reason))
  using _ = new Patience(nodes, startupTimeoutMs, barrier)
  signal?.addEventListener("abort", abort)
  if (signal?.aborted) abort()
  try {
    await barrier.passed
  } finally {
    signal?.removeEventListener("abort", abort)
  }
}

/** How long nodes may take to come to the barrier. While a node makes its Python operators its time does not run. */
class Patience implements Disposable {
  readonly #timer: Timer
  readonly #sinceMs = new Map<SupervisedNode, number>()

  /** @param limitMs  after this long the barrier fails */
  constructor(nodes: readonly SupervisedNode[], limitMs: number, barrier: Barrier) {
    const startMs = performance.now()
    const look = () => {
      const nowMs = performance.now()
      const missing = nodes.filter(({ id }) => barrier.missing.includes(id))
      for (const node of missing) if (isLoading(node)) this.#sinceMs.set(node, nowMs)
      const late = missing.find((node) => nowMs - (this.#sinceMs.get(node) ?? startMs) >= limitMs)
      if (!late) return
      const { spec, command, log } = late
      const seconds = limitMs / 1000
      barrier.fail(new StartupTimeoutError(spec, barrier.missing, seconds, command, log.stderrTail))
    }
    this.#timer = setInterval(look, Math.min(LOOK_MS, limitMs))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
