import { describe, expect, test } from "bun:test"
import type { FlowClock } from "../shm/clock.ts"
import { SLICE_NS, Turn } from "./turn.ts"

/** A turn by a clock that stands still unless it is told to go on. */
function makeTurn() {
  let now = 0
  const turn = new Turn({ nowNs: () => now } as FlowClock)
  turn.begin(0)
  const pass = (ns: number) => void (now += ns)
  /** How many events of this length it takes until the turn is to end; the first one comes with it. */
  const events = (ns: number) => {
    for (let count = 1; ; count++) {
      pass(ns)
      if (!turn.mayContinue()) return count
    }
  }
  return { turn, pass, events, now: () => now }
}

describe("a turn of the event loop", () => {
  test.each([100, 1000, 20_000, 400_000])("lasts about a slice with events of %d ns", (ns) => {
    const { events } = makeTurn()
    const took = events(ns) * ns
    expect(took).toBeGreaterThanOrEqual(SLICE_NS)
    expect(took).toBeLessThanOrEqual(1.3 * SLICE_NS + ns)
  })

  test("ends soon after a quick program becomes slow", () => {
    const { turn, pass, events } = makeTurn()
    for (let i = 0; i < 300; i++) {
      expect(turn.mayContinue()).toBe(true)
      pass(1000)
    }
    expect(events(5e6)).toBeLessThan(34)
  })

  test("is over until another one begins", () => {
    const { turn, pass, now } = makeTurn()
    pass(SLICE_NS)
    expect(turn.mayContinue()).toBe(false)
    expect(turn.mayContinue()).toBe(false)
    turn.begin(now())
    expect([turn.mayContinue(), turn.beganNs]).toEqual([true, SLICE_NS])
  })
})
