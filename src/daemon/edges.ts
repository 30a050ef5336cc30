// One edge as the daemon sees it: its end, and what is left to do when its consumer has died.
import type { Encoder } from "../arrow/encoder.ts"
import { BORROW_EXTRA } from "../core/limits.ts"
import type { InputSpec, NodeSpec } from "../descriptor/types.ts"
import { CLOSED_WORD } from "../shm/layout.ts"
import type { SegmentRef } from "../shm/plan.ts"
import { Pool } from "../shm/pool.ts"
import type { Inbox } from "../shm/segment.ts"
import type { OutputWriter } from "../shm/writer.ts"

/** An edge as the daemon knows it. `producer` is null for timers and logs; a sibling's messages stay in its process. */
export type Edge = {
  from: string
  producer: string | null
  output: string | null
  sibling: boolean
  consumer: NodeMemory
  input: InputSpec
  ring: number
  pool: OutputPool | null
  line: number
}

/** The pool of one output. */
export type OutputPool = { ref: SegmentRef; mapped: Pool | null }

/** What a node has of shared memory. */
export type NodeMemory = {
  spec: NodeSpec
  clockId: string
  inboxRef: SegmentRef
  pipe: [number, number]
  inbox: Inbox
  inputs: Edge[]
}

/** Large messages that a consumer may hold at a time. */
export function borrowBudget(queueSize: number): number {
  return queueSize + BORROW_EXTRA
}

/** Ends an edge on behalf of its producer: the consumer sees it after the last message. */
export function closeEdge(edge: Edge): void {
  const { inbox } = edge.consumer
  Atomics.store(inbox.words, (edge.ring >> 2) + CLOSED_WORD, 1)
  inbox.wake()
}

/** Takes back what a dead consumer had marked as borrowed. */
export function clearBorrows(edge: Edge): void {
  if (!edge.pool) return
  edge.pool.mapped ??= new Pool(process.pid, edge.pool.ref)
  const { lines, lineWords } = edge.pool.mapped
  for (let i = 0; i < lineWords; i++) Atomics.store(lines, edge.line * lineWords + i, 0)
}

/** Sends a text that the daemon itself produces. Such edges drop their oldest message when they are full. */
export function publishText(writer: OutputWriter, encoder: Encoder, text: string): void {
  const payload = encoder.prepare(text)
  if (payload.byteLength <= writer.inlineBytes) {
    writer.publishInline(payload, null)
    return
  }
  const chunk = writer.allocate()
  writer.write(chunk, payload)
  writer.publishChunk(chunk, payload, null)
}
