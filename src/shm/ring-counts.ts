// What an edge has carried, read by who takes no part in it.
import { HEAD_WORD, START_WORD, TAIL_WORD, TAKEN_WORD } from "./layout.ts"

/** Messages by what became of them, from counters that anybody may read. Totals are exact modulo 2³² and at rest. */
export type RingCounts = { sent: number; taken: number; dropped: number; queued: number }

/** Reads the counters of a ring without disturbing its ends. The order of the loads keeps `dropped` from being negative. */
export function ringCounts(words: Int32Array, offset: number): RingCounts {
  const base = offset >> 2
  const taken = Atomics.load(words, base + TAKEN_WORD)
  const tail = Atomics.load(words, base + TAIL_WORD)
  const head = Atomics.load(words, base + HEAD_WORD)
  const start = words[base + START_WORD]!
  const dropped = (tail - start - taken) >>> 0
  // The head hint is stored after the commit: it may be one behind a consumer that was quick.
  const queued = Math.max(0, (head - tail) | 0)
  return { sent: ((tail - start) >>> 0) + queued, taken: taken >>> 0, dropped, queued }
}
