// What the sources of paced messages share: how one is sent, and the messages before those that count.
import type { Node } from "dora-bun"

/** Between the end of the burst, its mark and the first moment that counts. */
export const AHEAD_NS = 30_000_000
/** So many without a pause, so that the burst has some of both. */
const TOGETHER = 10
const PAUSE_NS = 50_000

/**
 * At this pace a stream goes before its messages count: what runs once in milliseconds (sleeps, timers, the program itself) is
 * compiled then, as it is in a dataflow that has been running for some seconds.
 */
export const PRACTICE_PACE_MS = 0.5

/** Sends a message on `data`, copied or (`mode` "loan") loaned. */
export function senderOf(node: Node, size: number, mode: string | undefined) {
  const source = new Uint8Array(size).fill(7)
  return (number: number): void => {
    if (mode === "loan") {
      const sample = node.loan("data", { type: Uint8Array, length: size })
      if (size > 0) sample.array[0] = number
      sample.send()
    } else node.sendOutputSync("data", source)
  }
}

/** Messages as fast as a compiler needs them to get to know the way. */
export function burst(count: number, send: (number: number) => void, now: () => number): void {
  for (let i = 0; i < count; i++) {
    if (i % TOGETHER === 0) for (const until = now() + PAUSE_NS; now() < until;);
    send(i)
  }
}

/** What was sent is taken when this returns, before the first moment arrives on its own edge. */
export function settle(): void {
  Bun.sleepSync(AHEAD_NS / 1e6)
}
