// The operators of a node, as the daemon sees them: one process of ours that runs them all.
import type { InputSpec, NodeSpec } from "../descriptor/types.ts"
import type { NodePlan } from "../shm/plan.ts"

/** Does an input come from an operator of the same process? */
export function isSibling(spec: NodeSpec, { source }: InputSpec): boolean {
  return spec.operators.length > 0 && source.kind === "output" && source.node === spec.id
}

/** What a runtime is told about its operators; nothing for other nodes. */
export function operatorPlans(spec: NodeSpec): Pick<NodePlan, "operators"> {
  if (spec.operators.length === 0) return {}
  return {
    operators: spec.operators.map(({ id, kind, path, threads, position }) => {
      const { file, line, column } = position
      return { id, kind, path, threads, place: `${file}:${line}:${column}` }
    }),
  }
}
