import type { LatencyTake, Peer } from "../peers/peer.ts"
import { PEERS } from "../peers/list.ts"
import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import { sizeName } from "../support.ts"
import { pingPong } from "./latency.ts"
import { oneWay } from "./paced.ts"
import { stream } from "./throughput.ts"

const PACE_MS = 5

/** Other ways to carry messages, in turns with ours: same sizes, same work. */
export const peersPart: Part = {
  name: "peers",
  about: "other ways to carry messages, in turns with ours at the same work",
  async run(context) {
    const cases: Case[] = []
    const there: Peer[] = []
    try {
      for (const peer of PEERS) {
        const missing = await peer.missing()
        if (missing !== null) {
          context.progress(`peers: ${peer.name} is left out: ${missing}`)
          continue
        }
        context.progress(`peers: preparing ${peer.name}`)
        there.push(peer)
        await peer.prepare()
        cases.push(...casesOf(context, peer))
      }
      return await measure(context, "peers", cases)
    } finally {
      for (const peer of there) await peer.close()
    }
  },
}

function casesOf(context: Context, peer: Peer): Case[] {
  const sizes =
    context.extent === "full" ? [64, 4096, 409_600, 4_096_000, 40_960_000] : [64, 4_096_000]
  const cases: Case[] = []
  for (const size of sizes) {
    if (peer.latency) {
      cases.push(awake(context, peer, size), paced(context, peer, size))
    }
    if (peer.throughput) cases.push(burst(context, peer, size))
  }
  return cases
}

/** Large messages take peers longer, and a few of them say as much. */
function countOf(size: number): number {
  return size <= 4096 ? 2000 : size <= 409_600 ? 500 : 100
}

function modeOf(size: number): "copy" | "loan" {
  return size > 4096 ? "loan" : "copy"
}

function awake(context: Context, peer: Peer, size: number): Case {
  return {
    name: `${peer.name}: ${sizeName(size)}, one after the other`,
    size,
    unit: "ns",
    better: "lower",
    peer: {
      name: peer.name,
      take: async () => timesOf(await peer.latency!({ size, count: countOf(size), paceNs: 0 })),
    },
    take: () => pingPong(context, { size, mode: modeOf(size), api: "recv", wait: "busy" }),
  }
}

function paced(context: Context, peer: Peer, size: number): Case {
  const stream = {
    size,
    mode: modeOf(size),
    api: "recv",
    wait: "adaptive",
    paceMs: PACE_MS,
  } as const
  const paceNs = PACE_MS * 1e6
  return {
    name: `${peer.name}: ${sizeName(size)}, every ${PACE_MS} ms`,
    size,
    unit: "ns",
    better: "lower",
    peer: {
      name: peer.name,
      take: async () => timesOf(await peer.latency!({ size, count: 200, paceNs })),
    },
    take: () => oneWay(context, stream),
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
        const { messagesPerSecond, sent, received } = await peer.throughput!({ size, count })
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

function timesOf(taken: LatencyTake): Take {
  return {
    value: taken.p50Ns,
    figures: { p50: taken.p50Ns, p90: taken.p90Ns, p99: taken.p99Ns, "p99.9": taken.p999Ns },
    ...(taken.cdf ? { cdf: taken.cdf } : {}),
  }
}
