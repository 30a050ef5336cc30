import { FLOOR_NAMES, type FloorName } from "../floor.ts"
import { type Case, measure, type Part } from "../part.ts"

const ABOUT: Record<FloorName, string> = {
  spin: "one cache line each way",
  futex: "both sides sleep on a futex",
  pipe: "both sides sleep on a pipe",
  unix: "both sides sleep on a unix socket",
  ring: "our ring, written in C",
  ring4k: "4 KB by it, copied in and out",
  paced: "every 5 ms to a sleeper, one way",
  memcpy: "4 MB into shared memory",
  jitter: "interruptions of a program that spins",
}

/** What the machine itself takes: two C processes that answer each other, and a copy of 4 MB. */
export const floorPart: Part = {
  name: "floor",
  about:
    "half round trips of two C processes by ways of waiting, our ring in C, a copy of 4 MB, interruptions",
  async run(context) {
    const { floors } = context
    const there = FLOOR_NAMES.filter((name) => floors.has(name))
    const cases = there.map((name): Case => ({
      name: `${floors.nameOf(name)}: ${ABOUT[name]}`,
      unit: "ns",
      better: "lower",
      take: async () => {
        const { p50, p90, p99, p999, min, perSecond } = floors.take(name)!
        const figures: Record<string, number> = { p50, p90, p99, "p99.9": p999, min }
        if (perSecond !== undefined) figures["per second"] = perSecond
        return { value: p50, figures }
      },
    }))
    return measure(context, "floor", cases)
  },
}
