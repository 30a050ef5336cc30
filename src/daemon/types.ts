import type { LogRecord } from "../core/log.ts"
import type { WaitMode } from "../shm/plan.ts"
import type { EdgeCounters, EdgeReport } from "./counters.ts"

export type { EdgeCounters, EdgeReport } from "./counters.ts"

/** How a dataflow is run. */
export type RunOptions = {
  /** Stop this long after the first data could flow. */
  stopAfterMs?: number
  /** Overrides the dataflow file: timers keep no node alive once its data inputs have closed. */
  exitWhenNodesFinish?: boolean
  wait?: WaitMode
  /** Operators in TypeScript and WebAssembly are loaded anew when their file is saved. */
  hotReload?: boolean
  /** Python nodes run by `uv run`. */
  uv?: boolean
  /** Nodes with `path: shell` may run. Default: whether `DORA_ALLOW_SHELL_NODES` is `true`. */
  allowShellNodes?: boolean
  /** For every node; wins over the `env` of the file's root, not over that of a node. */
  env?: Record<string, string>
  /** How long a node may take to subscribe. */
  startupTimeoutMs?: number
  /** Between the Stop event and SIGTERM; half of it again until SIGKILL. */
  graceMs?: number
  /** Where `<dataflow id>/log_<node>.jsonl` go; `out` in the dataflow's directory when left out. */
  outDir?: string
  listener?: (event: DaemonEvent) => void
  /** Gives up a start that is under way. */
  signal?: AbortSignal
}

/** What a node is doing. */
export type NodeState = "building" | "starting" | "ready" | "running" | "stopping" | "exited"

/** What happens in a dataflow, for who shows it. */
export type DaemonEvent =
  { type: "log"; record: LogRecord } | { type: "state"; node: string; state: NodeState }

/** A dataflow whose nodes have all subscribed. */
export interface RunningDataflow {
  /** A UUID of version 7. */
  readonly id: string
  /** Resolves when all processes are gone and everything is closed; never rejects. */
  readonly finished: Promise<DataflowResult>
  /** Stop event, then SIGTERM, then SIGKILL; repeating it changes nothing. */
  stop(by?: string): void
  /** SIGKILL at once. */
  kill(by?: string): void
  /** What each living node waits for: "node b (timer input tick)". */
  waitingFor(): string[]
  /** What each edge has carried since the start, or since an earlier reading of the counters. */
  edges(since?: readonly EdgeCounters[]): EdgeReport[]
  /** A reading of the counters of all edges; after the end the last one. */
  counters(): EdgeCounters[]
}

/** How a dataflow ended. */
export type DataflowResult = {
  id: string
  ok: boolean
  nodes: NodeResult[]
  /** The failure that came first; others may follow from it. */
  firstFailure: NodeResult | null
  edges: EdgeReport[]
  stopped: StopReport | null
  durationMs: number
}

/** What a stop took. */
export type StopReport = {
  /** Who asked: "--stop-after", "Ctrl-C", … */
  by: string
  /** Nodes that needed SIGTERM, and those that needed SIGKILL. */
  term: string[]
  kill: string[]
  /** What kept the dataflow alive when the stop came. */
  waitingFor: string[]
}

/**
 * Why a node ended: by itself (`exit`, `signal`), before the dataflow had started (`startup`), because of another
 * node's failure (`cascade`), by our hand when it did not heed a stop (`grace`), or not even then (`stuck`).
 */
export type NodeCause = "exit" | "signal" | "startup" | "cascade" | "grace" | "stuck"

/** How a node ended. */
export type NodeResult = {
  node: string
  ok: boolean
  exitCode: number | null
  signal: string | null
  cause: NodeCause
  /** The node whose failure led to this one, for `cascade`. */
  causedBy: string | null
  command: string[]
  stderrTail: string[]
  /** Whose code the node was running when it ended badly: "`dora_on_event` of operator `rt/op` (/flows/libop.so)". */
  during?: string
  /** From the start of the process to its end. */
  durationMs: number
}
