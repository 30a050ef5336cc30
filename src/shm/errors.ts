import { DoraError } from "../core/errors.ts"

/** Memory of an edge holds values that no honest producer writes. The edge ends; nothing else is affected. */
export class EdgePoisonedError extends DoraError {
  constructor(input: string, source: string, what: string) {
    super("EDGE_POISONED", {
      what: `input \`${input}\` is closed: memory from \`${source}\` is damaged (${what})`,
      why: "a process that has this memory mapped wrote where it must not",
      fix: "look for native code with a stray pointer in the producer or this node",
    })
  }
}

/** A send found no free chunk though every queue has room: consumers hold more than they may. */
export class PoolExhaustedError extends DoraError {
  constructor(output: string) {
    super("POOL_EXHAUSTED", {
      what: `output \`${output}\` has no free memory for a large message`,
      why: "every chunk is loaned, queued, or held by a consumer",
      fix: "send or dispose loans before making new ones, and release retained events",
    })
  }
}
