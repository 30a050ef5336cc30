import type { LatencyTake, Peer } from "../peers/peer.ts"
import { PEERS } from "../peers/list.ts"
import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import type { Row } from "../result.ts"
import { SIZES, sizeName } from "../support.ts"
import { pingPong } from "./latency.ts"
import { oneWay } from "./paced.ts"
import { stream } from "./throughput.ts"

const PACE_MS = 5
const PACED_COUNT = 150
const FEWEST_PACED = 20

/** Other ways to carry messages, in turns with ours: same sizes, same work. */
export const peersPart: Part = {
  name: "peers",
  about: "other ways to carry messages, in turns with ours at the same work",
  async run(context) {
    const rows: Row[] = []
    for (const peer of PEERS) {
      const missing = await peer.missing()
      if (missing !== null) {
        context.note(`${peer.name} was left out: ${missing}`)
        continue
      }
      try {
        context.progress(`peers: preparing ${peer.name}`)
        await peer.prepare()
        rows.push(...(await measure(context, "peers", await casesOf(context, peer))))
      } catch (error) {
        // What is wrong with one peer is no reason to know nothing of the others.
        context.note(`${peer.name} failed: ${error instanceof Error ? error.message : error}`)
      } finally {
        await peer.close()
      }
    }
    return rows
  },
}

const SMALL = 64
const LARGE = 4_096_000
/** What every peer takes. */
const LEAST = 8

async function casesOf(context: Context, peer: Peer): Promise<Case[]> {
  // How a peer counts at a pace, one way or half of there and back, shows in what it says.
  const paceNs = PACE_MS * 1e6
  const probe = await peer.latency?.({ size: SMALL, count: FEWEST_PACED, paceNs })
  const few = [SMALL, ...(context.extent === "quick" ? [] : [LARGE])]
  // It takes minutes for each peer.
  const all = context.extent === "full" && peer.everySize ? SIZES : few
  const { smallest = LEAST, largest = Number.POSITIVE_INFINITY } = peer
  const sizes = all.filter((size) => smallest <= size && size <= largest)
  return sizes.flatMap((size) => {
    const isOne = few.includes(size)
    return [
      ...(probe ? [awake(context, peer, size)] : []),
      // Who polls without a pause is met at a pace for completeness only.
      ...(probe && (isOne || !polls(peer.name)) ? [paced(context, peer, size, probe.kind)] : []),
      ...(peer.throughput && isOne ? [burst(context, peer, size)] : []),
    ]
  })
}

/** Large messages take peers longer, and a few of them say as much. */
function countOf(size: number): number {
  return size <= 4096 ? 2000 : size <= 409_600 ? 500 : 100
}

function modeOf(size: number): "copy" | "loan" {
  return size > 4096 ? "loan" : "copy"
}

/** Peers that poll are met by nodes that poll, the others by nodes as they wait by default. */
export function polls(name: string): boolean {
  return /polling|SharedArrayBuffer/.test(name)
}

function awake(context: Context, peer: Peer, size: number): Case {
  const wait = polls(peer.name) ? "busy" : "adaptive"
  return {
    name: `${peer.name}: ${sizeName(size)}, one after the other`,
    size,
    unit: "ns",
    better: "lower",
    peer: {
      name: peer.name,
      take: async () =>
        timesOf(await twice(() => peer.latency!({ size, count: countOf(size), paceNs: 0 }))),
    },
    take: () => pingPong(context, { size, mode: modeOf(size), api: "recv", wait }),
  }
}

function paced(context: Context, peer: Peer, size: number, kind: LatencyTake["kind"]): Case {
  const way = { size, mode: modeOf(size), api: "recv", wait: "adaptive" } as const
  const paceNs = PACE_MS * 1e6
  const count = PACED_COUNT
  return {
    name: `${peer.name}: ${sizeName(size)}, every ${PACE_MS} ms`,
    size,
    unit: "ns",
    better: "lower",
    peer: {
      name: peer.name,
      take: async () => timesOf(await twice(() => peer.latency!({ size, count, paceNs }))),
    },
    take: () =>
      kind === "one way"
        ? oneWay(context, { ...way, paceMs: PACE_MS, by: "clock" })
        : pingPong(context, { ...way, paced: { ns: paceNs, count } }),
  }
}

function burst(context: Context, peer: Peer, size: number): Case {
  const count = size <= 4096 ? 100_000 : size <= 409_600 ? 5000 : 300
  return {
    name: `${peer.name}: ${sizeName(size)}, as fast as they go`,
    size,
    unit: "messages/s",
    better: "higher",
    peer: {
      name: peer.name,
      take: async () => {
        const { messagesPerSecond, sent, received } = await twice(() =>
          peer.throughput!({ size, count }),
        )
        const lost = sent > 0 ? ((sent - received) / sent) * 100 : 0
        return { value: messagesPerSecond, figures: { "lost%": lost } }
      },
    },
    take: () => {
      const mode = modeOf(size)
      return stream(context, { size, mode, policy: "backpressure", sources: 1, sinks: 1 })
    },
  }
}

/** Peers have their moods; one that fails twice running has more than that. */
async function twice<T>(take: () => Promise<T>): Promise<T> {
  try {
    return await take()
  } catch {
    return await take()
  }
}

function timesOf(taken: LatencyTake): Take {
  return {
    value: taken.p50Ns,
    figures: { p50: taken.p50Ns, p90: taken.p90Ns, p99: taken.p99Ns, "p99.9": taken.p999Ns },
    ...(taken.cdf ? { cdf: taken.cdf } : {}),
  }
}
