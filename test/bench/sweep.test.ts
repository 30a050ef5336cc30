// Latency far worse than what was committed: by ratios to the C floor of the same seconds, never by times, and never on a machine
// that is too busy to tell.
import { afterAll, describe, expect, test } from "bun:test"
import { Floors } from "../../bench/floor.ts"
import type { Round, Row } from "../../bench/result.ts"
import { discardScratch } from "../../bench/support.ts"
import { needs } from "../support/toolchain.ts"
import { committedResult, FLOOR_SHARE, judge, SWEEP, type Swept, sweep } from "./sweep.ts"

/** No take begins later than this; one that has begun comes to its end. */
const TIME_MS = 40_000
const LIMIT_MS = 120_000
const floors = new Floors(FLOOR_SHARE)
const withCc = needs("a C compiler", floors.compiler !== null)
const committed = await committedResult()
afterAll(discardScratch)

withCc(
  "no latency is far beyond the committed ratio to the C floor in three tries",
  async () => {
    if (!committed) throw new Error("bench/results holds no result with latencies")
    const start = performance.now()
    const swept: Swept[] = []
    for (const one of SWEEP) swept.push(await sweep(one, committed.rows, floors, start + TIME_MS))
    console.log(swept.map(line).join("\n"))
    console.log(`swept in ${((performance.now() - start) / 1000).toFixed(1)} s`)
    expect(swept.filter(({ judgement }) => judgement === "far out")).toEqual([])
  },
  LIMIT_MS,
)

withCc(
  "a latency that is far out is found, unless the machine is too busy to say so",
  async () => {
    const name = "64 B copied, recv(), parked"
    const like = committed!.rows.find((row) => row.name === name)!
    // Held to sleepers that took next to no time.
    const quick = { ...like, rounds: like.rounds.map((round) => ({ ...round, value: 1 })) }
    const swept = await sweep(
      { ...SWEEP[0]!, wait: "park" },
      [quick],
      floors,
      performance.now() + TIME_MS,
    )
    expect(swept.judgement).not.toBe("fine")
  },
  LIMIT_MS,
)

describe("takes of the sweep", () => {
  const fast = { value: 230, floor: 80 }
  const slow = { value: 240, floor: 160 }
  const row = rowOf([fast, slow, { value: 90_000, floor: 100, unsteady: "other programs" }])
  const take = (ratio: number, floor: number, unsteady?: string): Round => {
    return { value: ratio * floor, floor, ...(unsteady ? { unsteady } : {}) }
  }
  const judged = (...rounds: Round[]) => judge(rounds, row)

  test("are fine when one is within twice the committed ratio, whatever its time is", () => {
    expect(judged(take(5.7, 80))).toBe("fine")
    expect(judged(take(50, 80), take(60, 80), take(5, 80))).toBe("fine")
    expect(judged(take(5.7, 1e6))).toBe("fine")
  })

  test("are far out when three are, and nothing disturbed them", () => {
    expect(judged(take(5.8, 80), take(6, 80))).toBe("unknown")
    expect(judged(take(5.8, 80), take(6, 80), take(9, 80))).toBe("far out")
    expect(judged(take(6, 80), take(9, 80), take(9, 80, "other programs"))).toBe("unknown")
  })

  test("are held to rounds in which the floor was as fast", () => {
    expect(judged(take(4, 160), take(4, 160), take(4, 160))).toBe("far out")
    expect(judged(take(4, 80))).toBe("fine")
  })

  test("may take as long as before where no round had such a floor, but not twice as long", () => {
    expect(judged(take(400 / 20, 20))).toBe("fine")
    const slow = take(500 / 20, 20)
    expect(judged(slow, slow, slow)).toBe("far out")
    // A slower machine, with ratios like those before.
    expect(judged(take(5.7, 1000))).toBe("fine")
  })

  test("are held to the middle of a committed row that was never steady", () => {
    const noisy = { ...rowOf([{ value: 900, floor: 80, unsteady: "other programs" }]), value: 240 }
    const committed = { ...noisy, floor: { name: "C spin", value: 80 } }
    expect(judge([take(5.9, 80)], committed)).toBe("fine")
    expect(
      judge(
        [1, 2, 3].map(() => take(6.1, 80)),
        committed,
      ),
    ).toBe("far out")
  })
})

function line({ name, rounds, judgement }: Swept): string {
  const takes = rounds.map(({ value, floor, unsteady }) => {
    return `${(value / floor!).toFixed(2)}${unsteady ? ` (${unsteady})` : ""}`
  })
  return `${name}: ${judgement}: ${takes.join(", ")} × the floor`
}

function rowOf(rounds: Round[]): Row {
  const kind = { part: "latency", name: "x", unit: "ns", better: "lower" } as const
  return { ...kind, value: 1, figures: {}, rounds, noisy: false }
}
