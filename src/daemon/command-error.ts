import { DoraError } from "../core/errors.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import { placeOf } from "./failure.ts"

/** The program of a node is not there, or can't be run. */
export class CommandError extends DoraError {
  constructor(node: NodeSpec, why: string, fix: string) {
    super("COMMAND_NOT_FOUND", {
      what: `node ${node.id}: can't run \`${node.path || node.operators[0]?.path}\``,
      where: placeOf(node),
      why,
      fix,
    })
  }
}
