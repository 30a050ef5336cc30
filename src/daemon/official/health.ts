// Nodes with `health_check_timeout`: who neither asks nor sends for that long, and does not wait for us either, hangs.
import type { RelayNode } from "./node.ts"

type Watched = { node: RelayNode; afterNs: number; requests: number; sinceNs: number }

/** Looks at the nodes from time to time. */
export class Health {
  readonly #everyNs: number
  readonly #watched: Watched[]
  /** When to look next, in monotonic nanoseconds. */
  dueNs: number

  constructor(nodes: Iterable<RelayNode>, everyNs: number, nowNs: number) {
    this.#everyNs = everyNs
    this.#watched = [...nodes].flatMap((node) => {
      const { unresponsiveAfterNs: afterNs } = node
      return afterNs === null ? [] : { node, afterNs, requests: -1, sinceNs: nowNs }
    })
    this.dueNs = this.#watched.length > 0 ? nowNs + everyNs : Number.POSITIVE_INFINITY
  }

  /**
   * @param held  is a message of this node waiting for room?
   * @returns     who hangs, and for how many nanoseconds
   */
  look(nowNs: number, held: (node: RelayNode) => boolean): { node: RelayNode; ns: number }[] {
    if (nowNs < this.dueNs) return []
    this.dueNs = nowNs + this.#everyNs
    return this.#watched.flatMap((watched) => {
      const { node, afterNs, requests, sinceNs } = watched
      if (node.requests === requests && !node.waits && !held(node)) {
        if (nowNs - sinceNs < afterNs) return []
        watched.sinceNs = nowNs
        return { node, ns: nowNs - sinceNs }
      }
      watched.requests = node.requests
      watched.sinceNs = nowNs
      return []
    })
  }
}
