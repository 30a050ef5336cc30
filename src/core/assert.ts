import { DoraError } from "./errors.ts"

/** An invariant of ours does not hold: a bug in dora-bun, never a mistake of the user. */
export class InvariantError extends DoraError {
  constructor(what: string) {
    super("INTERNAL_INVARIANT", {
      what: `internal invariant broken: ${what}`,
      fix: "please report this with the stack trace and your dataflow file",
    })
  }
}

/**
 * Checks an invariant; stays on in production.
 *
 * @throws InvariantError  when `condition` is false
 * @example assert(slots > 0, "a ring has slots")
 */
export function assert(condition: boolean, what = "assertion failed"): asserts condition {
  if (!condition) throw new InvariantError(what)
}
