// Which inputs of a node have ended, and what it is told of that.
import type { NodeEvent } from "../../wire/events.ts"
import type { RelayInput } from "./input.ts"
import type { Silence } from "./silence.ts"

/** What endings need of their node. */
export type EndingsAround = {
  silence: Silence
  nowNs: () => number
  event: (event: NodeEvent) => Uint8Array
  /** Hears what the daemon has said before an edge was closed; … */
  catchUp: () => void
  /** … it must be told before. */
  before: () => Uint8Array[]
}

/** Tells a node that inputs have ended. */
export class Endings {
  /** The node goes on when its data has ended. */
  endless = false
  readonly #around: EndingsAround
  #allTold = false
  /** Operators that have ended while others go on. */
  readonly #operators = new Set<string>()

  constructor(around: EndingsAround) {
    this.#around = around
  }

  /** A successor is told anew. */
  reset(): void {
    this.#allTold = false
    this.#operators.clear()
  }

  /** Nobody takes what comes for an operator any more. @returns how many have ended so */
  endOperator(id: string, inputs: readonly RelayInput[]): number {
    const prefix = `${id}/`
    for (const input of inputs) if (input.id.startsWith(prefix)) input.abandon()
    this.#operators.add(id)
    return this.#operators.size
  }

  /** Is there an end to be told? */
  has(inputs: readonly RelayInput[]): boolean {
    for (const { closed, reader } of inputs) if (!closed && reader.ring.checkEnd()) return true
    const { silence, nowNs } = this.#around
    return silence.dueNs <= nowNs()
  }

  /** Inputs that have ended since the last look, and whether nothing can come any more. */
  take(inputs: readonly RelayInput[]): Uint8Array[] {
    const { silence, nowNs, event, catchUp, before } = this.#around
    const silent = silence.fallen(nowNs())
    const told = silent.map((id) => event({ type: "InputClosed", id }))
    const ended = inputs.filter((input) => !input.closed && input.reader.ring.checkEnd())
    if (ended.length === 0) return told
    catchUp()
    const events: Uint8Array[] = [...before(), ...told]
    for (const input of ended) {
      input.closed = true
      silence.ended(input.id)
      events.push(event({ type: "InputClosed", id: input.id }))
    }
    const data = inputs.filter((input) => input.isData)
    const over = data.length > 0 && data.every(({ closed }) => closed) && !this.endless
    if (over && !this.#allTold) {
      this.#allTold = true
      events.push(event({ type: "AllInputsClosed" }))
    }
    return events
  }
}
