// What the daemon tells a node about memory: JSON in the environment variable DORA_BUN_PLAN.
// Every descriptor number is one of the daemon's; it is opened as /proc/<pid>/fd/<fd>.
import type { OperatorKind } from "../core/operator.ts"
import type { QueuePolicy } from "../core/policy.ts"

/** Environment variable that carries a {@link NodePlan}. */
export const PLAN_VARIABLE = "DORA_BUN_PLAN"
/** Changes with every change of the plan or of the memory layout. */
export const PLAN_VERSION = 2

/** How a node waits: poll without end, poll while it pays and then sleep, or sleep at once. */
export type WaitMode = "busy" | "adaptive" | "park"

/** A segment of the daemon's: descriptor and size in bytes. */
export type SegmentRef = { fd: number; size: number }

/** Everything a node needs to take part in a dataflow through shared memory. */
export type NodePlan = {
  version: number
  dataflow: string
  node: string
  /** Process that owns the descriptors. */
  pid: number
  inbox: SegmentRef
  /** Pipe on which this node sleeps in its event loop; peers write to it. */
  wakeFd: number
  /** 16 bytes in hexadecimal: this node's identity in hybrid clock stamps. */
  clockId: string
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC, the same for every node of a dataflow. */
  epoch: { seconds: number; nanoseconds: number }
  wait: WaitMode
  /** More nodes may use its cores than there are: who polls lets others go first. */
  crowded?: boolean
  /** Timers stop keeping this node alive when its last data input has closed. */
  exitWhenNodesFinish: boolean
  /** It may be started again: its outputs don't end with the process, only when it says so or the daemon does. */
  mayRestart: boolean
  inputs: InputPlan[]
  outputs: OutputPlan[]
  /** What an operator runtime runs; absent for other nodes. */
  operators?: OperatorPlan[]
  /** Operators whose files change are loaded anew. */
  hotReload?: boolean
}

/** One operator of a runtime node. The node's inputs and outputs are called `<operator>/<input>`, `<operator>/<output>`. */
export type OperatorPlan = {
  id: string
  kind: OperatorKind
  /** Absolute path of the file, prefix and extension of a library included. */
  path: string
  /** Where it stands in the dataflow file: `flow.yml:12:7`. */
  place: string
  /** Runs on a thread of its own. */
  threads: boolean
}

/** An input of this node. */
export type InputPlan = {
  id: string
  /** Source as in the dataflow file. */
  source: string
  /** Offset of the edge's ring in the inbox. */
  ring: number
  /** Large messages that this node may hold at a time. */
  borrowBudget: number
  /** From an operator to another one of this node: a ring header for the counters, and no slots. */
  sibling?: boolean
  /** Told as closed when it is silent for long, and as recovered later: such a closing may not be its end. */
  recovers?: boolean
  /** Set for timers, which have a ring header for their counters and no slots. */
  periodNs: number | null
  /** Where large messages lie, and this consumer's borrow line there; null for timers. */
  pool: { ref: SegmentRef; line: number } | null
  /** Whom to wake when it waits for room; null when the daemon is the producer. */
  producer: { inbox: SegmentRef; wakeFd: number } | null
}

/** An output of this node. */
export type OutputPlan = {
  id: string
  pool: SegmentRef
  edges: EdgePlan[]
  /** It carries what the node prints, and only the daemon sends there. */
  printed?: boolean
}

/** One consumer of an output. */
export type EdgePlan = {
  node: string
  input: string
  inbox: SegmentRef
  wakeFd: number
  /** Offset of the edge's ring in the consumer's inbox. */
  ring: number
  /** Index of the consumer's borrow line in the pool. */
  line: number
  policy: QueuePolicy
}
