// Nodes that are started by hand: they may leave and join again, so their outputs end later than those of others.
import type { Dataflow } from "../descriptor/types.ts"
import type { SupervisedNode } from "./supervise.ts"

/** What is needed of the dataflow. */
export type DynamicOptions = {
  flow: Dataflow
  exitWhenNodesFinish: boolean
  warn: (message: string) => void
}

/**
 * Knows who is here and who has left. The outputs of those who have left end when nothing else keeps the dataflow running:
 * who has no other open input would wait for ever.
 */
export class DynamicNodes {
  readonly #options: DynamicOptions
  readonly #dynamic: ReadonlyMap<string, SupervisedNode>
  /** Nodes of the daemon that have not ended. */
  readonly #running: Set<SupervisedNode>
  readonly #here = new Set<string>()
  readonly #left = new Set<string>()
  /** Those whose outputs have ended. */
  readonly #over = new Set<string>()
  #stopping = false

  constructor(nodes: readonly SupervisedNode[], options: DynamicOptions) {
    this.#options = options
    const dynamic = nodes.filter(({ spec }) => spec.dynamic)
    this.#dynamic = new Map(dynamic.map((node) => [node.id, node]))
    this.#running = new Set(nodes.filter(({ spec }) => !spec.dynamic))
    for (const node of this.#running) {
      node.ended.then(() => {
        this.#running.delete(node)
        this.#settle()
      })
    }
  }

  /** A node has been let past the barrier. */
  joined(id: string): void {
    if (!this.#dynamic.has(id)) return
    this.#here.add(id)
    this.#left.delete(id)
    if (!this.#over.has(id)) return
    this.#options.warn(
      `node ${id} joins a dataflow that is ending: its outputs have ended, what it sends is dropped`,
    )
  }

  /** Its process is gone. */
  leaves(id: string): void {
    if (!this.#here.delete(id)) return
    this.#left.add(id)
    this.#settle()
  }

  /** The dataflow ends: nobody need join again. */
  stop(): void {
    this.#stopping = true
    for (const node of this.#dynamic.values()) node.requestStop()
    this.#settle()
  }

  #settle(): void {
    if (this.#left.size === 0) return
    if (!this.#stopping && [...this.#running].some((node) => this.#goesOn(node))) return
    for (const id of this.#left) {
      const node = this.#dynamic.get(id)!
      node.closeOutputs(node.outputs)
      this.#over.add(id)
    }
    this.#left.clear()
  }

  /** Has it something to do without those who have left? What comes from others of the daemon ends with those. */
  #goesOn({ spec }: SupervisedNode): boolean {
    const sources = spec.inputs.map(({ source }) => source)
    const data = sources.filter((source) => source.kind === "output")
    if (data.length === 0) return true
    if (data.length < sources.length && !this.#options.exitWhenNodesFinish) return true
    return data.some(({ node }) => this.#dynamic.has(node) && !this.#isGone(node))
  }

  #isGone(id: string): boolean {
    return this.#left.has(id) || this.#over.has(id)
  }
}
