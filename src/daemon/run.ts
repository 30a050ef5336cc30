// A dataflow from its start to its end. Everything that is opened here is closed here, on every way out.
import { join } from "node:path"
import { HybridClock } from "../core/clock.ts"
import { FAILED_START_GRACE_MS, MAX_SOCKETS_PER_NODE } from "../core/limits.ts"
import type { LogLevel, LogRecord } from "../core/log.ts"
import type { Dataflow } from "../descriptor/types.ts"
import { Barrier } from "./barrier.ts"
import { commandOptions } from "./command.ts"
import { type EdgeCounters, type EdgeReport, reportEdge } from "./counters.ts"
import { nodeEnvironments } from "./environment.ts"
import { failedSource, howItEnded, StartAbortedError } from "./failure.ts"
import { Guard, sweep } from "./guard.ts"
import { watchPython } from "./hot-reload.ts"
import { Launch } from "./launch.ts"
import { Listener } from "./listener.ts"
import { Logs } from "./logs.ts"
import { Memory } from "./memory.ts"
import { Watchdog } from "./operators.ts"
import type { Place } from "./origin.ts"
import { passBarrier } from "./patience.ts"
import { prepare } from "./prepare.ts"
import { Stragglers } from "./stragglers.ts"
import { StopLadder } from "./stop.ts"
import { SupervisedNode } from "./supervise.ts"
import type {
  DaemonEvent,
  DataflowResult,
  NodeResult,
  NodeState,
  RunningDataflow,
  RunOptions,
} from "./types.ts"
import { usualWait } from "./wait-mode.ts"

/**
 * Starts a dataflow and waits until all its nodes have subscribed. When that fails everything is ended and closed
 * before the error is thrown.
 *
 * @throws DoraError  BuildError, CommandError, SpawnError, NodeExitedEarlyError, StartupTimeoutError, OfficialNodeError,
 *                    StartAbortedError, LogDirectoryError, or one of the shared memory's
 * @example const run = await startDataflow(flow, { stopAfterMs: 1000 }); const { ok } = await run.finished
 */
export async function startDataflow(
  flow: Dataflow,
  options: RunOptions = {},
): Promise<RunningDataflow> {
  const run = new Run(flow, options)
  try {
    await run.start()
  } catch (error) {
    await run.giveUp(error)
    throw error
  }
  return run
}

class Run implements RunningDataflow {
  readonly id = Bun.randomUUIDv7()
  readonly finished: Promise<DataflowResult>
  readonly #flow: Dataflow
  readonly #options: RunOptions
  readonly #resources = new AsyncDisposableStack()
  readonly #clock = new HybridClock()
  readonly #setFinished: (result: DataflowResult) => void
  readonly #results: NodeResult[] = []
  #nodes: SupervisedNode[] = []
  #ladder = new StopLadder([])
  #barrier: Barrier | null = null
  #memory: Memory | null = null
  #launch: Launch | null = null
  #counters: EdgeCounters[] = []
  #startedMs = 0

  constructor(flow: Dataflow, options: RunOptions) {
    this.#flow = flow
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<DataflowResult>()
    this.finished = promise
    this.#setFinished = resolve
  }

  /** Builds, spawns, and waits at the barrier. */
  async start(): Promise<void> {
    const { signal, uv } = this.#options
    if (signal?.aborted) throw new StartAbortedError(signal.reason)
    const logs = this.#openLogs()
    const guard = this.#openGuard(logs)
    const memory = this.#openMemory(logs)
    const ids = this.#flow.nodes.filter(({ dynamic }) => !dynamic).map(({ id }) => id)
    const barrier = new Barrier(ids, () => this.#opened())
    this.#barrier = barrier
    this.#makeNodes(logs, guard, memory, barrier)
    const listener = this.#listen(logs)
    const environments = nodeEnvironments(this.#flow, this.id, this.#options.env, (message) =>
      logs.say("warn", message),
    )
    const dir = this.#flow.workingDir
    const preparation = { dir, environments, guard, uv, signal, onState: this.#onState }
    const places = await prepare(this.#nodes, preparation)
    await this.#spawnAll(environments, places, listener.address, logs)
    await passBarrier(barrier, this.#nodes, this.#options)
    if (this.#options.hotReload) this.#resources.use(watchPython(this.#nodes))
    this.#awaitEnd(logs)
  }

  /** The start has failed: ends what was started and closes everything. */
  async giveUp(error: unknown): Promise<void> {
    this.#barrier?.fail(error)
    this.#ladder.stop("failed start", [], FAILED_START_GRACE_MS)
    await Promise.all(this.#nodes.filter((node) => node.alive).map((node) => node.ended))
    this.#ladder[Symbol.dispose]()
    await this.#resources.disposeAsync()
  }

  stop(by = "stop"): void {
    this.#launch?.dynamic.stop()
    this.#ladder.stop(by, this.waitingFor(), this.#options.graceMs)
  }

  kill(by = "kill"): void {
    this.#ladder.kill(by, this.waitingFor())
  }

  waitingFor(): string[] {
    return this.#nodes.filter((node) => node.alive).map((node) => node.waitingFor())
  }

  edges(since?: readonly EdgeCounters[]): EdgeReport[] {
    return this.counters().map((edge, i) => reportEdge(edge, since?.[i]))
  }

  counters(): EdgeCounters[] {
    return this.#memory ? this.#memory.counters() : this.#counters
  }

  #openLogs(): Logs {
    const { outDir = join(this.#flow.workingDir, "out") } = this.#options
    const emit = (record: LogRecord) => {
      this.#emit({ type: "log", record })
      this.#memory?.feeds.log(record)
    }
    return this.#resources.use(new Logs(join(outDir, this.id), emit))
  }

  #openGuard(logs: Logs): Guard {
    const guard = new Guard(this.id, (message) => logs.say("warn", message))
    this.#resources.defer(() => guard.close())
    // Runs before the line above, while the guard still stands by.
    this.#resources.defer(() => sweep(this.id, [guard.pid]))
    return guard
  }

  #onState = (node: string, state: NodeState) => this.#emit({ type: "state", node, state })

  get #exitWhenNodesFinish(): boolean {
    return this.#options.exitWhenNodesFinish ?? this.#flow.exitWhenNodesFinish
  }

  #openMemory(logs: Logs): Memory {
    const memory = Memory.create(this.#flow, {
      dataflow: this.id,
      wait: this.#options.wait ?? usualWait(this.#flow.nodes, (text) => logs.say("info", text)),
      hotReload: this.#options.hotReload,
      exitWhenNodesFinish: this.#exitWhenNodesFinish,
    })
    this.#memory = memory
    this.#resources.defer(() => {
      this.#counters = memory.counters()
      this.#memory = null
      memory[Symbol.dispose]()
    })
    return memory
  }

  #makeNodes(logs: Logs, guard: Guard, memory: Memory, barrier: Barrier): void {
    const around = {
      dataflow: this.id,
      guard,
      memory,
      barrier,
      clock: this.#clock,
      forced: (node: string) =>
        this.#ladder.forced(node) ? "stop" : stragglers.forced(node) ? "finish" : null,
      blame: (node: string) => this.#blame(node, barrier.open),
      downstream: (node: string) => this.#downstream(node),
      again: (node: SupervisedNode) => this.#launch!.start(node),
      say: (level: LogLevel, message: string) => logs.say(level, message),
      onState: this.#onState,
      onEnd: (result: NodeResult) => {
        this.#results.push(result)
        // A failed start throws an error that says it.
        if (!result.ok && barrier.open)
          logs.say("error", `node ${result.node} ${howItEnded(result)}`)
      },
    }
    this.#nodes = this.#flow.nodes.map(
      (spec) => new SupervisedNode(spec, logs.node(spec.id, spec.logs), around),
    )
    const warn = (message: string) => logs.say("warn", message)
    this.#ladder = new StopLadder(this.#nodes, warn)
    const hasEverything = (node: string) => memory.hasEverything(node)
    const everySeconds = this.#flow.healthCheckInterval
    const options = { hasEverything, everySeconds, graceMs: this.#options.graceMs, warn }
    const stragglers = this.#resources.use(new Stragglers(this.#nodes, options))
    this.#resources.use(new Watchdog(this.#nodes, (level, message) => logs.say(level, message)))
  }

  #listen(logs: Logs): Listener {
    const nodes = new Map(this.#nodes.map((node) => [node.id, node]))
    const host = {
      dataflow: this.id,
      clock: this.#clock,
      node: (id: string) => nodes.get(id) ?? null,
      warn: (message: string) => logs.say("warn", message),
      era: (id: string, version: string) => nodes.get(id)?.tooOld(version),
    }
    return this.#resources.use(new Listener(host, MAX_SOCKETS_PER_NODE * nodes.size))
  }

  async #spawnAll(
    environments: Map<string, Record<string, string>>,
    places: ReadonlyMap<string, Place>,
    address: string,
    logs: Logs,
  ): Promise<void> {
    const launch = await Launch.prepare(this.#nodes, {
      dataflow: this.id,
      flow: this.#flow,
      memory: this.#memory!,
      exitWhenNodesFinish: this.#exitWhenNodesFinish,
      environments,
      places,
      address,
      commands: commandOptions(this.#options),
      warn: (message) => logs.say("warn", message),
      relayDied: (error) => {
        logs.say("error", `the thread that serves official nodes has died: ${error}`)
        this.#ladder.kill("a dead relay", this.waitingFor())
      },
    })
    this.#launch = this.#resources.use(launch)
    for (const node of this.#nodes) launch.start(node)
  }

  #opened(): void {
    this.#memory!.start()
    this.#startedMs = performance.now()
    for (const node of this.#nodes) node.run()
  }

  #awaitEnd(logs: Logs): void {
    const { stopAfterMs } = this.#options
    const timer =
      stopAfterMs === undefined ? null : setTimeout(() => this.stop("--stop-after"), stopAfterMs)
    const own = this.#nodes.filter(({ spec }) => !spec.dynamic)
    Promise.all(own.map((node) => node.ended)).then(async () => {
      const durationMs = performance.now() - this.#startedMs
      if (timer) clearTimeout(timer)
      this.#ladder[Symbol.dispose]()
      this.#launch?.dynamic.stop()
      this.#memory!.freeze()
      try {
        await this.#resources.disposeAsync()
      } catch (error) {
        logs.say("error", `could not close everything: ${error}`)
      }
      this.#setFinished(this.#result(durationMs))
    })
  }

  #result(durationMs: number): DataflowResult {
    const firstFailure = this.#results.find((result) => !result.ok) ?? null
    const order = this.#flow.nodes.map((node) => node.id)
    return {
      id: this.id,
      ok: firstFailure === null,
      nodes: this.#results.toSorted((a, b) => order.indexOf(a.node) - order.indexOf(b.node)),
      firstFailure,
      edges: this.edges(),
      stopped: this.#ladder.report,
      durationMs,
    }
  }

  #downstream(id: string): SupervisedNode[] {
    return this.#nodes.filter(({ spec }) =>
      spec.inputs.some(({ source }) => source.kind === "output" && source.node === id),
    )
  }

  #blame(node: string, started: boolean): string | null {
    const failed = this.#results.filter((result) => !result.ok).map((result) => result.node)
    // Before the barrier the first failure sends everybody home.
    if (!started) return failed[0] ?? null
    return failedSource(this.#flow, node, new Set(failed))
  }

  #emit(event: DaemonEvent): void {
    try {
      this.#options.listener?.(event)
    } catch (error) {
      // The caller's mistake must not stop the daemon's work; it surfaces as an uncaught error of its own.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
