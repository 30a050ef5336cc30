// An operator on a thread of its own (`threads: true`): the runtime's side. Every event and every output is one copy and one message
// between the threads.
import type { DoraError } from "../core/errors.ts"
import type { Parameters } from "../core/parameters.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import type { Payload } from "../shm/payload.ts"
import { decodeParameters } from "../wire/metadata.ts"
import { readLayout } from "../arrow/decoder.ts"
import type { DoraStatus, Host, Operator, OperatorContext, OperatorEvent } from "./host.ts"

/** An event as it is told to the other thread. */
export type ThreadEvent =
  | {
      type: "INPUT"
      id: string
      stream: Uint8Array
      parameters: Uint8Array | null
      seconds: number
      fraction: number
    }
  | { type: "OTHER"; event: Exclude<OperatorEvent, { type: "INPUT" }> }

/** What the runtime says to the thread. */
export type ToThread =
  | {
      type: "load"
      plan: OperatorPlan
      node: string
      dataflowId: string
      descriptor: unknown
      outputs: string[]
    }
  | { type: "event"; event: ThreadEvent }
  | { type: "drop" }

/** What the thread says: each of the first three ends what was asked of it. */
export type FromThread =
  | { type: "done"; status: DoraStatus }
  | { type: "failed"; error: Error }
  | { type: "send"; output: string; stream: Uint8Array; parameters: Uint8Array | null }

/** Puts operators of another host on threads. */
export class ThreadHost implements Host {
  readonly #inner: Host

  /** @param inner  checks the file; the thread loads it by a host of its own */
  constructor(inner: Host) {
    this.#inner = inner
  }

  check(plan: OperatorPlan): DoraError[] | Promise<DoraError[]> {
    return this.#inner.check(plan)
  }

  async load(context: OperatorContext): Promise<Operator> {
    const operator = new ThreadOperator(context)
    await operator.load()
    return operator
  }
}

class ThreadOperator implements Operator {
  readonly #context: OperatorContext
  readonly #worker: Worker
  #waiting: PromiseWithResolvers<DoraStatus> | null = null

  constructor(context: OperatorContext) {
    this.#context = context
    this.#worker = new Worker(new URL("./thread-main.ts", import.meta.url))
    this.#worker.addEventListener("message", ({ data }) => this.#said(data as FromThread))
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault()
      this.#broken(event.error ?? new Error(event.message))
    })
    this.#worker.addEventListener("close", () => this.#broken(new Error("its thread has ended")))
  }

  async load(): Promise<void> {
    const { plan, node, dataflowId, dataflowDescriptor: descriptor, outputs } = this.#context
    await this.#ask({ type: "load", plan, node, dataflowId, descriptor, outputs: outputs.names() })
  }

  onEvent(event: OperatorEvent): Promise<DoraStatus> {
    if (event.type !== "INPUT") return this.#ask({ type: "event", event: { type: "OTHER", event } })
    const stream = event.copy()
    const { seconds, fraction } = event.metadata.timestamp
    const { id, encodedParameters: parameters } = event
    const told = { type: "INPUT", id, stream, parameters, seconds, fraction } as const
    return this.#ask({ type: "event", event: told }, [stream.buffer as ArrayBuffer])
  }

  /** The thread is left to end with the process: what still runs there must not be cut off in the middle. */
  async drop(): Promise<void> {
    await this.#ask({ type: "drop" })
    this.#worker.unref()
  }

  #ask(message: ToThread, transfer: ArrayBuffer[] = []): Promise<DoraStatus> {
    this.#waiting = Promise.withResolvers<DoraStatus>()
    this.#worker.postMessage(message, transfer)
    return this.#waiting.promise
  }

  #said(message: FromThread): void {
    if (message.type === "send") {
      this.#send(message.output, message.stream, message.parameters)
      return
    }
    const waiting = this.#waiting
    this.#waiting = null
    if (message.type === "done") waiting?.resolve(message.status)
    else this.#broken(message.error, waiting)
  }

  #send(output: string, stream: Uint8Array, encoded: Uint8Array | null): void {
    const write = (target: Uint8Array, at: number) => target.set(stream, at)
    const { headerLength } = readLayout(stream)
    const payload: Payload = {
      byteLength: stream.byteLength,
      headerLength,
      template: 0,
      flat: null,
      write,
    }
    const parameters: Parameters | undefined = encoded ? decodeParameters(encoded) : undefined
    try {
      void this.#context.outputs.sendPayload(output, payload, parameters)
    } catch (error) {
      this.#broken(error)
    }
  }

  #broken(error: unknown, waiting = this.#waiting): void {
    this.#waiting = null
    if (waiting) waiting.reject(error)
    else this.#context.fail(error)
  }
}
