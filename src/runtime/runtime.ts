// The process that runs the operators of one node: loads them, joins the dataflow as one node, and drops them on every
// way out.
import { DoraError } from "../core/errors.ts"
import { FileWatch } from "../core/file-watch.ts"
import { within } from "../core/within.ts"
import { eventOf, Session } from "../node/control.ts"
import type { Membership } from "../node/environment.ts"
import type { Event } from "../node/event.ts"
import { Log } from "../node/log.ts"
import { CALL_LOAD } from "../shm/layout.ts"
import type { OperatorKind } from "../core/operator.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import type { ReceivedEvent } from "../wire/events.ts"
import { crashPlainly } from "./crashes.ts"
import { CallRecord } from "./calls.ts"
import { nameConsole } from "./console.ts"
import { OperatorFailedError } from "./errors.ts"
import type { Host, OperatorContext } from "./host.ts"
import { hostOf } from "./hosts.ts"
import { Instance, type InstanceOwner } from "./instance.ts"
import { type OperatorLink, RuntimeLink } from "./link.ts"
import { reload } from "./reload.ts"
import { Pump } from "./pump.ts"
import { ThreadHost } from "./thread.ts"

/** How long operators may take to drop before the process ends anyway. */
const DROP_MS = 5_000

/** A node whose operators run in this process. */
export class Runtime implements InstanceOwner {
  readonly #membership: Membership
  readonly #plans: readonly OperatorPlan[]
  readonly #link: RuntimeLink
  readonly #calls: CallRecord
  readonly #session = new Session()
  readonly #instances: Instance[] = []
  readonly #links = new Map<Instance, OperatorLink>()
  readonly #hosts = new Map<OperatorKind, Host>()
  readonly #ends: Promise<void>[] = []
  readonly #pump: Pump
  /** As it was before prints got names. */
  readonly #print = console.log.bind(console)
  #failed = false

  /** @throws SharedMemoryError */
  constructor(membership: Membership) {
    this.#membership = membership
    this.#plans = membership.plan.operators ?? []
    this.#link = new RuntimeLink(membership.plan)
    this.#calls = new CallRecord(this.#link.memory.own)
    this.#pump = new Pump(this.#instances, this.#link.memory.waiting)
  }

  /** Runs the operators to their end. Returns the exit code. */
  async run(): Promise<number> {
    const node = this.#membership.config.node_id
    crashPlainly(this.#plans)
    if (this.#plans.length > 1) nameConsole(node, () => this.#speaker())
    if (!(await this.#load())) return 1
    this.#link.memory.attached()
    await this.#session.start(this.#membership.address, {
      event: (event) => this.#control(event),
      broken: (error) => this.#broken(error),
    })
    for (const { outputs } of this.#instances) outputs.open()
    using _ = this.#watch()
    await this.#pump.run()
    await Promise.all(this.#ends)
    this.#session.close()
    return this.#failed ? 1 : 0
  }

  /** Drops every operator that is still there: the process is about to end. */
  async abort(): Promise<void> {
    const rest = this.#instances.filter((instance) => !instance.over)
    const dropped = within(Promise.all(rest.map((instance) => instance.drop())), DROP_MS)
    // Whoever waits for the operators' ends waits for these too.
    this.#ends.push(dropped)
    this.#pump.close()
    await dropped
  }

  /** An error outside of any call: of a timer, a callback, a promise that nobody awaits. */
  uncaught(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? "") : ""
    const culprit = this.#instances.find(({ context }) => stack.includes(context.plan.path))
    this.failed(culprit ?? this.#instances[0]!, "outside of a call", error)
  }

  ended(instance: Instance, all: boolean): void {
    if (all) for (const { receiver } of this.#instances) receiver.stop("MANUAL")
    this.#ends.push(this.#finish(instance))
  }

  failed(instance: Instance, doing: string, error: unknown): void {
    this.#failed = true
    this.#complain(this.#blame(instance.context.plan, doing, error))
    // What the others have sent so far arrives; the failed one's end is theirs.
    this.#ends.push(this.#finish(instance))
    for (const other of this.#instances) if (!other.over) this.#ends.push(this.#finish(other))
    this.progress()
  }

  progress(): void {
    this.#link.memory.waiting.interrupt()
  }

  /** Checks all, loads all; tells what is wrong. */
  async #load(): Promise<boolean> {
    const problems: unknown[] = []
    for (const plan of this.#plans) {
      const host = this.#hosts.get(plan.kind) ?? (await hostOf(plan.kind))
      this.#hosts.set(plan.kind, host)
      problems.push(...(await host.check(plan)))
    }
    if (problems.length === 0) {
      for (const [index, plan] of this.#plans.entries()) {
        try {
          await this.#loadOne(index, plan)
        } catch (error) {
          problems.push(this.#blame(plan, "to load", error))
          break
        }
      }
    }
    for (const problem of problems) this.#complain(problem)
    if (problems.length > 0) await this.abort()
    return problems.length === 0
  }

  async #loadOne(index: number, plan: OperatorPlan): Promise<void> {
    const link = this.#link.operator(plan.id)
    const context = this.#context(index, plan, link)
    this.#calls.enter(index, CALL_LOAD)
    const operator = await this.#hostOf(plan).load(context)
    this.#calls.leave()
    const { receiver, outputs } = link
    const parts = { index, context, receiver, outputs, calls: this.#calls, owner: this }
    const instance = new Instance(operator, parts)
    this.#instances.push(instance)
    this.#links.set(instance, link)
  }

  #hostOf({ kind, threads }: OperatorPlan): Host {
    const host = this.#hosts.get(kind)!
    return threads ? new ThreadHost(host) : host
  }

  #context(index: number, plan: OperatorPlan, { outputs }: OperatorLink): OperatorContext {
    const { node_id: node, dataflow_id, dataflow_descriptor } = this.#membership.config
    return {
      node,
      dataflowId: dataflow_id,
      dataflowDescriptor: dataflow_descriptor,
      plan,
      outputs,
      log: new Log(node, true, `${node}/${plan.id}`, this.#print),
      entering: (step) => this.#calls.enter(index, step),
      fail: (error) => {
        const instance = this.#instances.find((one) => one.index === index)
        if (instance && !instance.over) this.failed(instance, "outside of a call", error)
      },
    }
  }

  /** The end of one operator: dropped, then its outputs end after the last message, then nobody waits for it. */
  async #finish(instance: Instance): Promise<void> {
    const { receiver, outputs, outputIds, abandon } = this.#links.get(instance)!
    await instance.drop()
    receiver.close()
    // A successor takes over where this process leaves.
    if (this.#failed && this.#membership.plan.mayRestart) return outputs.abort(false)
    abandon()
    await outputs.close()
    if (outputIds.length > 0) await this.#session.closeOutputs(outputIds).catch(() => {})
  }

  /** Under `--hot-reload`: who is saved is loaded anew. */
  #watch(): Disposable | null {
    if (!this.#membership.plan.hotReload) return null
    const watch = new FileWatch((files) => {
      reload(this.#instances, this.#hosts, files).then(() => this.#watchAll(watch))
    })
    this.#watchAll(watch)
    return watch
  }

  #watchAll(watch: FileWatch): void {
    watch.add(this.#plans.map(({ path }) => path))
    for (const host of this.#hosts.values()) watch.add(host.parts?.() ?? [])
  }

  #control(received: ReceivedEvent): void {
    if (received.type === "Stop")
      for (const { receiver } of this.#instances) receiver.stop("MANUAL")
    else {
      const event = eventOf(received)
      if (event !== null) for (const instance of this.#instances) tell(instance, event)
    }
    this.progress()
  }

  #broken(error: Error): void {
    for (const { receiver } of this.#instances) receiver.push({ type: "ERROR", error })
    this.progress()
  }

  #speaker(): string | null {
    const index = this.#calls.current
    const plan = index < 0 ? undefined : this.#plans[index]
    return plan ? `${this.#membership.config.node_id}/${plan.id}` : null
  }

  /** An error that says by itself which operator it is about stays as it is. */
  #blame(plan: OperatorPlan, doing: string, error: unknown): unknown {
    if (error instanceof DoraError && error.parts.where === plan.place) return error
    return new OperatorFailedError(this.#membership.config.node_id, plan, doing, error)
  }

  #complain(error: unknown): void {
    const record = {
      level: "ERROR",
      timestamp: new Date().toISOString(),
      node_id: this.#membership.config.node_id,
      target: "dora-bun",
      message: error instanceof Error ? error.message : String(error),
      fields: {},
    }
    process.stderr.write(`${JSON.stringify(record)}\n`)
  }
}

/** Passes an event of the node on, as far as it is about an operator. */
function tell({ id, receiver }: Instance, event: Event): void {
  const prefix = `${id}/`
  const own = (input: string) => (input.startsWith(prefix) ? [input.slice(prefix.length)] : [])
  if (event.type === "NODE_FAILED") {
    const inputs = event.inputs.flatMap(own)
    if (inputs.length > 0) receiver.push({ ...event, inputs })
  } else if (event.type === "INPUT_RECOVERED") {
    for (const input of own(event.id)) receiver.push({ ...event, id: input })
  } else receiver.push(event)
}
