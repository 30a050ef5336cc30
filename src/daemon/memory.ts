// The daemon's side of shared memory: it makes and owns every segment, tells each node where they are, reads the counters,
// and settles the edges of the dead. It is not on the data path.
import { DoraError } from "../core/errors.ts"
import { MAX_LOANS } from "../core/limits.ts"
import type { Dataflow, NodeSpec } from "../descriptor/types.ts"
import { type Epoch, FlowClock, readEpoch } from "../shm/clock.ts"
import {
  ABANDONED_WORD,
  ATTACHED_WORD,
  CLOSED_WORD,
  GENERATION_MASK,
  POOL_FDS,
  START_FLOAT,
  STOP_WORD,
  WAKE_RUNNING,
  WAKE_WORD,
} from "../shm/layout.ts"
import { clockNs, closeFd, createPipe } from "../shm/libc.ts"
import { announcePool, chunkCount, makeInbox, makePool } from "../shm/make.ts"
import { type NodePlan, PLAN_VERSION, type WaitMode } from "../shm/plan.ts"
import { Inbox } from "../shm/segment.ts"

import {
  borrowBudget,
  edgePlan,
  inputPlan,
  clearBorrows,
  closeEdge,
  closePool,
  type Edge,
  type NodeMemory,
  type OpenInput,
  openInput,
  type OutputPools,
} from "./edges.ts"

import { crowdedNodes } from "./affinity.ts"
import { type EdgeCounters, type EdgeReport, readCounters, reportEdge } from "./counters.ts"
import { Feeds, isFed, isPrinted } from "./feeds.ts"
import { isSibling, operatorPlans } from "./operators.ts"
import { hasEverything, pulseOf } from "./signs.ts"
import { waitMode } from "./wait-mode.ts"

/** What the daemon decides for every node of a dataflow. */
export type MemoryOptions = {
  dataflow: string
  wait: WaitMode
  exitWhenNodesFinish: boolean
  hotReload?: boolean
  /** First message index of every ring; tests start near the wrap. Default 0. */
  startIndex?: number
}

/** All memory of one running dataflow. */
export class Memory implements Disposable {
  readonly #options: MemoryOptions
  readonly #epoch: Epoch = readEpoch()
  readonly #nodes = new Map<string, NodeMemory>()
  readonly #edges: Edge[] = []
  #crowded: ReadonlySet<NodeSpec> = new Set()
  /** By `node/output`. */
  readonly #pools = new Map<string, OutputPools>()
  /** What the daemon sends itself. */
  readonly feeds: Feeds
  #startNs = 0
  #endNs = 0

  /** @throws SharedMemoryError, WaitModeError */
  static create(flow: Dataflow, options: MemoryOptions): Memory {
    const memory = new Memory(options)
    try {
      memory.#build(flow)
    } catch (error) {
      memory[Symbol.dispose]()
      throw error
    }
    return memory
  }

  private constructor(options: MemoryOptions) {
    this.#options = options
    this.feeds = new Feeds(options.dataflow, new FlowClock(this.#epoch))
  }

  #build(flow: Dataflow): void {
    this.#crowded = crowdedNodes(flow.nodes)
    for (const spec of flow.nodes) this.#addNode(spec, flow.nodes)
    for (const spec of flow.nodes) {
      for (const output of spec.outputs) this.#addPool(`${spec.id}/${output.id}`)
    }
    for (const edge of this.#edges) {
      if (!edge.fed && edge.input.source.kind !== "logs") continue
      this.#pools.set(
        `${edge.from}#${edge.consumer.spec.id}/${edge.input.id}`,
        this.feeds.add(edge),
      )
    }
  }

  #addNode(spec: NodeSpec, all: readonly NodeSpec[]): void {
    const fed = spec.inputs.map((input) => isFed(all, input))
    const siblings = spec.inputs.map((input, i) => isSibling(spec, input) && !fed[i])
    const geometry = spec.inputs.map((input, i) => ({
      queueSize: input.queueSize,
      // The daemon itself never waits for a consumer.
      policy:
        input.source.kind === "output" && !fed[i] ? input.queuePolicy : ("drop_oldest" as const),
      timer: input.source.kind === "timer" || siblings[i]!,
    }))
    const pipe = createPipe()
    const made = makeInbox(`dora-inbox-${spec.id}`, geometry, this.#options.startIndex ?? 0)
    const inbox = new Inbox(process.pid, made.ref, pipe[1])
    const clockId = `01${crypto.randomUUID().replaceAll("-", "").slice(2)}`
    const node: NodeMemory = { spec, clockId, inboxRef: made.ref, pipe, inbox, inputs: [] }
    this.#nodes.set(spec.id, node)
    spec.inputs.forEach((input, i) => {
      const { source } = input
      const fromOutput = source.kind === "output"
      node.inputs.push({
        from: fromOutput ? `${source.node}/${source.output}` : source.text,
        producer: fromOutput ? source.node : null,
        sibling: siblings[i]!,
        fed: fed[i]!,
        output: fromOutput ? source.output : null,
        consumer: node,
        input,
        ring: made.rings[i]!,
        pools: null,
        line: -1,
      })
    })
    this.#edges.push(...node.inputs)
  }

  /** A pool for a node that is about to start; those of its predecessors serve what is queued and held. */
  #addPool(source: string): void {
    const edges = this.#edges.filter((edge) => edge.from === source && !edge.sibling && !edge.fed)
    const shares = edges.map((edge) => ({
      queueSize: edge.input.queueSize,
      budget: borrowBudget(edge.input.queueSize),
    }))
    const chunks = chunkCount(shares, MAX_LOANS)
    const newest = { ref: makePool(`dora-pool-${source}`, chunks, edges.length), mapped: null }
    const before = this.#pools.get(source)
    const generation = before ? (before.generation + 1) & GENERATION_MASK : 0
    const older = before ? [before.newest, ...before.older] : []
    for (const pool of older.splice(POOL_FDS - 1)) closePool(pool)
    const pools = { generation, newest, older }
    this.#pools.set(source, pools)
    edges.forEach((edge, line) => {
      edge.pools = pools
      edge.line = line
      announcePool(edge.consumer.inbox.words, edge.ring, newest.ref, generation)
    })
  }

  /** What a node finds in {@link PLAN_VARIABLE}. */
  nodePlan(id: string): NodePlan {
    const node = this.#node(id)
    const { dataflow, exitWhenNodesFinish } = this.#options
    return {
      version: PLAN_VERSION,
      dataflow,
      node: id,
      pid: process.pid,
      inbox: node.inboxRef,
      wakeFd: node.pipe[0],
      clockId: node.clockId,
      epoch: this.#epoch,
      wait: waitMode(node.spec, this.#options.wait),
      crowded: this.#crowded.has(node.spec),
      exitWhenNodesFinish,
      mayRestart: node.spec.restart.policy !== "never",
      inputs: node.inputs.map((edge) => inputPlan(edge, this.#producerOf(edge))),
      outputs: node.spec.outputs.map((output) => ({
        id: output.id,
        pool: this.#pools.get(`${id}/${output.id}`)!.newest.ref,
        ...(isPrinted(node.spec, output.id) ? { printed: true } : {}),
        edges: this.#edges
          .filter((edge) => edge.producer === id && edge.output === output.id)
          .filter((edge) => !edge.sibling && !edge.fed)
          .map((edge) => edgePlan(edge)),
      })),
      ...operatorPlans(node.spec, this.#options.hotReload),
    }
  }

  /** What a node says about itself in the header of its inbox. */
  words(id: string): Int32Array {
    return this.#node(id).inbox.words
  }

  /** Has the node mapped its inbox? A node that subscribes without it speaks the official protocol only. */
  attached(id: string): boolean {
    return Atomics.load(this.#node(id).inbox.words, ATTACHED_WORD) !== 0
  }

  /** A node's sign of life: see {@link pulseOf}; null also before the barrier is released. */
  pulse(id: string): number | null {
    if (this.#startNs === 0 || !this.attached(id)) return null
    return pulseOf(
      this.#node(id),
      this.#edges.filter(({ producer }) => producer === id),
    )
  }

  /** Has a node taken everything that will ever come to it? */
  hasEverything(id: string): boolean {
    return hasEverything(this.#node(id), this.#options.exitWhenNodesFinish)
  }

  /** The barrier is released: timers count from now. */
  start(): void {
    this.#startNs = clockNs(1)
    for (const { inbox } of this.#nodes.values()) inbox.floats[START_FLOAT] = this.#startNs
  }

  /** The dataflow has ended: rates are computed up to now. */
  freeze(): void {
    this.#endNs = clockNs(1)
  }

  /** Reaches a node that blocks in `recv()` and sees no socket. */
  requestStop(id: string): void {
    const { inbox } = this.#node(id)
    Atomics.store(inbox.words, STOP_WORD, 1)
    inbox.wakeAlways()
  }

  /** Ends outputs on behalf of a node that asked for it over its session. */
  closeOutputs(id: string, outputs: string[]): void {
    for (const edge of this.#edges) {
      if (edge.producer === id && !edge.fed && outputs.includes(edge.output!)) closeEdge(edge)
    }
  }

  /**
   * The process of a node is certainly dead and is started again: what it held is given back, what is queued for it waits, and its
   * outputs get new memory, since nobody knows what it was doing with the old one.
   */
  renew(id: string): void {
    const node = this.#node(id)
    const { words } = node.inbox
    Atomics.store(words, WAKE_WORD, WAKE_RUNNING)
    Atomics.store(words, ATTACHED_WORD, 0)
    for (const edge of node.inputs) clearBorrows(edge)
    for (const output of node.spec.outputs) this.#addPool(`${id}/${output.id}`)
    for (const { inbox } of this.#neighbours(id)) inbox.wakeAlways()
  }

  /** Producers and consumers of a node. */
  #neighbours(id: string): Set<NodeMemory> {
    const all = new Set<NodeMemory>()
    for (const edge of this.#edges) {
      if (edge.producer === id) all.add(edge.consumer)
      else if (edge.consumer.spec.id === id && edge.producer !== null) {
        all.add(this.#node(edge.producer))
      }
    }
    return all
  }

  /** The process of a node is certainly dead and gets no successor: settles its edges, then wakes its neighbours. */
  exited(id: string): void {
    const node = this.#node(id)
    Atomics.store(node.inbox.words, WAKE_WORD, WAKE_RUNNING)
    for (const edge of node.inputs) {
      clearBorrows(edge)
      Atomics.store(node.inbox.words, (edge.ring >> 2) + ABANDONED_WORD, 1)
    }
    for (const edge of this.#edges) if (edge.producer === id) closeEdge(edge)
    for (const { inbox } of this.#neighbours(id)) inbox.wakeAlways()
  }

  /** Inputs that may still bring something. Timers and logs never close. */
  openInputs(id: string): OpenInput[] {
    const { inputs, inbox } = this.#node(id)
    return inputs
      .filter((edge) => Atomics.load(inbox.words, (edge.ring >> 2) + CLOSED_WORD) === 0)
      .map(openInput)
  }

  /** The counters of every edge, as they are now. */
  counters(): EdgeCounters[] {
    const now = this.#endNs || clockNs(1)
    const seconds = this.#startNs === 0 ? 0 : (now - this.#startNs) / 1e9
    return this.#edges.map((edge) => readCounters(edge, seconds))
  }

  /** What every edge has carried since the start. */
  edges(): EdgeReport[] {
    return this.counters().map((edge) => reportEdge(edge))
  }

  /** Gives everything back; who has it mapped keeps its mapping. */
  [Symbol.dispose](): void {
    for (const { inbox, inboxRef, pipe } of this.#nodes.values()) {
      inbox.close()
      closeFd(inboxRef.fd)
      for (const fd of pipe) closeFd(fd)
    }
    for (const { newest, older } of this.#pools.values()) {
      for (const pool of [newest, ...older]) closePool(pool)
    }
    this.#nodes.clear()
    this.#pools.clear()
    this.#edges.length = 0
  }

  #producerOf({ producer, sibling }: Edge): NodeMemory | null {
    return producer === null || sibling ? null : this.#node(producer)
  }

  #node(id: string): NodeMemory {
    const node = this.#nodes.get(id)
    if (!node) throw new DoraError("UNKNOWN_NODE", { what: `no node \`${id}\` in this dataflow` })
    return node
  }
}
