import { DoraError } from "../core/errors.ts"
import type { OperatorKind } from "../core/operator.ts"
import type { Host } from "./host.ts"

/** A kind of operators that is read from dataflow files and has no host yet. */
export class NoHostError extends DoraError {
  constructor(kind: OperatorKind) {
    super("NO_HOST", {
      what: `this version can't run operators of the kind \`${kind}\` yet`,
      fix: "write the operator in TypeScript",
    })
  }
}

/** The host of a kind of operators; what is not needed is not loaded. @throws NoHostError */
export async function hostOf(kind: OperatorKind): Promise<Host> {
  if (kind === "module") return new (await import("./module.ts")).ModuleHost()
  if (kind === "shared-library") return (await import("./library.ts")).libraryHost
  throw new NoHostError(kind)
}
