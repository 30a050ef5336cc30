// The model of waking and credit (docs/adr/0004-waiting.md). Every node has one wake word and one way to sleep: a futex on
// that word, or a pipe. Edges have true credit (backpressure) or enough room (drop_oldest never waits). Several producers
// share one consumer's word; a node that waits for messages and for credit sleeps once. Deaths at every step; the daemon
// recovers while the others run, with a successor or without.
import type { Go, System } from "./mc.ts"
import { WakeDaemon } from "./wake-daemon.ts"
import { WakeNode } from "./wake-node.ts"
import {
  AT,
  DEFAULTS,
  initialState,
  type WakeEdge,
  type WakeOptions,
  type WakeState,
} from "./wake-state.ts"

/** Which nodes there are and who sends to whom. */
export type Graph = { nodes: number; edges: WakeEdge[] }

/** Two producers, one consumer. */
export function twoProducers(messages: number, capacity: number): Graph {
  return { nodes: 3, edges: [0, 1].map((from) => ({ from, to: 2, capacity, messages })) }
}

/** Three nodes in a row. */
export function chain(messages: number, capacity: number): Graph {
  return { nodes: 3, edges: [0, 1].map((from) => ({ from, to: from + 1, capacity, messages })) }
}

/** Two nodes that send to each other. */
export function cycle(messages: number, capacity: number): Graph {
  return { nodes: 2, edges: [0, 1].map((from) => ({ from, to: 1 - from, capacity, messages })) }
}

/**
 * The graph as a system for the checker.
 *
 * @example explore(wake({ ...chain(2, 1), sleep: "pipe", deaths: 1, mayGiveUp: true }))
 */
export function wake(options: Partial<WakeOptions> & Graph): System<WakeState> {
  return new Wake({ ...DEFAULTS, ...options })
}

class Wake implements System<WakeState> {
  readonly initial: WakeState
  readonly #edges: WakeEdge[]
  /** What takes steps: each node, and the daemon for each. */
  readonly #processes: (WakeNode | WakeDaemon)[]

  constructor(options: WakeOptions) {
    this.initial = initialState(options)
    this.#edges = options.edges
    this.#processes = this.initial.nodes.flatMap((_, node) => [
      new WakeNode(options, node),
      new WakeDaemon(options, node),
    ])
  }

  steps(now: WakeState, go: Go<WakeState>) {
    for (const process of this.#processes) process.steps(now, go)
  }

  good(now: WakeState): boolean {
    return now.nodes.every(({ at }) => at === AT.done || at === AT.gone)
  }

  wrong(now: WakeState): string | null {
    for (const [i, { to, capacity }] of this.#edges.entries()) {
      const { head, tail, abandoned } = now.edges[i]!
      if (abandoned) continue
      if (head - tail > capacity) return "more queued than queue_size under backpressure"
      if (now.nodes[to]!.at === AT.done && head !== tail) {
        return "a consumer ended with messages queued"
      }
    }
    return null
  }
}
