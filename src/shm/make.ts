// Makes segments: the daemon's part of the layout.
import { CHUNK_STRIDE_BYTES, MAX_POOL_CHUNKS } from "../core/limits.ts"
import type { QueuePolicy } from "../core/policy.ts"
import {
  borrowLineBytes,
  chunksOffset,
  GENERATION_WORD,
  HEAD_WORD,
  inlineBytesFor,
  INLINE_BYTES_WORD,
  LINES_OFFSET,
  PAGE_BYTES,
  POLICY_WORD,
  POOL_CHUNK_COUNT_WORD,
  POOL_FDS,
  POOL_FDS_WORD,
  POOL_LINE_COUNT_WORD,
  POOL_STRIDE_FLOAT,
  QUEUE_SIZE_WORD,
  RING_COUNT_WORD,
  RING_HEADER_BYTES,
  RINGS_OFFSET,
  ringBytes,
  roundUp,
  SEQ_WORD,
  SLOTS_WORD,
  slotBytes,
  START_WORD,
  slotsFor,
  TAIL_WORD,
} from "./layout.ts"
import { createMemory } from "./libc.ts"
import type { SegmentRef } from "./plan.ts"
import { initHeader, mapFile } from "./segment.ts"

/** Geometry of a ring to be made. Timers, and edges within a process, have a header for their counters and no slots. */
export type RingGeometry = { queueSize: number; policy: QueuePolicy; timer: boolean }

/** A new inbox: its descriptor, where its rings begin, and its words for initialisation. */
export type MadeInbox = { ref: SegmentRef; rings: number[] }

/**
 * Makes a node's inbox.
 *
 * @param startIndex  first message index of every ring; tests start near the wrap
 * @throws SharedMemoryError
 */
export function makeInbox(name: string, rings: RingGeometry[], startIndex: number): MadeInbox {
  const offsets: number[] = []
  let size = RINGS_OFFSET
  for (const ring of rings) {
    offsets.push(size)
    const slots = slotCount(ring)
    size += ringBytes(slots, inlineBytesFor(slots))
  }
  size = roundUp(size, PAGE_BYTES)
  const fd = createMemory(name, size)
  const words = new Int32Array(mapFile(process.pid, { fd, size }).buffer)
  words[RING_COUNT_WORD] = rings.length
  rings.forEach((ring, i) => {
    initRing(words, offsets[i]! >> 2, ring, startIndex | 0)
  })
  initHeader(words)
  return { ref: { fd, size }, rings: offsets }
}

function slotCount(ring: RingGeometry): number {
  return ring.timer ? 0 : slotsFor(ring.queueSize)
}

function initRing(words: Int32Array, base: number, ring: RingGeometry, start: number): void {
  const slots = slotCount(ring)
  const inlineBytes = inlineBytesFor(slots)
  words[base + SLOTS_WORD] = slots
  words[base + QUEUE_SIZE_WORD] = ring.queueSize
  words[base + INLINE_BYTES_WORD] = inlineBytes
  words[base + POLICY_WORD] = ring.policy === "backpressure" ? 1 : 0
  words[base + START_WORD] = start
  words[base + HEAD_WORD] = start
  words[base + TAIL_WORD] = start
  words.fill(-1, base + POOL_FDS_WORD, base + POOL_FDS_WORD + POOL_FDS)
  const firstSlot = base + (RING_HEADER_BYTES >> 2)
  for (let i = 0; i < slots; i++) {
    const index = (start + i) | 0
    const slot = firstSlot + (index & (slots - 1)) * (slotBytes(inlineBytes) >> 2)
    // What the previous turn would have left there: never the number that a consumer waits for.
    words[slot + SEQ_WORD] = (index + 1 - slots) | 0
  }
}

/** Enough chunks that a consumer which stops for ever never leaves the producer without one, up to the limit. */
export function chunkCount(edges: { queueSize: number; budget: number }[], loans: number): number {
  const bound = edges.reduce((sum, e) => sum + e.queueSize + e.budget + 1, loans + 1)
  return Math.min(bound, MAX_POOL_CHUNKS)
}

/** Makes an output's pool: sparse, so that only what is touched costs memory. @throws SharedMemoryError */
export function makePool(name: string, chunks: number, lines: number): SegmentRef {
  const size = chunksOffset(chunks, lines) + chunks * CHUNK_STRIDE_BYTES
  const fd = createMemory(name, size)
  const header = LINES_OFFSET + lines * borrowLineBytes(chunks)
  const words = new Int32Array(mapPoolHeader(fd, header))
  words[POOL_CHUNK_COUNT_WORD] = chunks
  words[POOL_LINE_COUNT_WORD] = lines
  new Float64Array(words.buffer, 0, 8)[POOL_STRIDE_FLOAT] = CHUNK_STRIDE_BYTES
  initHeader(words)
  return { fd, size }
}

function mapPoolHeader(fd: number, bytes: number): ArrayBuffer {
  const path = `/proc/${process.pid}/fd/${fd}`
  return Bun.mmap(path, { shared: true, size: roundUp(bytes, PAGE_BYTES) }).buffer as ArrayBuffer
}

/** Tells an edge's consumer where the producer's newest pool is. */
export function announcePool(
  words: Int32Array,
  ring: number,
  pool: SegmentRef,
  generation = 0,
): void {
  const base = ring >> 2
  Atomics.store(words, base + POOL_FDS_WORD + (generation % POOL_FDS), pool.fd)
  Atomics.store(words, base + GENERATION_WORD, generation)
}
