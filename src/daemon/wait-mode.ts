// A node chooses its way of waiting in the dataflow file.
import { DoraError } from "../core/errors.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import type { WaitMode } from "../shm/plan.ts"

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
