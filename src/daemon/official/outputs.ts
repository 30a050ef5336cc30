// The outputs of an official node: what it sends goes into memory, and their ends come after the last message.
import { PassingOutput } from "../../shm/passing.ts"
import type { EdgePlan, NodePlan } from "../../shm/plan.ts"
import type { Inbox } from "../../shm/segment.ts"
import { END_OUTPUT, type SendHead } from "../../wire/relay.ts"

/** Takes the messages of one node. */
export class RelayOutputs {
  readonly #node: string
  /** Operators, by the outputs on which they say that they have ended. */
  readonly #ends: ReadonlyMap<string, string>
  readonly #outputs: ReadonlyMap<string, PassingOutput>
  readonly #operatorEnded: (operator: string) => void
  readonly #warn: (message: string) => void
  #warned = false

  /** @param operatorEnded  one of several operators says that it has ended; its outputs are closed already */
  constructor(
    plan: NodePlan,
    inboxOf: (edge: EdgePlan) => Inbox,
    operatorEnded: (operator: string) => void,
    warn: (message: string) => void,
  ) {
    this.#node = plan.node
    this.#ends = new Map((plan.operators ?? []).map(({ id }) => [END_OUTPUT + id, id]))
    this.#operatorEnded = operatorEnded
    this.#warn = warn
    this.#outputs = new Map(
      plan.outputs.map((output) => [
        output.id,
        new PassingOutput(output, plan.pid, plan.epoch, inboxOf),
      ]),
    )
  }

  /** All of them. */
  get all(): Iterable<PassingOutput> {
    return this.#outputs.values()
  }

  /** The output that a message is for; null when nobody gets it. */
  hears(head: Omit<SendHead, "like">): PassingOutput | null {
    const output = this.#outputs.get(head.output)
    if (!output) {
      this.#unknown(head.output)
      return null
    }
    if (output.writer.printed) {
      this.#warnOnce(
        `node ${this.#node} sends on \`${head.output}\`, which carries what it prints: its own messages there are dropped`,
      )
    }
    if (!output.heard) return null
    if (!output.refuses(head)) return output
    this.#warnOnce(
      `parameters on output \`${head.output}\` of node ${this.#node} are too large; the message is dropped`,
    )
    return null
  }

  /** Ends outputs after what was sent. */
  close(outputs: readonly string[]): void {
    for (const id of outputs) this.#outputs.get(id)?.writer.close()
  }

  #unknown(id: string): void {
    const operator = this.#ends.get(id)
    if (operator === undefined) {
      this.#warnOnce(`node ${this.#node} sends on \`${id}\`, which is none of its outputs`)
      return
    }
    this.close([...this.#outputs.keys()].filter((name) => name.startsWith(`${operator}/`)))
    this.#operatorEnded(operator)
  }

  #warnOnce(message: string): void {
    if (!this.#warned) this.#warn(message)
    this.#warned = true
  }
}
