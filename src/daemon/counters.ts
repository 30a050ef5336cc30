// What the counters of an edge say: since its start, or between two readings.
import { countsBetween, longestQueue, quantileNs } from "../shm/histogram.ts"
import {
  COPIED_BYTES_FLOAT,
  DEPTH_BUCKETS,
  DEPTHS_WORD,
  LATENCIES_WORD,
  LATENCY_BUCKETS,
  LENT_BYTES_FLOAT,
  SENT_BYTES_FLOAT,
  WAITED_WORD,
} from "../shm/layout.ts"
import { ringCounts } from "../shm/ring-counts.ts"
import type { Edge } from "./edges.ts"

/** What an edge has carried, in some time. */
export type EdgeReport = {
  /** Source as in the dataflow file: `camera/image`, `dora/timer/millis/100`. */
  from: string
  /** `node/input`. */
  to: string
  kind: "output" | "timer" | "logs"
  /** Most messages that may be queued. */
  queueSize: number
  sent: number
  taken: number
  /** Messages that gave way to newer ones; ticks that were skipped. */
  dropped: number
  queued: number
  /** Most messages that were queued at a time, as the consumer met them; above 16 the power of two above it. */
  highWater: number
  /** Sends that had to sleep until there was room. */
  waited: number
  /** Bytes of message bodies sent. */
  bytes: number
  /** Those that were copied, not lent: by the sender, or for a consumer that held too many messages. */
  copiedBytes: number
  /** The time that this report is about. */
  seconds: number
  /** Messages whose latency was taken: all, or one in sixteen of a fast stream. */
  samples: number
  /** From send to delivery; for timers from the moment at which a tick was due. Within 3.2 %; null without samples. */
  latencyP50Us: number | null
  latencyP90Us: number | null
  latencyP99Us: number | null
  latencyP999Us: number | null
  latencyMaxUs: number | null
}

/** A reading of an edge's counters. They only count up, modulo 2³², so two readings tell what happened between. */
export type EdgeCounters = Pick<EdgeReport, "from" | "to" | "kind" | "queueSize" | "queued"> & {
  /** Since the start barrier was released. */
  seconds: number
  sent: number
  taken: number
  dropped: number
  waited: number
  bytes: number
  lentBytes: number
  copiedBytes: number
  depths: Int32Array
  latencies: Int32Array
}

/** Reads the counters of an edge, without disturbing its ends. */
export function readCounters(edge: Edge, seconds: number): EdgeCounters {
  const { words, floats } = edge.consumer.inbox
  const base = edge.ring >> 2
  const float = (at: number) => floats[(base >> 1) + at]!
  const counts = (at: number, length: number) => words.slice(base + at, base + at + length)
  return {
    from: edge.from,
    to: `${edge.consumer.spec.id}/${edge.input.id}`,
    kind: edge.input.source.kind,
    queueSize: edge.input.queueSize,
    seconds,
    ...ringCounts(words, edge.ring),
    waited: words[base + WAITED_WORD]!,
    bytes: float(SENT_BYTES_FLOAT),
    lentBytes: float(LENT_BYTES_FLOAT),
    copiedBytes: float(COPIED_BYTES_FLOAT),
    depths: counts(DEPTHS_WORD, DEPTH_BUCKETS),
    latencies: counts(LATENCIES_WORD, LATENCY_BUCKETS),
  }
}

/**
 * What an edge has carried until a reading of its counters.
 *
 * @param since  an earlier reading; without it everything since the start
 */
export function reportEdge(now: EdgeCounters, since?: EdgeCounters): EdgeReport {
  const { from, to, kind, queueSize, queued } = now
  const more = (name: "sent" | "taken" | "dropped" | "waited") =>
    (now[name] - (since?.[name] ?? 0)) >>> 0
  const moreBytes = (name: "bytes" | "lentBytes" | "copiedBytes") =>
    now[name] - (since?.[name] ?? 0)
  const latencies = countsBetween(now.latencies, since?.latencies)
  const latency = (q: number) => {
    const ns = quantileNs(latencies, q)
    return ns === null ? null : ns / 1000
  }
  const dropped = more("dropped")
  const waited = more("waited")
  // Samples of a fast stream can miss the moments at which the queue was full, but nobody drops or waits in others.
  const full = dropped > 0 || waited > 0 ? queueSize : 0
  const seen = Math.max(full, queued, longestQueue(countsBetween(now.depths, since?.depths)))
  return {
    ...{ from, to, kind, queueSize },
    ...{ sent: more("sent"), taken: more("taken"), dropped, queued, waited },
    highWater: kind === "timer" ? 0 : Math.min(seen, queueSize),
    bytes: moreBytes("bytes"),
    copiedBytes: moreBytes("bytes") - moreBytes("lentBytes") + moreBytes("copiedBytes"),
    seconds: now.seconds - (since?.seconds ?? 0),
    samples: latencies.reduce((sum, count) => sum + count, 0),
    latencyP50Us: latency(0.5),
    latencyP90Us: latency(0.9),
    latencyP99Us: latency(0.99),
    latencyP999Us: latency(0.999),
    latencyMaxUs: latency(1),
  }
}
