// How takes become a row: which of them count, and what stands beside them.
import { describe, expect, test } from "bun:test"
import type { Floors } from "../../bench/floor.ts"
import { type Case, type Context, measure } from "../../bench/part.ts"
import type { Row } from "../../bench/result.ts"

/** A part of the machine: floors in the order in which they are taken, and no flows. */
function machine(floors: readonly number[], repeats = 0, slowdowns: readonly number[] = []) {
  const left = [...floors]
  const slower = [...slowdowns]
  let repeatsLeft = repeats
  const context: Context = {
    rounds: 5,
    extent: "default",
    floors: { take: () => ({ p50: left.shift()! }), nameOf: () => "C spin" } as unknown as Floors,
    cores: { slowdown: () => slower.shift() ?? 1, bestNs: 1 },
    run: () => Promise.reject(new Error("no flow is run here")),
    mayRepeat: () => repeatsLeft-- > 0,
    isEnded: () => false,
    hasTime: () => true,
    progress: () => {},
    note: () => {},
  }
  return context
}

async function rowOf(context: Context, values: readonly number[], more: Partial<Case> = {}) {
  const left = [...values]
  const take = async () => ({ value: left.shift()! })
  const one: Case = { name: "row", unit: "ns", better: "lower", take, ...more }
  const rows: Row[] = await measure(context, "test", [one])
  return rows[0]!
}

const same = (floor: number, takes: number) => new Array(2 * takes).fill(floor)

describe("a row", () => {
  test("beside a floor has the median of its own ratios, each of one round", async () => {
    const floors = [100, 100, 200, 200, 100, 100, 200, 200, 100, 100]
    const row = await rowOf(machine(floors), [200, 420, 210, 440, 190], { floor: "spin" })
    expect(row.ratio).toMatchObject({ to: "floor", value: 2.1 })
    expect(row.floor).toEqual({ name: "C spin", value: 100 })
    expect([row.value, row.noisy]).toEqual([210, false])
  })

  test("repeats a take during which the floor moved, while it may", async () => {
    const floors = [100, 300, ...same(100, 5)]
    const row = await rowOf(machine(floors, 1), [999, 200, 200, 200, 200, 200], { floor: "spin" })
    expect(row.rounds.map((round) => round.value)).toEqual([200, 200, 200, 200, 200])
  })

  test("leaves out takes before or after which a core was shared while most had theirs, and says so of all", async () => {
    const values = [420, 200, 201, 430, 202]
    const row = await rowOf(machine([], 1, [1, 2, 1, 1, 1, 1.2, 1.64, 1, 1, 1]), values)
    expect(row.rounds.map((round) => round.value)).toEqual(values)
    expect(row.rounds.map((round) => round.shared)).toEqual([
      2,
      undefined,
      undefined,
      1.6,
      undefined,
    ])
    expect([row.value, row.why]).toEqual([201, "only 3 rounds"])
    const mostly = await rowOf(machine([], 1, [2, 1, 2, 1, 2, 1, 1, 1, 1, 1]), values)
    expect([mostly.value, mostly.why]).toEqual([202, "rounds lie apart: 200 to 430"])
  })

  test("leaves out disturbed rounds while most are fine, and keeps them in the file", async () => {
    const floors = [100, 300, 100, 300, ...same(100, 3)]
    const row = await rowOf(machine(floors), [900, 900, 200, 202, 201], { floor: "spin" })
    expect(row.value).toBe(201)
    expect(row.rounds.map((round) => round.unsteady)).toEqual([
      ...["the floor moved", "the floor moved"],
      ...[undefined, undefined, undefined],
    ])
    expect([row.noisy, row.why]).toEqual([true, "only 3 rounds"])
  })

  test("of mostly disturbed rounds counts all of them, and is marked", async () => {
    const floors = [...same(100, 2), 100, 300, 100, 300, 100, 300]
    const row = await rowOf(machine(floors), [200, 200, 900, 900, 900], { floor: "spin" })
    expect([row.value, row.why]).toEqual([900, "in most rounds the floor moved"])
  })

  test("with a witness knows the machine's state and has no ratio", async () => {
    const row = await rowOf(machine(same(100, 5)), [1, 1, 1, 1, 1], { witness: "spin" })
    expect([row.ratio, row.floor, row.rounds[0]]).toEqual([
      undefined,
      undefined,
      { value: 1, floor: 100 },
    ])
  })

  test("beside a peer takes turns with it", async () => {
    const order: string[] = []
    const turn = (name: string, value: number) => async () => {
      order.push(name)
      return { value }
    }
    const row = await rowOf(machine([]), [], {
      take: turn("ours", 2),
      peer: { name: "theirs", take: turn("theirs", 8) },
    })
    expect(order.join(" ")).toBe("ours theirs ".repeat(5).trim())
    expect([row.ratio?.value, row.ratio?.to, row.peer]).toEqual([
      0.25,
      "peer",
      { name: "theirs", value: 8, figures: {} },
    ])
  })

  test("has one round when there is no time for more", async () => {
    const context = { ...machine([]), hasTime: () => false }
    const row = await rowOf(context, [7])
    expect([row.rounds.length, row.why]).toEqual([1, "only 1 round"])
  })

  test("draws its distribution as far as all rounds have one", async () => {
    const rounds: [number, number][][] = [
      [
        [0.5, 10],
        [0.9, 20],
        [1, 50],
      ],
      [
        [0.5, 12],
        [1, 40],
      ],
    ]
    const left = [...rounds, ...rounds, rounds[0]!]
    const row = await rowOf(machine([]), [], {
      take: async () => ({ value: 10, cdf: left.shift()! }),
    })
    expect(row.cdf).toEqual([
      [0.5, 10],
      [1, 50],
    ])
  })
})
