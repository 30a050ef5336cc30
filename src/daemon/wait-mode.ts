// A node chooses its way of waiting in the dataflow file.
import { DoraError } from "../core/errors.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import type { WaitMode } from "../shm/plan.ts"
import { coreQuota } from "./quota.ts"

/** Name of the variable by which a node's `env` chooses its way of waiting. */
export const WAIT_VARIABLE = "DORA_BUN_WAIT"
const WAIT_MODES: readonly string[] = ["busy", "adaptive", "park"]

/** A node's `env` names a way of waiting that does not exist. */
export class WaitModeError extends DoraError {
  constructor(node: NodeSpec, value: string) {
    const { file, line, column } = node.position
    super("WAIT_MODE", {
      where: `${file}:${line}:${column}`,
      what: `node \`${node.id}\` has ${WAIT_VARIABLE}=${value}`,
      fix: "use busy, adaptive or park",
    })
  }
}

/** How a node waits: as its `env` says, else as all do. @throws WaitModeError */
export function waitMode(spec: NodeSpec, otherwise: WaitMode): WaitMode {
  const own = spec.env[WAIT_VARIABLE]
  if (own === undefined) return otherwise
  if (!WAIT_MODES.includes(own)) throw new WaitModeError(spec, own)
  return own as WaitMode
}

/** What a node may need of a core while it waits for messages at 1 kHz and handles them. */
const CORES_PER_NODE = 0.5

/**
 * How nodes wait when nobody has said it. What they poll away counts against a limit of processor time like all else, and who has used it
 * up stands still for tens of milliseconds: with less than half a core for each node they sleep.
 *
 * @param say  hears of it
 */
export function usualWait(nodes: readonly NodeSpec[], say: (message: string) => void): WaitMode {
  const cores = coreQuota()
  if (nodes.length * CORES_PER_NODE <= cores) return "adaptive"
  const limit = `${Math.round(cores * 100) / 100} ${cores === 1 ? "core" : "cores"}`
  say(
    `a control group limits the processor time to ${limit}, for ${nodes.length} nodes: they sleep while they wait (--wait park); --wait adaptive polls`,
  )
  return "park"
}
