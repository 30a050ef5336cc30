import { measure, type Part } from "../part.ts"
import { pacedFlow } from "./paced.ts"

const HOPS = 5
const PACE_MS = 2
const COUNT = 300
const WARM_UP = 50

/** Six nodes in a row: what five hops take from end to end. */
export const chainPart: Part = {
  name: "chain",
  about: "five hops from end to end, from the intended send",
  run: (context) => {
    const count = context.extent === "quick" ? WARM_UP + 50 : WARM_UP + COUNT
    const stream = {
      size: 64,
      mode: "copy",
      api: "recv",
      wait: "adaptive",
      paceMs: PACE_MS,
      by: "timer",
    } as const
    return measure(context, "chain", [
      {
        name: `${HOPS} hops, 64 B copied, every ${PACE_MS} ms, recv()`,
        size: 64,
        unit: "ns",
        better: "lower",
        witness: "spin",
        take: () => pacedFlow(context, { ...stream, count, warmUp: WARM_UP, relays: HOPS - 1 }),
      },
    ])
  },
}
