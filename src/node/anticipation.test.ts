import { describe, expect, test } from "bun:test"
import { Anticipation, type Forecast, NO_FORECAST, together } from "./anticipation.ts"

const MS = 1_000_000
const NEVER = Number.POSITIVE_INFINITY

function at(atNs: number, spreadNs = 50_000): Forecast {
  return { dueNs: NEVER, atNs, spreadNs, sure: true }
}

describe("anticipation", () => {
  test("wakes before the first moment at which the message is likely, by what sleeps last too long", () => {
    const ahead = new Anticipation()
    const first = ahead.wakeNs(at(5 * MS), "futex", 0)
    expect(first).toBeLessThan(4.95 * MS)
    expect(first).toBeGreaterThan(4 * MS)
    for (let i = 0; i < 200; i++) ahead.slept("futex", 400_000)
    for (let i = 0; i < 200; i++) ahead.rehearsed(30_000)
    const lead = 4.95 * MS - ahead.wakeNs(at(5 * MS), "futex", 0)
    // Sleeps, the way, and a twenty-fifth of the pause for the core.
    expect(Math.abs(lead - 400_000 - 30_000 - 200_000)).toBeLessThan(2000)
    const other = ahead.wakeNs(at(5 * MS), "fd", 0)
    expect(Math.abs(other - first - (150_000 - 30_000))).toBeLessThan(2000)
  })

  test("few sleeps are longer than what it reckons with, and a single one that is far too long changes little", () => {
    const ahead = new Anticipation()
    const lead = () => 4.95 * MS - ahead.wakeNs(at(5 * MS), "futex", 0)
    const before = lead()
    ahead.slept("futex", 50 * MS)
    expect(lead() - before).toBeLessThan(60_000)
    const sleeps = Array.from({ length: 2000 }, (_, i) => 100_000 + 10_000 * ((i * 7) % 20))
    for (const ns of sleeps) ahead.slept("futex", ns)
    const reckoned = lead() - before + 160_000
    const longer = sleeps.filter((ns) => ns > reckoned).length / sleeps.length
    expect(longer).toBeGreaterThan(0.02)
    expect(longer).toBeLessThan(0.3)
  })

  test("is awake sooner after a longer pause, to a limit", () => {
    const ahead = new Anticipation()
    const lead = (ms: number) => ms * MS - 50_000 - ahead.wakeNs(at(ms * MS), "futex", 0)
    expect(Math.abs(lead(5) - lead(2) - 0.04 * 3 * MS)).toBeLessThan(1)
    expect(Math.abs(lead(100) - lead(10))).toBeLessThan(1)
  })

  test("polls through the likely time and a little longer, and not before or after", () => {
    const ahead = new Anticipation()
    const forecast = at(5 * MS)
    expect(ahead.pollNs(forecast, "futex", 4 * MS)).toBe(0)
    expect(ahead.pollNs(forecast, "futex", 4.95 * MS)).toBeCloseTo(150_000)
    expect(ahead.pollNs(forecast, "futex", 5.2 * MS)).toBe(0)
    expect(ahead.pollNs(NO_FORECAST, "futex", 5 * MS)).toBe(0)
  })

  test("there is time for a rehearsal until the message is as near as the first one after a pause takes", () => {
    const ahead = new Anticipation()
    expect(ahead.hasTime(at(5 * MS), 4.8 * MS)).toBe(true)
    expect(ahead.hasTime(at(5 * MS), 4.9 * MS)).toBe(false)
    for (let i = 0; i < 100; i++) ahead.rehearsed(50_000)
    expect(ahead.hasTime(at(5 * MS), 4.9 * MS)).toBe(true)
    expect(ahead.hasTime(at(5 * MS), 5.1 * MS)).toBe(false)
  })

  test("what is past is not waited for", () => {
    expect(new Anticipation().wakeNs(at(5 * MS), "futex", 5 * MS)).toBe(NEVER)
    expect(new Anticipation().wakeNs(NO_FORECAST, "futex", 5 * MS)).toBe(NEVER)
  })

  test("polls a fifth of the time at most", () => {
    const ahead = new Anticipation()
    const period = 2 * MS
    let polled = 0
    const periods = 2000
    for (let i = 1; i <= periods; i++) {
      const forecast = at(i * period, 500_000)
      const from = ahead.wakeNs(forecast, "futex", (i - 1) * period + 1)
      if (from === NEVER) continue
      const ns = ahead.pollNs(forecast, "futex", from)
      ahead.spend(ns)
      polled += ns
    }
    const share = polled / (periods * period)
    expect(share).toBeLessThan(0.21)
    expect(share).toBeGreaterThan(0.15)
  })
})

describe("several forecasts together", () => {
  test("the earliest counts, and only what everybody is sure of is sure", () => {
    const sure = together([at(9 * MS), at(5 * MS)])
    expect([sure.atNs, sure.sure]).toEqual([5 * MS, true])
    const unsure = together([at(9 * MS), { ...NO_FORECAST, dueNs: 7 * MS }])
    expect([unsure.atNs, unsure.dueNs, unsure.sure]).toEqual([9 * MS, 7 * MS, false])
  })
})
