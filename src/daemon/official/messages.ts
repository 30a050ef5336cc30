// What the daemon and its relay thread tell each other. Messages of nodes never travel this way.
import type { NodePlan } from "../../shm/plan.ts"
import type { NodeConfig } from "../../wire/config.ts"

/** What the relay is started with. */
export type RelayPlan = {
  dataflow: string
  nodes: RelayNodePlan[]
  /** Read end of a pipe: a byte says that there are commands. */
  commandFd: number
  /** Where nodes that are started by hand ask for their configuration; null: there are none. */
  dynamicPort: number | null
  maxSockets: number
  /** Between two looks for nodes that hang. */
  healthCheckNs: number
  /** From the first byte of a frame to its last. */
  frameTimeoutMs: number
  /** Shared: what the lane has passed, see `LANE_COUNTS`. */
  counts: Int32Array
}

/** A node that the relay serves. */
export type RelayNodePlan = {
  plan: NodePlan
  /** A request to end its outputs is ignored: it may be started again. */
  mayRestart: boolean
  /** Inputs with a timeout: how long they may be silent. */
  silentAfterNs: Record<string, number>
  /** How long it may neither ask nor send once it has subscribed. */
  unresponsiveAfterNs?: number | null
  /** For a node that is started by hand: what it is told when it asks. */
  configuration: NodeConfig | null
}

/** What the daemon tells the relay. */
export type RelayCommand =
  /** The answer to `subscribe`: null lets the node go. */
  | { type: "answer"; node: string; error: string | null }
  /** An encoded event for a node. */
  | { type: "event"; node: string; bytes: Uint8Array }
  /** No more events for a node. */
  | { type: "endEvents"; node: string }
  | { type: "mayRestart"; node: string; value: boolean }
  /** The process of a node is dead: what it has sent is read to the end, then comes `drained`. */
  | { type: "exited"; node: string }
  | { type: "end" }

/** What the relay tells the daemon. */
export type RelayReport =
  | { type: "listening"; port: number }
  /** @param relayed  false: it has mapped its memory itself, and only its session comes this way */
  | { type: "subscribe"; node: string; relayed: boolean }
  /** A node that waited at the barrier is gone. */
  | { type: "hungUp"; node: string }
  | { type: "closeOutputs"; node: string; outputs: string[] }
  /** A node that was started by hand is gone, and all that it has sent is where it belongs. */
  | { type: "left"; node: string }
  | { type: "drained"; node: string }
  /** It neither asks nor sends. */
  | { type: "hangs"; node: string; ns: number }
  /** A peer speaks the protocol of dora 0.x. */
  | { type: "era"; node: string; version: string }
  | { type: "warn"; message: string }
  | { type: "ended" }
