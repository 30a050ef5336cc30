// One node from its start to its end: the process, what its sessions ask for, and how it is stopped.
import { KILL_WAIT_MS } from "../core/limits.ts"
import type { HybridClock } from "../core/clock.ts"
import type { LogLevel } from "../core/log.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import { encodeEvent, type NodeEvent } from "../wire/events.ts"
import type { Barrier } from "./barrier.ts"
import type { Command } from "./command.ts"
import {
  type Circumstances,
  farewell,
  howItEnded,
  judge,
  NodeExitedEarlyError,
  HiddenOfficialNodeError,
  OldNodeError,
} from "./failure.ts"
import type { Guard } from "./guard.ts"
import type { NodeLog } from "./logs.ts"
import { Mailbox } from "./mailbox.ts"
import { describeCall, openCall } from "./operators.ts"
import type { Relay } from "./official/relay.ts"
import type { Memory } from "./memory.ts"
import { Restarts } from "./restart.ts"
import type { SessionNode } from "./session.ts"
import { Child, type Exit } from "./spawn.ts"
import type { Stoppable } from "./stop.ts"
import { troubleOf } from "./trouble.ts"
import type { NodeResult, NodeState } from "./types.ts"

/** What the nodes of a dataflow share. */
export type Surroundings = {
  dataflow: string
  guard: Guard
  memory: Memory
  barrier: Barrier
  clock: HybridClock
  /** Did a stop signal this node? */
  forced: (node: string) => Circumstances["forced"]
  /** The failed node that explains the failure of this one. */
  blame: (node: string) => string | null
  /** The nodes that get messages of this one. */
  downstream: (node: string) => SupervisedNode[]
  /** Starts a node again. @throws SpawnError */
  again: (node: SupervisedNode) => void
  say: (level: LogLevel, message: string) => void
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
  readonly #restarts: Restarts
  /** How often it was started again. */
  restartCount = 0
  #stopping = false
  /** The end of the last process, while the next one is waited for. */
  #waiting: Exit | null = null
  #subscribed = false
  /** Before the next start, or until the node must have subscribed. */
  #timer: Timer | null = null

  constructor(spec: NodeSpec, log: NodeLog, around: Surroundings) {
    this.id = spec.id
    this.spec = spec
    this.outputs = spec.outputs.map((output) => output.id)
    this.log = log
    this.#around = around
    this.#restarts = new Restarts(spec.restart)
    const { promise, resolve } = Promise.withResolvers<NodeResult>()
    this.ended = promise
    this.#setEnded = resolve
  }

  get alive(): boolean {
    return this.#child !== null && (!this.#exited || this.#waiting !== null)
  }

  /** The command line, once it is started. */
  get command(): string[] {
    return this.#command
  }

  /**
   * Starts the process.
   *
   * @param cwd    where
   * @param relay  where its sessions are served; null: at the daemon's own listener
   * @throws SpawnError
   */
  start(command: Command, cwd: string, env: Record<string, string>, relay: Relay | null): void {
    this.#command = command.argv
    this.#relay = relay
    this.#startedMs = performance.now()
    this.#exited = false
    this.#subscribed = false
    const { feeds } = this.#around.memory
    this.log.begin()
    this.#child = new Child({
      argv: command.argv,
      cwd,
      env: { ...env, ...command.env },
      guard: this.#around.guard,
      onLine: (stream, line) => feeds.line(this.spec, line, this.log.line(stream, line)),
    })
    this.#enter("starting")
    this.#watchStart()
    this.#child.finished.then(async (exit) => {
      this.#exited = true
      this.#clearTimer()
      // What the process had sent is still under way to its consumers.
      await this.#relay?.drained(this.id)
      if (!this.#restart(exit)) this.#end(exit)
    })
  }

  /** What it says about itself in shared memory. */
  get words(): Int32Array {
    return this.#around.memory.words(this.id)
  }

  /** Nobody starts it here: it may join at any time. */
  expect(relay: Relay): void {
    this.#relay = relay
  }

  /** All nodes have subscribed. */
  run(): void {
    this.#enter("running")
  }

  subscribe(reply: (error: string | null) => void, relayed = false): () => void {
    const { barrier, memory } = this.#around
    this.#subscribed = true
    this.#clearTimer()
    if (!relayed && !memory.attached(this.id)) {
      const error = new HiddenOfficialNodeError(this.spec)
      barrier.fail(error, error.parts.what)
    }
    this.#enter(barrier.open ? "running" : "ready")
    return barrier.arrive(this.id, reply)
  }

  /** It turned out to be made for another dora. */
  tooOld(version: string): void {
    const error = new OldNodeError(this.spec, version, this.#command)
    this.#around.barrier.fail(error, error.parts.what)
  }

  /** Who may be started again keeps its outputs until it has ended for good. */
  outputsDone(): void {
    if (!this.#restarts.possible) this.closeOutputs(this.outputs)
  }

  closeOutputs(outputs: readonly string[]): void {
    this.#around.memory.closeOutputs(this.id, [...outputs])
  }

  requestStop(): void {
    this.#stopping = true
    if (this.#waiting) {
      // Between two processes: there will be no next one.
      this.#clearTimer()
      this.#end(this.#waiting)
      return
    }
    this.#enter("stopping")
    this.tell({ type: "Stop" })
    this.#relay?.endEvents(this.id)
    this.mailbox.end()
    this.#around.memory.requestStop(this.id)
  }

  /** Adds an event to what the node is told. */
  tell(event: NodeEvent): void {
    const bytes = encodeEvent(event, this.#around.clock.stamp())
    if (this.#relay) this.#relay.push(this.id, bytes)
    else this.mailbox.push(bytes)
  }

  terminate(): void {
    this.#child?.signal("SIGTERM")
  }

  kill(waitMs = KILL_WAIT_MS): void {
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

  /** A process that doesn't subscribe in the time that the dataflow file gives it is killed. */
  #watchStart(): void {
    const { startupTimeout } = this.spec.restart
    if (startupTimeout === null) return
    this.#timer = setTimeout(() => {
      const what = "process killed: startup_timeout exceeded before node connected"
      this.#around.say("error", `node ${this.id}: ${what}`)
      this.kill(KILL_WAIT_MS)
    }, startupTimeout * 1000)
  }

  #clearTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Starts the node again if its policy says so; false: this was its end. */
  #restart(exit: Exit): boolean {
    const { downstream, again, memory, say } = this.#around
    if (this.#stopping) return false
    // Official: a node to which nothing can come is not started again, and that includes sources.
    const decided = this.#restarts.decide(exit.code === 0, performance.now())
    if (decided === null) return false
    if (this.#subscribed && memory.openInputs(this.id).every(({ sibling }) => sibling)) {
      say("info", `node ${this.id}: not restarting node because all inputs are already closed`)
      return false
    }
    if ("given" in decided) {
      say("error", `node ${this.id}: ${decided.given}`)
      return false
    }
    const how = howItEnded({ exitCode: exit.code, signal: exit.signal })
    say("warn", `node ${this.id} ${how}; it is started again`)
    for (const node of downstream(this.id)) node.tell({ type: "NodeRestarted", node: this.id })
    // The relay, which lives on, keeps the place of its nodes.
    if (!this.#relay) memory.renew(this.id)
    this.#waiting = exit
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#waiting = null
      this.restartCount++
      try {
        again(this)
      } catch (error) {
        say("error", (error as Error).message)
        this.#end(exit)
      }
    }, decided.delayMs)
    return true
  }

  #end(exit: Exit): void {
    this.#waiting = null
    const { barrier, memory, forced, blame, onEnd, downstream } = this.#around
    const call = openCall(this.spec, this.words)
    // A command line need not know dora: nobody waits for it any more.
    const isDone = this.spec.shell && exit.code === 0
    if (isDone) barrier.arrive(this.id, () => {})
    const causedBy = blame(this.id)
    const verdict = judge(exit, {
      started: barrier.open || isDone,
      forced: forced(this.id),
      blamed: causedBy,
    })
    const how = howItEnded({ exitCode: exit.code, signal: exit.signal })
    for (const node of verdict.ok || !barrier.open ? [] : downstream(this.id)) {
      const inputs = node.spec.inputs.flatMap(({ id, source }) =>
        source.kind === "output" && source.node === this.id ? [id] : [],
      )
      node.tell({ type: "NodeFailed", inputs, error: `node ${this.id} ${how}`, source: this.id })
    }
    // The neighbours may be waiting for messages, or for room.
    memory.exited(this.id)
    this.mailbox.end()
    this.#enter("exited")
    const result: NodeResult = {
      node: this.id,
      ...verdict,
      exitCode: exit.code,
      signal: exit.signal,
      causedBy: verdict.cause === "cascade" ? causedBy : null,
      command: this.#command,
      stderrTail: [...this.log.stderrTail],
      durationMs: performance.now() - this.#startedMs,
      ...(call && !verdict.ok ? { during: describeCall(this.id, call) } : {}),
    }
    onEnd(result)
    const trouble = troubleOf(result)
    if (trouble && barrier.open) this.#around.say("error", `${trouble.what}\n  fix: ${trouble.fix}`)
    this.#setEnded(result)
    if (barrier.open || isDone) return
    const error = new NodeExitedEarlyError(this.spec, result, trouble)
    barrier.fail(error, farewell(this.id, this.#around.dataflow))
  }
}
