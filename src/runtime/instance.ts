// One operator at work: its events one by one, what it answers, its end.
import { ArrowDataError } from "../arrow/errors.ts"
import type { Event } from "../node/event.ts"
import type { Receiver } from "../node/receiver.ts"
import { CALL_DROP, CALL_EVENT } from "../shm/layout.ts"
import { DoraStatus, type Operator, type OperatorContext, type OperatorEvent } from "./host.ts"
import type { Outputs } from "./outputs.ts"
import type { CallRecord } from "./calls.ts"

/** What an operator's end means for the others. */
export interface InstanceOwner {
  /** The operator has ended by itself; `all` wants its siblings to end too. */
  ended(instance: Instance, all: boolean): void
  /** The operator failed, or its drop did. */
  failed(instance: Instance, doing: string, error: unknown): void
  /** Something can go on that had to wait. */
  progress(): void
}

/** What an instance is made of. */
export type InstanceParts = {
  index: number
  context: OperatorContext
  receiver: Receiver
  outputs: Outputs
  calls: CallRecord
  owner: InstanceOwner
}

/** Delivers the events of one operator. */
export class Instance {
  readonly index: number
  readonly context: OperatorContext
  readonly receiver: Receiver
  readonly outputs: Outputs
  readonly #calls: CallRecord
  readonly #owner: InstanceOwner
  #operator: Operator
  /** A call has not ended yet. */
  #busy = false
  /** Wants to be called between two events. */
  readonly #between: (() => void)[] = []
  #over = false

  constructor(operator: Operator, parts: InstanceParts) {
    this.#operator = operator
    this.index = parts.index
    this.context = parts.context
    this.receiver = parts.receiver
    this.outputs = parts.outputs
    this.#calls = parts.calls
    this.#owner = parts.owner
    this.outputs.onRoom = () => this.#owner.progress()
  }

  get id(): string {
    return this.context.plan.id
  }

  /** It gets no more events. */
  get over(): boolean {
    return this.#over
  }

  /** Could it take an event now? While what it sent waits for room it is held back, but not from a stop. */
  get free(): boolean {
    if (this.#busy || this.#over) return false
    return !this.outputs.blocked || this.receiver.stopRequested
  }

  /** Is its last call still under way? */
  get busy(): boolean {
    return this.#busy
  }

  /** Its next event if there is one, for {@link deliver}. */
  next(): Event | null {
    const event = this.receiver.poll()
    if (event === null && this.receiver.ended && !this.#over) this.#end(false)
    return event
  }

  /** Gives the operator an event; it must be {@link free}. @returns was there one? */
  deliver(event: Event | null): boolean {
    if (event === null) return false
    // What consists of its elements only was read before, when its form was learnt.
    const told = event.type === "INPUT" && event.bare !== null ? event : forOperator(event)
    if (told !== null) this.#call(told)
    return true
  }

  #call(event: OperatorEvent): void {
    this.#busy = true
    this.#calls.enter(this.index, CALL_EVENT)
    let answer: DoraStatus | Promise<DoraStatus>
    try {
      answer = this.#operator.onEvent(event)
    } catch (error) {
      this.#calls.leave()
      this.#fail(error)
      return
    }
    this.#calls.leave()
    if (typeof answer === "number") this.#answered(answer)
    else void this.#await(answer)
  }

  /** Puts a successor in this operator's place, between two events, and drops the predecessor. */
  async replace(make: (old: Operator) => Promise<Operator>): Promise<void> {
    while (this.#busy) await new Promise<void>((resolve) => this.#between.push(resolve))
    if (this.#over) return
    this.#busy = true
    try {
      const old = this.#operator
      this.#operator = await make(old)
      await this.#dropOne(old)
    } finally {
      this.#settled()
      this.#owner.progress()
    }
  }

  /** Drops the operator; whatever happens there is told and changes nothing. */
  async drop(): Promise<void> {
    this.#over = true
    await this.#dropOne(this.#operator)
  }

  async #dropOne(operator: Operator): Promise<void> {
    this.#calls.enter(this.index, CALL_DROP)
    try {
      await operator.drop()
    } catch (error) {
      this.context.log.warn(`failed to drop operator ${this.id}: ${error}`)
    }
    this.#calls.leave()
  }

  async #await(answer: Promise<DoraStatus>): Promise<void> {
    try {
      this.#answered(await answer)
    } catch (error) {
      this.#fail(error)
    }
    this.#owner.progress()
  }

  #answered(status: DoraStatus): void {
    this.#settled()
    if (status !== DoraStatus.CONTINUE) this.#end(status === DoraStatus.STOP_ALL)
    else if (this.receiver.ended) this.#end(false)
  }

  #settled(): void {
    this.#busy = false
    if (this.#between.length > 0) this.#between.shift()!()
  }

  #fail(error: unknown): void {
    this.#settled()
    if (this.#over) return
    this.#over = true
    this.#owner.failed(this, "in onEvent", error)
  }

  #end(all: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#owner.ended(this, all)
  }
}

/** What an operator is told of a node's event; null: nothing. */
function forOperator(event: Event): OperatorEvent | null {
  switch (event.type) {
    case "INPUT":
      try {
        void event.layout
        return event
      } catch (error) {
        if (!(error instanceof ArrowDataError)) throw error
        const { id } = event
        event.release()
        return { type: "INPUT_PARSE_ERROR", id, error: error.message }
      }
    case "EXTERNAL":
    case "RELOAD":
      return null
    default:
      return event
  }
}
