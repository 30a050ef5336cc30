// Memory for a node whose daemon has none: it lies in the node's own process, between the program and the thread that talks to
// the daemon. To both it looks as if the other were a node on this machine.
import { BORROW_EXTRA, DEFAULT_QUEUE_SIZE, MAX_LOANS, MAX_RING_SLOTS } from "../../core/limits.ts"
import type { QueuePolicy } from "../../core/policy.ts"
import { readEpoch } from "../../shm/clock.ts"
import { createPipe } from "../../shm/libc.ts"
import {
  announcePool,
  chunkCount,
  type MadeInbox,
  makeInbox,
  makePool,
  type RingGeometry,
} from "../../shm/make.ts"
import {
  type EdgePlan,
  type InputPlan,
  type NodePlan,
  type OutputPlan,
  PLAN_VERSION,
} from "../../shm/plan.ts"
import { Inbox } from "../../shm/segment.ts"
import type { InputConfig, NodeConfig } from "../../wire/config.ts"

/** What the node has sent and the daemon has not taken yet; then the node waits. */
const SEND_QUEUE = 64

/** The plans of both sides, and the descriptors behind them: those live as long as the process. */
export type LinkMemory = { node: NodePlan; link: NodePlan }

/** One side: its inbox, and the pipe that wakes it. */
type Side = { id: string; made: MadeInbox; inbox: Inbox; pipe: [number, number] }
type Edge = { id: string; source: string; from: Side; to: Side; ring: number; queueSize: number }

/** Makes memory for all inputs and outputs of a node. @throws SharedMemoryError */
export function makeLinkMemory(config: NodeConfig): LinkMemory {
  const { inputs, outputs } = config.run_config
  const ids = Object.keys(inputs)
  const queues = ids.map((id) => queueOf(inputs[id]!))
  const node = makeSide(config.node_id, queues)
  const sends = outputs.map(() => ({ queueSize: SEND_QUEUE, policy: "backpressure" as const }))
  const link = makeSide("dora", sends)
  const incoming = ids.map((id, i): [Edge, QueuePolicy] => {
    const { queueSize, policy } = queues[i]!
    const source = sourceOf(inputs[id]!)
    return [{ id, source, from: link, to: node, ring: node.made.rings[i]!, queueSize }, policy]
  })
  const outgoing = outputs.map((id, i): [Edge, QueuePolicy] => {
    const source = `${config.node_id}/${id}`
    const ring = link.made.rings[i]!
    return [{ id, source, from: node, to: link, ring, queueSize: SEND_QUEUE }, "backpressure"]
  })
  const received = incoming.map(([edge, policy]) => connect(edge, policy))
  const sent = outgoing.map(([edge, policy]) => connect(edge, policy))
  const plan = planOf(config.dataflow_id)
  return {
    node: {
      ...plan(node),
      wait: "adaptive",
      inputs: received.map(({ input }) => input),
      outputs: sent.map(({ output }) => output),
    },
    // What it moves takes a socket's time anyway: it leaves the processor to the program.
    link: {
      ...plan(link),
      wait: "park",
      inputs: sent.map(({ input }) => input),
      outputs: received.map(({ output }) => output),
    },
  }
}

function sourceOf(input: InputConfig): string {
  return typeof input === "string" ? input : input.source
}

function queueOf(input: InputConfig): Omit<RingGeometry, "timer"> {
  const { queue_size = DEFAULT_QUEUE_SIZE, queue_policy = "drop_oldest" } =
    typeof input === "string" ? {} : input
  return { queueSize: Math.min(Math.max(queue_size, 1), MAX_RING_SLOTS), policy: queue_policy }
}

function makeSide(id: string, queues: Omit<RingGeometry, "timer">[]): Side {
  const pipe = createPipe()
  const rings = queues.map((queue) => ({ ...queue, timer: false }))
  const made = makeInbox(`dora-inbox-${id}`, rings, 0)
  return { id, made, inbox: new Inbox(process.pid, made.ref, pipe[1]), pipe }
}

/** Gives an edge its pool. */
function connect(edge: Edge, policy: QueuePolicy): { input: InputPlan; output: OutputPlan } {
  const { id, source, from, to, ring, queueSize } = edge
  const borrowBudget = queueSize + BORROW_EXTRA
  const chunks = chunkCount([{ queueSize, budget: borrowBudget }], MAX_LOANS)
  const pool = makePool(`dora-pool-${source}`, chunks, 1)
  announcePool(to.inbox.words, ring, pool)
  const producer = { inbox: from.made.ref, wakeFd: from.pipe[0] }
  const consumer: EdgePlan = {
    node: to.id,
    input: id,
    inbox: to.made.ref,
    wakeFd: to.pipe[0],
    ring,
    line: 0,
    policy,
  }
  return {
    input: {
      id,
      source,
      ring,
      borrowBudget,
      periodNs: null,
      pool: { ref: pool, line: 0 },
      producer,
    },
    output: { id, pool, edges: [consumer] },
  }
}

function planOf(dataflow: string) {
  const epoch = readEpoch()
  return (side: Side) => ({
    version: PLAN_VERSION,
    dataflow,
    node: side.id,
    pid: process.pid,
    inbox: side.made.ref,
    wakeFd: side.pipe[0],
    clockId: `01${crypto.randomUUID().replaceAll("-", "").slice(2)}`,
    epoch,
    exitWhenNodesFinish: false,
    mayRestart: false,
  })
}
