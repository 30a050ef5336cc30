// Nodes of a dataflow without processes: their ends of real memory, all of them in this process.
import { setTimeout as later } from "node:timers/promises"
import { Memory } from "../../src/daemon/memory.ts"
import { parseDataflow } from "../../src/descriptor/load.ts"
import { attach, type Link } from "../../src/node/memory-link.ts"
import type { WaitMode } from "../../src/shm/plan.ts"

/** A node as in a dataflow file. */
export type NodeText = {
  id: string
  inputs?: Record<string, unknown>
  outputs?: string[]
}

/** A dataflow in memory. Disposing closes every node that was attached. */
export class Nodes implements Disposable {
  readonly memory: Memory
  readonly #links: Link[] = []

  /** @example using nodes = new Nodes([{ id: "a", outputs: ["out"] }, { id: "b", inputs: { in: "a/out" } }]) */
  constructor(nodes: NodeText[], options: { wait?: WaitMode; exitWhenNodesFinish?: boolean } = {}) {
    const text = { nodes: nodes.map((node) => ({ ...node, path: "/bin/true" })) }
    this.memory = Memory.create(parseDataflow(JSON.stringify(text), "flow.yml"), {
      dataflow: crypto.randomUUID(),
      wait: options.wait ?? "park",
      exitWhenNodesFinish: options.exitWhenNodesFinish ?? false,
    })
  }

  /** A node as its process has it. */
  attach(id: string): Link {
    const link = attach(this.memory.nodePlan(id))
    this.#links.push(link)
    return link
  }

  [Symbol.dispose](): void {
    for (const link of this.#links) link.close()
    this.memory[Symbol.dispose]()
  }
}

/** Waits until a condition holds, at most five seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`)
    await later(1)
  }
}
