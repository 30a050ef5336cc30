// One node from its start to its end: the process, what its sessions ask for, and how it is stopped.
import type { HybridClock } from "../core/clock.ts"
import type { Dataflow, NodeSpec } from "../descriptor/types.ts"
import { encodeEvent } from "../wire/events.ts"
import type { Barrier } from "./barrier.ts"
import type { Command } from "./command.ts"
import { judge, NodeExitedEarlyError, HiddenOfficialNodeError } from "./failure.ts"
import type { Guard } from "./guard.ts"
import type { NodeLog } from "./logs.ts"
import { Mailbox } from "./mailbox.ts"
import type { Relay } from "./official/relay.ts"
import type { Memory } from "./memory.ts"
import type { SessionNode } from "./session.ts"
import { Child, type Exit } from "./spawn.ts"
import type { Stoppable } from "./stop.ts"
import type { NodeResult, NodeState } from "./types.ts"

/** What the nodes of a dataflow share. */
export type Surroundings = {
  dataflow: string
  flow: Dataflow
  guard: Guard
  memory: Memory
  barrier: Barrier
  clock: HybridClock
  /** Did a stop signal this node? */
  forced: (node: string) => boolean
  /** The failed node that explains the failure of this one. */
  blame: (node: string) => string | null
  onState: (node: string, state: NodeState) => void
  onEnd: (result: NodeResult) => void
}

/** A node of a running dataflow. */
export class SupervisedNode implements SessionNode, Stoppable {
  readonly id: string
  readonly spec: NodeSpec
  readonly outputs: readonly string[]
  readonly mailbox = new Mailbox()
  readonly log: NodeLog
  /** Resolves when the node has ended and its neighbours know. */
  readonly ended: Promise<NodeResult>
  readonly #around: Surroundings
  readonly #setEnded: (result: NodeResult) => void
  #command: string[] = []
  #child: Child | null = null
  /** Serves this node's sessions, when it is no script of ours. */
  #relay: Relay | null = null

  #state: NodeState = "starting"
  #startedMs = 0
  #exited = false

  constructor(spec: NodeSpec, log: NodeLog, around: Surroundings) {
    this.id = spec.id
    this.spec = spec
    this.outputs = spec.outputs.map((output) => output.id)
    this.log = log
    this.#around = around
    const { promise, resolve } = Promise.withResolvers<NodeResult>()
    this.ended = promise
    this.#setEnded = resolve
  }

  get alive(): boolean {
    return this.#child !== null && !this.#exited
  }

  /** The command line, once it is started. */
  get command(): string[] {
    return this.#command
  }

  /**
   * Starts the process.
   *
   * @param relay  where its sessions are served; null: at the daemon's own listener
   * @throws SpawnError
   */
  start(command: Command, env: Record<string, string>, relay: Relay | null): void {
    this.#command = command.argv
    this.#relay = relay
    this.#startedMs = performance.now()
    this.#child = new Child({
      argv: command.argv,
      cwd: this.#around.flow.workingDir,
      env: { ...env, ...command.env },
      guard: this.#around.guard,
      onLine: (stream, line) => this.log.line(stream, line),
    })
    this.#enter("starting")
    this.#child.finished.then(async (exit) => {
      this.#exited = true
      // What the process had sent is still under way to its consumers.
      await this.#relay?.drained(this.id)
      this.#end(exit)
    })
  }

  /** All nodes have subscribed. */
  run(): void {
    this.#enter("running")
  }

  subscribe(reply: (error: string | null) => void, relayed = false): () => void {
    const { barrier, memory } = this.#around

    if (!relayed && !memory.attached(this.id)) {
      const error = new HiddenOfficialNodeError(this.spec)
      barrier.fail(error, error.parts.what)
    }
    if (!barrier.open) this.#enter("ready")
    return barrier.arrive(this.id, reply)
  }

  closeOutputs(outputs: readonly string[]): void {
    this.#around.memory.closeOutputs(this.id, [...outputs])
  }

  requestStop(): void {
    this.#enter("stopping")
    this.#tell(encodeEvent({ type: "Stop" }, this.#around.clock.stamp()))
    this.#relay?.endEvents(this.id)
    this.mailbox.end()
    this.#around.memory.requestStop(this.id)
  }

  #tell(event: Uint8Array): void {
    if (this.#relay) this.#relay.push(this.id, event)
    else this.mailbox.push(event)
  }

  terminate(): void {
    this.#child?.signal("SIGTERM")
  }

  kill(waitMs: number): void {
    this.#child?.kill(waitMs)
  }

  /** What a node that is still there waits for, as text. */
  waitingFor(): string {
    if (this.spec.inputs.length === 0) return `node ${this.id} (still running, has no inputs)`
    const open = this.#around.memory.openInputs(this.id).map(({ id, kind, source }) => {
      if (kind === "timer") return `timer input ${id}`
      return kind === "logs" ? `log input ${id}` : `open input ${id} from ${source}`
    })
    if (open.length === 0) return `node ${this.id} (still running after all its inputs closed)`
    return `node ${this.id} (${open.join(", ")})`
  }

  #enter(state: NodeState): void {
    if (this.#state === "exited") return
    this.#state = state
    this.#around.onState(this.id, state)
  }

  #end(exit: Exit): void {
    const { barrier, memory, forced, blame, onEnd } = this.#around
    // First of all: the neighbours may be waiting for messages, or for room.
    memory.exited(this.id)
    this.mailbox.end()
    this.#enter("exited")
    const causedBy = blame(this.id)
    const verdict = judge(exit, {
      started: barrier.open,
      forced: forced(this.id),
      blamed: causedBy,
    })
    const result: NodeResult = {
      node: this.id,
      ...verdict,
      exitCode: exit.code,
      signal: exit.signal,
      causedBy: verdict.cause === "cascade" ? causedBy : null,
      command: this.#command,
      stderrTail: [...this.log.stderrTail],
      durationMs: performance.now() - this.#startedMs,
    }
    onEnd(result)
    this.#setEnded(result)
    if (!barrier.open) barrier.fail(new NodeExitedEarlyError(this.spec, result), this.#farewell())
  }

  /** What the official daemon tells the other nodes. */
  #farewell(): string {
    const logs = `dora logs ${this.#around.dataflow} --node ${this.id}`
    return `Node ${this.id} exited before initializing dora. For more information, run \`${logs}\`.`
  }
}
