// Where everything lies in shared memory. This is an ABI: docs/layout.md describes it field by field, and C and
// Python clients rely on it. Little-endian 32-bit words; offsets in bytes unless a name ends in _WORD.
// Words are grouped by who polls them, not by who writes them: JavaScriptCore's atomic loads are locked
// read-modify-write instructions, so two processes that load the same line keep taking it from each other.
import { FEW_SLOTS, INLINE_BYTES, SMALL_INLINE_BYTES } from "../core/limits.ts"

/** "dora" in the first word of every segment. */
export const MAGIC = 0x61726f64
/** Changes with every incompatible change of this file. */
export const LAYOUT_VERSION = 2

/** Pages, and what segment sizes are rounded up to. */
export const PAGE_BYTES = 4096
/** Two lines: what the processor's neighbour-line prefetcher moves together. */
export const LINE_BYTES = 128

// --- inbox header: one page -------------------------------------------------------------------------------------
/** Segment header, both kinds: magic, version. */
export const MAGIC_WORD = 0
export const VERSION_WORD = 1
/** Number of rings in the inbox. */
export const RING_COUNT_WORD = 2
/** Process id of the attached node, 0 before; written by the node. */
export const ATTACHED_WORD = 3
/** Common start of all timers: CLOCK_MONOTONIC nanoseconds as Float64; written by the daemon. */
export const START_FLOAT = 2
/** What the node sleeps on: see WAKE_*. Own line. */
export const WAKE_WORD = 32
/** Set by the daemon: 1 = stop. Own line, polled by the node. */
export const STOP_WORD = 64
/** Times the node went to sleep, times it was woken; written by the node. */
export const PARKS_WORD = 96
export const WOKEN_WORD = 97
/** Times the node looked in vain for something to do while it was awake; written by the node. */
export const LOOKS_WORD = 100
/** The core on which the node went to sleep last, or to which it has moved since, + 1; 0: unknown. */
export const CORE_WORD = 101
/** Of an operator runtime: who is being called (index + 1, shifted, with a CALL_*; 0: nobody), and calls begun so far. */
export const CALL_WORD = 98
export const CALLS_WORD = 99
/** First ring. */
export const RINGS_OFFSET = PAGE_BYTES

/** Values of the wake word. */
export const WAKE_RUNNING = 0
export const WAKE_PARKED_FUTEX = 1
export const WAKE_PARKED_FD = 2

/** The call word holds one of these in its low bits: loading, initialising, handling an event, dropping. */
export const CALL_LOAD = 1
export const CALL_INIT = 2
export const CALL_EVENT = 3
export const CALL_DROP = 4
export const CALL_BITS = 3

// --- ring header ------------------------------------------------------------------------------------------------
// Producer's line: written by the producer, polled by nobody.
export const HEAD_WORD = 0
/** Index of the first message ever, so that totals can be derived. */
export const START_WORD = 1
/** Set by the daemon when the ring is made: slots, queue size, inline bytes, policy (0 drop_oldest, 1 backpressure). */
export const SLOTS_WORD = 2
export const QUEUE_SIZE_WORD = 3
export const INLINE_BYTES_WORD = 4
export const POLICY_WORD = 5
// Consumer's line.
export const TAIL_WORD = 32
export const TAKEN_WORD = 33
// Polled by the consumer.
export const CLOSED_WORD = 64
export const WANT_WORD = 65
/** Its values beside 0: wake me at the next claim; when half of the queue is free. */
export const WANT_ROOM = 1
export const WANT_HALF = 2
/** Newest pool of the producer: its generation. */
export const GENERATION_WORD = 66
/** Descriptor numbers in the daemon of the newest pools, by generation modulo their count. */
export const POOL_FDS_WORD = 68
export const POOL_FDS = 8
// Polled by the producer.
export const ABANDONED_WORD = 96
// Producer's statistics (Float64 index relative to the ring header): bytes of bodies, without their headers.
export const SENT_BYTES_FLOAT = 64
/** Of these, bytes that their sender did not copy: loans. */
export const LENT_BYTES_FLOAT = 65
/** Sends that had to wait for credit. */
export const WAITED_WORD = 132
// Consumer's statistics.
/** Large messages that were delivered as copies because the borrow budget was used up, and their bytes. */
export const COPIED_WORD = 160
export const COPIED_BYTES_FLOAT = 81
/** Samples of the queue's length, by bucket. */
export const DEPTHS_WORD = 192
export const DEPTH_BUCKETS = 32
/** Samples of the latency, by bucket. */
export const LATENCIES_WORD = 224
export const LATENCY_BUCKETS = 512
export const RING_HEADER_BYTES = 2944

// --- slot -------------------------------------------------------------------------------------------------------
export const SEQ_WORD = 0
/** Bytes of the Arrow stream. */
export const LENGTH_WORD = 1
/** Chunk index | generation << CHUNK_BITS, or -1 when the bytes follow inline. */
export const CHUNK_WORD = 2
/** > 0: all messages of this edge with this number have the same Arrow header and trailer; 0: unknown. */
export const TEMPLATE_WORD = 3
/** Hybrid clock: seconds and binary fraction since 1970, as in NTP64. */
export const SECONDS_WORD = 4
export const FRACTION_WORD = 5
/** Bytes of encoded parameters, at the next multiple of 8 after the Arrow stream. */
export const PARAMETERS_WORD = 6
/** Where the stream starts in its chunk. */
export const OFFSET_WORD = 7
/** Identity of the clock that stamped the message: 16 bytes. */
export const CLOCK_ID_WORD = 8
/** Bytes of the Arrow header: where the body starts in the stream. */
export const HEADER_LENGTH_WORD = 12
export const SLOT_HEADER_BYTES = 64

const END_MARK_BYTES = 8

/** Bits of the chunk index in CHUNK_WORD; the rest is the pool generation. */
export const CHUNK_BITS = 13
export const CHUNK_MASK = (1 << CHUNK_BITS) - 1
/** Generations count modulo this, so that the word stays non-negative. */
export const GENERATION_MASK = (1 << (31 - CHUNK_BITS)) - 1

// --- pool header: chunk count in word 2, stride in bytes as Float64, then borrow lines from LINES_OFFSET --------
export const POOL_CHUNK_COUNT_WORD = 2
export const POOL_LINE_COUNT_WORD = 3
export const POOL_STRIDE_FLOAT = 2
export const LINES_OFFSET = 128

/** Bytes of one edge's borrow line: one bit a chunk, whole lines. */
export function borrowLineBytes(chunks: number): number {
  return Math.ceil(chunks / 32 / (LINE_BYTES / 4)) * LINE_BYTES
}

/** Where the chunks begin in a pool. */
export function chunksOffset(chunks: number, lines: number): number {
  return roundUp(LINES_OFFSET + lines * borrowLineBytes(chunks), PAGE_BYTES)
}

/** Bytes for a message in a slot of a new ring. */
export function inlineBytesFor(slots: number): number {
  return slots <= FEW_SLOTS ? INLINE_BYTES : SMALL_INLINE_BYTES
}

/** Distance from one slot to the next. */
export function slotBytes(inlineBytes: number): number {
  return roundUp(SLOT_HEADER_BYTES + inlineBytes, LINE_BYTES)
}

/** Bytes of a ring with its header. */
export function ringBytes(slots: number, inlineBytes: number): number {
  return roundUp(RING_HEADER_BYTES + slots * slotBytes(inlineBytes), LINE_BYTES)
}

/** Bytes of the body in a stream: what lies between its header and its end mark. The whole stream where that isn't said. */
export function bodyBytes(length: number, headerLength: number): number {
  return headerLength > 0 ? Math.max(0, length - headerLength - END_MARK_BYTES) : length
}

/** Slots for a queue: the next power of two. */
export function slotsFor(queueSize: number): number {
  return 1 << (32 - Math.clz32(Math.max(queueSize, 1) - 1))
}

/** @example roundUp(5, 4) // 8 */
export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
