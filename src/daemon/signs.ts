// What shared memory says of how a node fares.
import {
  CLOSED_WORD,
  HEAD_WORD,
  LOOKS_WORD,
  PARKS_WORD,
  TAKEN_WORD,
  WAKE_RUNNING,
  WAKE_WORD,
} from "../shm/layout.ts"
import { ringCounts } from "../shm/ring-counts.ts"
import type { Edge, NodeMemory } from "./edges.ts"

/**
 * A number that changes whenever a node of ours takes, sends or looks for something; null while it sleeps until there is
 * something.
 *
 * @param outgoing  the edges that it feeds
 */
export function pulseOf({ inputs, inbox }: NodeMemory, outgoing: readonly Edge[]): number | null {
  const { words } = inbox
  if (Atomics.load(words, WAKE_WORD) !== WAKE_RUNNING) return null
  let sum = words[PARKS_WORD]! + words[LOOKS_WORD]!
  for (const { ring } of inputs) sum += words[(ring >> 2) + TAKEN_WORD]!
  for (const { consumer, ring } of outgoing) sum += consumer.inbox.words[(ring >> 2) + HEAD_WORD]!
  return sum
}

/**
 * Has a node taken everything that will ever come to it? Never true of a source.
 *
 * @param dataOnly  timers and logs, which never end, don't count
 */
export function hasEverything({ inputs, inbox }: NodeMemory, dataOnly: boolean): boolean {
  const data = inputs.filter(({ input }) => input.source.kind === "output")
  if (data.length === 0 || (data.length < inputs.length && !dataOnly)) return false
  return data.every(({ ring }) => {
    const closed = Atomics.load(inbox.words, (ring >> 2) + CLOSED_WORD) === 1
    return closed && ringCounts(inbox.words, ring).queued === 0
  })
}
