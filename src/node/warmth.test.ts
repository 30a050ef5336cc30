import { afterEach, beforeEach, expect, spyOn, test } from "bun:test"
import { FlowClock, readEpoch } from "../shm/clock.ts"
import type { Sleeper } from "../shm/sleep.ts"
import { Rehearsal } from "./rehearsal.ts"
import { Waiting } from "./waiting.ts"
import { Warmth } from "./warmth.ts"

const LONG_NS = 10e6
const SHORT_NS = 1e6
/** To make one, and to use each of its calls once. */
const STEPS = 3

let run: ReturnType<typeof spyOn<Rehearsal, "run">>
beforeEach(() => {
  run = spyOn(Rehearsal.prototype, "run")
})
afterEach(() => run.mockRestore())

function makeWarmth() {
  const clock = new FlowClock(readEpoch())
  const warmth = new Warmth(clock, new Waiting({} as Sleeper, clock, "adaptive"))
  const thing = { large: false, warmed: 0, warm: () => ++thing.warmed }
  warmth.add([thing])
  return { warmth, thing }
}

/** Who rehearses while the way is kept warm. */
function rehearsing(warmth: Warmth): Set<Rehearsal> {
  run.mockClear()
  for (let i = 0; i < 10; i++) warmth.keep(false)
  return new Set(run.mock.contexts as Rehearsal[])
}

test("rehearses when all is prepared, large messages once there were some", () => {
  const { warmth, thing } = makeWarmth()
  for (const [count, large] of [false, true].entries()) {
    thing.large = large
    for (let i = 0; i < STEPS; i++) {
      expect(rehearsing(warmth).size).toBe(count)
      warmth.prepare(LONG_NS, false)
    }
    expect(rehearsing(warmth).size).toBe(count + 1)
  }
  expect(thing.warmed).toBe(2 * (STEPS + 1) * 10)
  run.mockClear()
  warmth.prepare(LONG_NS, false)
  expect(run).not.toHaveBeenCalled()
})

test("prepares a step at a time, and none while there is hardly time, but not for ever", () => {
  const { warmth } = makeWarmth()
  const ready = () => rehearsing(warmth).size > 0
  for (let i = 0; i < 15; i++) warmth.prepare(SHORT_NS, false)
  expect(ready()).toBe(false)
  warmth.prepare(LONG_NS, false)
  warmth.prepare(LONG_NS, false)
  for (let i = 0; i < 15; i++) warmth.prepare(SHORT_NS, false)
  expect(ready()).toBe(false)
  for (let i = 0; i < 30; i++) warmth.prepare(SHORT_NS, false)
  expect(ready()).toBe(true)
})
