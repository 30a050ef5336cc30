// One edge as the daemon sees it: its end, and what is left to do when its consumer has died.
import type { Encoder } from "../arrow/encoder.ts"
import { BORROW_EXTRA } from "../core/limits.ts"
import type { InputSpec, NodeSpec } from "../descriptor/types.ts"
import { CLOSED_WORD } from "../shm/layout.ts"
import { closeFd } from "../shm/libc.ts"
import type { EdgePlan, InputPlan, SegmentRef } from "../shm/plan.ts"
import { Pool } from "../shm/pool.ts"
import type { Inbox } from "../shm/segment.ts"
import type { OutputWriter } from "../shm/writer.ts"

/**
 * An edge as the daemon knows it. `producer` is null for timers and logs; a sibling's messages stay in its process. `fed`: the
 * messages are lines of the producer, and the daemon sends them.
 */
export type Edge = {
  from: string
  producer: string | null
  output: string | null
  sibling: boolean
  fed: boolean
  consumer: NodeMemory
  input: InputSpec
  ring: number
  pools: OutputPools | null
  line: number
}

/** A pool of one output. */
export type OutputPool = { ref: SegmentRef; mapped: Pool | null }

/** The pools of an output, newest first: one for each time that its node was started. */
export type OutputPools = { generation: number; newest: OutputPool; older: OutputPool[] }

/** What a node has of shared memory. */
export type NodeMemory = {
  spec: NodeSpec
  clockId: string
  inboxRef: SegmentRef
  pipe: [number, number]
  inbox: Inbox
  inputs: Edge[]
}

/** An input of a node that may still receive something. */
export type OpenInput = {
  id: string
  kind: "output" | "timer" | "logs"
  source: string
  /** From within the node itself. */
  sibling: boolean
}

/** Of which input this is the edge. */
export function openInput({ input: { id, source }, from, sibling }: Edge): OpenInput {
  return { id, kind: source.kind, source: from, sibling }
}

/** Large messages that a consumer may hold at a time. */
export function borrowBudget(queueSize: number): number {
  return queueSize + BORROW_EXTRA
}

/** What its consumer is told. */
export function inputPlan(edge: Edge, producer: NodeMemory | null): InputPlan {
  const { source } = edge.input
  return {
    id: edge.input.id,
    source: edge.from,
    ring: edge.ring,
    borrowBudget: borrowBudget(edge.input.queueSize),
    periodNs: source.kind === "timer" ? source.periodNs : null,
    pool: edge.pools && { ref: edge.pools.newest.ref, line: edge.line },
    ...(edge.sibling ? { sibling: true } : {}),
    ...(edge.input.inputTimeout === null ? {} : { recovers: true }),
    producer: producer && { inbox: producer.inboxRef, wakeFd: producer.pipe[0] },
  }
}

/** What its producer is told. */
export function edgePlan({ consumer, input, ring, line }: Edge): EdgePlan {
  return {
    node: consumer.spec.id,
    input: input.id,
    inbox: consumer.inboxRef,
    wakeFd: consumer.pipe[0],
    ring,
    line,
    policy: input.queuePolicy,
  }
}

/** Ends an edge on behalf of its producer: the consumer sees it after the last message. */
export function closeEdge(edge: Edge): void {
  const { inbox } = edge.consumer
  Atomics.store(inbox.words, (edge.ring >> 2) + CLOSED_WORD, 1)
  inbox.wake()
}

/** Takes back what a dead consumer had marked as borrowed. */
export function clearBorrows(edge: Edge): void {
  for (const pool of edge.pools ? [edge.pools.newest, ...edge.pools.older] : []) {
    pool.mapped ??= new Pool(process.pid, pool.ref)
    const { lines, lineWords } = pool.mapped
    for (let i = 0; i < lineWords; i++) Atomics.store(lines, edge.line * lineWords + i, 0)
  }
}

/** Ends the daemon's part of a pool; who has it mapped keeps it. */
export function closePool(pool: OutputPool): void {
  pool.mapped?.unmap()
  closeFd(pool.ref.fd)
}

/** Sends a text that the daemon itself produces. Such edges drop their oldest message when they are full. */
export function publishText(writer: OutputWriter, encoder: Encoder, text: string): void {
  const payload = encoder.prepare(text)
  if (payload.byteLength <= writer.inlineBytes) {
    writer.publishInline(payload, null)
    return
  }
  const chunk = writer.allocate(payload.byteLength)
  writer.write(chunk, payload)
  writer.publishChunk(chunk, payload, null)
}
