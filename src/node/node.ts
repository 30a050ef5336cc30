import type { Sendable } from "../arrow/encoder.ts"
import type { ElementArray } from "../core/elements.ts"
import { fromCaller } from "../core/errors.ts"
import type { Parameters } from "../core/parameters.ts"
import type { NodeConfig, RunConfig } from "../wire/config.ts"
import type { ReceivedEvent } from "../wire/events.ts"
import { Alarm } from "../shm/alarm.ts"
import { eventOf, type NodeSession } from "./control.ts"
import { readMembership } from "./environment.ts"
import { NodeAlreadyInitializedError, NodeClosedError, UnknownOutputError } from "./errors.ts"
import type { Event, InputEvent } from "./event.ts"
import { EventIterator } from "./iterator.ts"
import { Log } from "./log.ts"
import { attach, type Link } from "./memory-link.ts"
import type { Loan, LoanLayout } from "./loan.ts"
import type { Output } from "./output.ts"
import type { Waiter } from "./waiter.ts"

/** Id of this process's node. */
let current: string | null = null

/**
 * This process as a node of a dataflow: receives events, sends outputs.
 *
 * @example
 * using node = await Node.init()
 * for await (const event of node) {
 *   if (event.type === "INPUT") await node.sendOutput("copy", event.array, event.metadata.parameters)
 * }
 */
export class Node implements Disposable {
  /** Writes log lines that `dora run` shows with their level. */
  readonly log: Log
  readonly #config: NodeConfig
  readonly #link: Link
  readonly #session: NodeSession
  #closed = false
  /** Most nodes send on one output most of the time. */
  #lastOutput: Output | null = null
  #handlers: Map<string, (event: InputEvent) => unknown> | null = null

  /**
   * Joins the dataflow named by the environment, and waits until every node of it has.
   *
   * @throws NotInDataflowError, NodeAlreadyInitializedError, DaemonConnectionError, SharedMemoryError
   */
  static async init(): Promise<Node> {
    if (current !== null) throw new NodeAlreadyInitializedError(current)
    const { config, plan, address, session } = await readMembership()
    if (current !== null) throw new NodeAlreadyInitializedError(config.node_id)
    current = config.node_id
    const node = new Node(config, attach(plan), session)
    try {
      await session.start(address, {
        event: (event) => node.#control(event),
        broken: (error) => node.#broken(error),
        exiting: () => node.close(),
      })
    } catch (error) {
      throw fromCaller(error, Node.init)
    }
    return node
  }

  private constructor(config: NodeConfig, link: Link, session: NodeSession) {
    this.#config = config
    this.#link = link
    this.#session = session
    this.log = new Log(config.node_id, true)
  }

  /** The node's id in the dataflow file. */
  get id(): string {
    return this.#config.node_id
  }

  /** UUID of the running dataflow. */
  get dataflowId(): string {
    return this.#config.dataflow_id
  }

  /** Inputs and outputs as configured. */
  get nodeConfig(): RunConfig {
    return this.#config.run_config
  }

  /** The dataflow file as plain values. */
  get dataflowDescriptor(): unknown {
    return this.#config.dataflow_descriptor
  }

  /** How often this node was started again. */
  get restartCount(): number {
    return this.#config.restart_count ?? 0
  }

  get isRestart(): boolean {
    return this.restartCount > 0
  }

  /** The last event was delivered: nothing more will come. */
  get ended(): boolean {
    return this.#closed || this.#link.receiver.ended
  }

  /** Events, up to and with STOP. */
  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return new EventIterator(
      () => this.#quick(),
      (done) => this.#wait(Number.POSITIVE_INFINITY, done),
    )
  }

  /** The next event without leaving this turn of the event loop, if that is fair to the rest of the program. */
  #quick(): Event | null {
    const { receiver, waiting } = this.#link
    if (waiting.active || !waiting.mayContinue()) return null
    const event = receiver.poll()
    if (event !== null || receiver.ended) return event
    return waiting.spinFor(receiver)
  }

  /**
   * The next event.
   *
   * @param timeoutMs  how long to wait at most, fractions count; default: without limit
   * @returns          null after the last event ({@link ended}), or when the time is over
   */
  next(timeoutMs: number = Number.POSITIVE_INFINITY): Promise<Event | null> {
    const event = this.#quick()
    if (event !== null) return Promise.resolve(event)
    return new Promise((resolve) => this.#wait(timeoutMs, resolve))
  }

  #wait(timeoutMs: number, done: (event: Event | null) => void): void {
    const { receiver, waiting } = this.#link
    if (this.ended) return done(null)
    const waiter: Waiter = {
      attempt: () => {
        const event = receiver.poll()
        if (event === null && !receiver.ended) return false
        alarm?.clear()
        done(event)
        return true
      },
      pending: () => receiver.pending(),
      inTurn: true,
      forecast: (nowNs) => receiver.forecast(nowNs),
    }
    const giveUp = () => {
      waiting.remove(waiter)
      done(null)
    }
    const alarm = timeoutMs === Number.POSITIVE_INFINITY ? null : new Alarm(giveUp)
    alarm?.set(timeoutMs)
    waiting.add(waiter)
  }

  /**
   * The next event; blocks the thread, and with it timers, sockets and signals of this program.
   *
   * @param timeoutMs  default: without limit
   * @returns          null after the last event ({@link ended}), or when the time is over
   */
  recv(timeoutMs: number = Number.POSITIVE_INFINITY): Event | null {
    const { receiver, waiting } = this.#link
    const event = receiver.poll()
    if (event !== null || this.ended) return event
    return waiting.blockFor(receiver, timeoutMs)
  }

  /** The next event if there is one now. */
  tryRecv(): Event | null {
    return this.#link.receiver.poll()
  }

  /** All events that are there now. Large messages among them are kept until released or until the node closes. */
  drain(): Event[] {
    const events: Event[] = []
    for (let event = this.tryRecv(); event !== null; event = this.tryRecv()) {
      if (event.type === "INPUT") event.retain()
      events.push(event)
    }
    return events
  }

  /** Calls a function for each message of an input, one after the other. Don't mix it with other ways of receiving. */
  on(input: string, handler: (event: InputEvent) => unknown): this {
    if (this.#handlers === null) {
      this.#handlers = new Map()
      queueMicrotask(() => void this.#dispatch(this.#handlers!))
    }
    this.#handlers.set(input, handler)
    return this
  }

  async #dispatch(handlers: Map<string, (event: InputEvent) => unknown>): Promise<void> {
    for await (const event of this) {
      if (event.type === "INPUT") await handlers.get(event.id)?.(event)
    }
  }

  /**
   * Sends a message on an output: an Arrow vector, typed array, bytes, string, number, boolean, list, or rows of a struct.
   *
   * @returns  resolves when it is sent: at once, or when every consumer with `queue_policy: backpressure` has room
   * @throws UnknownOutputError, OutputClosedError, ArrowTypeError, PayloadTooLargeError, ParameterError
   * @example await node.sendOutput("speed", Float32Array.of(1.5), { unit: "m/s" })
   */
  sendOutput(output: string, data: Sendable, parameters?: Parameters): Promise<void> {
    try {
      return this.#output(output).send(data, parameters)
    } catch (error) {
      throw fromCaller(error, this.sendOutput)
    }
  }

  /** As {@link sendOutput}, but blocks the thread while there is no room. @throws SelfDeadlockError also */
  sendOutputSync(output: string, data: Sendable, parameters?: Parameters): void {
    try {
      this.#output(output).sendSync(data, parameters, this.#link.receiver)
    } catch (error) {
      throw fromCaller(error, this.sendOutputSync)
    }
  }

  /**
   * Lends memory for one message: what is written there is sent without a copy.
   *
   * @example using sample = node.loan("image", { type: Uint8Array, length: 640 * 480 * 3 })
   */
  loan<T extends ElementArray>(output: string, layout: LoanLayout<T>): Loan<T> {
    try {
      return this.#output(output).loan(layout)
    } catch (error) {
      throw fromCaller(error, this.loan)
    }
  }

  /** Ends outputs: their consumers see it after the last message. Resolves when everything that waited was sent. */
  async closeOutputs(outputs: string[]): Promise<void> {
    await Promise.all(outputs.map((id) => this.#output(id)).map((output) => output.close()))
    await this.#session.closeOutputs(outputs)
  }

  /** Delivers the values of an iterable as EXTERNAL events, each taken when the one before was delivered. */
  async merge(values: AsyncIterable<unknown>): Promise<void> {
    const { receiver, waiting } = this.#link
    for await (const value of values) {
      if (this.ended) return
      await new Promise<void>((resolve) => {
        receiver.push({ type: "EXTERNAL", value }, resolve)
        waiting.interrupt()
      })
    }
  }

  /** Leaves the dataflow: outputs end after the last message sent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#link.close()
    this.#session.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #output(id: string): Output {
    if (this.#closed) throw new NodeClosedError(this.id)
    const last = this.#lastOutput
    if (last !== null && last.id === id) return last
    const output = this.#link.outputs.get(id)
    this.#lastOutput = output ?? null
    if (!output) throw new UnknownOutputError(this.id, id, [...this.#link.outputs.keys()])
    return output
  }

  #control(received: ReceivedEvent): void {
    const { receiver, waiting } = this.#link
    if (received.type === "Stop") receiver.stop("MANUAL")
    else {
      const event = eventOf(received)
      if (event === null) return
      receiver.push(event)
    }
    waiting.interrupt()
  }

  #broken(error: Error): void {
    this.#link.receiver.push({ type: "ERROR", error })
    this.#link.waiting.interrupt()
  }
}
