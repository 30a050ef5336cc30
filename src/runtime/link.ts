// The ends of a runtime's edges, by operator.
import { mapPlan, type Mapped } from "../node/memory-link.ts"
import { Output } from "../node/output.ts"
import { Receiver } from "../node/receiver.ts"
import { ABANDONED_WORD } from "../shm/layout.ts"
import type { InputPlan, NodePlan } from "../shm/plan.ts"
import { FanWriter } from "./fan.ts"
import { Outputs } from "./outputs.ts"
import { SiblingEdge } from "./sibling.ts"

/** What one operator has of the node's edges. */
export type OperatorLink = {
  receiver: Receiver
  outputs: Outputs
  /** The node's names of its outputs. */
  outputIds: string[]
  /** Nothing more is taken: who sends to it need not wait for room. */
  abandon(): void
}

/** Connects operators to the node's memory, and to each other. */
export class RuntimeLink {
  readonly memory: Mapped
  readonly #plan: NodePlan
  readonly #siblings = new Map<InputPlan, SiblingEdge>()

  /** @throws SharedMemoryError */
  constructor(plan: NodePlan) {
    this.#plan = plan
    this.memory = mapPlan(plan)
    const wake = () => this.memory.waiting.interrupt()
    for (const input of plan.inputs) {
      if (!input.sibling) continue
      const output = input.source.slice(plan.node.length + 1)
      const id = input.id.slice(input.id.indexOf("/") + 1)
      this.#siblings.set(input, new SiblingEdge(this.memory.own, input, id, output, wake))
    }
  }

  /** The edges of an operator. */
  operator(id: string): OperatorLink {
    const { own, inboxOf, clock } = this.memory
    const { pid, node, exitWhenNodesFinish } = this.#plan
    const prefix = `${id}/`
    const all = this.#plan.inputs.filter((input) => input.id.startsWith(prefix))
    const fed = all.flatMap((input) => this.#siblings.get(input) ?? [])
    const inputs = all
      .filter((input) => !input.sibling)
      .map((input) => ({ ...input, id: input.id.slice(prefix.length) }))
    const receiver = new Receiver({ pid, exitWhenNodesFinish, inputs }, own, inboxOf, clock, fed)
    const plans = this.#plan.outputs.filter((output) => output.id.startsWith(prefix))
    const outputs = new Map(
      plans.map((plan) => {
        const short = plan.id.slice(prefix.length)
        return [short, this.#output(plan.id, short)]
      }),
    )
    this.memory.waiting.keepWarm([receiver, ...outputs.values()])
    const abandon = () => {
      for (const edge of fed) edge.abandon()
      for (const input of inputs) this.#abandon(input)
    }
    const owner = `${node}/${id}`
    return {
      receiver,
      outputs: new Outputs(owner, outputs),
      outputIds: plans.map((p) => p.id),
      abandon,
    }
  }

  #output(id: string, short: string): Output {
    const plan = this.#plan.outputs.find((output) => output.id === id)!
    const writer = this.memory.writer({ ...plan, id: short })
    const siblings = [...this.#siblings.values()].filter((edge) => edge.output === id)
    const { clock, waiting } = this.memory
    const target = siblings.length > 0 ? new FanWriter(writer, siblings, clock) : writer
    return new Output(this.#plan.node, target, waiting)
  }

  #abandon(input: InputPlan): void {
    if (input.periodNs !== null) return
    Atomics.store(this.memory.own.words, (input.ring >> 2) + ABANDONED_WORD, 1)
    if (input.producer === null) return
    this.memory.inboxOf(input.producer.inbox, input.producer.wakeFd).wake()
  }
}
