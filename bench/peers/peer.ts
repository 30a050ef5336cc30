// What the benchmark suite asks of a peer: another way to carry messages, measured doing the same work as ours.
import { homedir } from "node:os"
import { join } from "node:path"

/** Messages of one size, answered one by one. */
export type LatencyWork = {
  size: number
  /** Round trips that count; warm-up comes before them. */
  count: number
  /** Nanoseconds between intended sends; 0: the next ping follows the pong at once. */
  paceNs: number
}

/** Messages of one size, as fast as they go with nothing lost. */
export type ThroughputWork = { size: number; count: number }

/** Times of one run. When paced, they count from the intended send. */
export type LatencyTake = {
  kind: "half round trip" | "one way"
  p50Ns: number
  p90Ns: number
  p99Ns: number
  p999Ns: number
  maxNs: number
  count: number
  /** Points of the distribution: which share of the messages took at most so many nanoseconds. */
  cdf?: [share: number, ns: number][]
}

/** From the first message received to the last; a message lost shows as `received` below `sent`. */
export type ThroughputTake = {
  messagesPerSecond: number
  bytesPerSecond: number
  sent: number
  received: number
}

/** Another way to carry messages. What it can't do (or not without being unfair) it doesn't have. */
export type Peer = {
  readonly name: string
  /** A full run compares all sizes with it, not a few. */
  readonly everySize?: boolean
  /** Bytes of the smallest message that it takes; 8 if not given. */
  readonly smallest?: number
  /** Messages beyond this size it carries badly or not at all; none: any size of the suite. */
  readonly largest?: number
  /** A sentence that says how to install it; null: it can run. */
  missing(): Promise<string | null>
  /** Compiles once, into `CACHE`. */
  prepare(): Promise<void>
  latency?(work: LatencyWork): Promise<LatencyTake>
  throughput?(work: ThroughputWork): Promise<ThroughputTake>
  /** Ends everything that was started. */
  close(): Promise<void>
}

/** Where compiled peers are kept. */
export const CACHE = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "dora-bun",
  "bench",
)
