import { expect, test } from "bun:test"
import { Alarm } from "./alarm.ts"

const ROUNDS = 41

/** Milliseconds until it rings. */
async function ringsAfter(ms: number): Promise<number> {
  const began = performance.now()
  await new Promise<void>((resolve) => new Alarm(resolve).set(ms))
  return performance.now() - began
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

test("an alarm is more exact than a timer, and never early", async () => {
  const alarms: number[] = []
  const timers: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    alarms.push(await ringsAfter(0.3))
    const began = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 0.3))
    timers.push(performance.now() - began)
  }
  expect(Math.min(...alarms)).toBeGreaterThanOrEqual(0.29)
  expect(median(alarms)).toBeLessThan(median(timers))
  // With a timer for its greater part.
  for (const ms of [9.5, 12.25, 20.5])
    expect(await ringsAfter(ms)).toBeGreaterThanOrEqual(ms - 0.01)
})

test("what is over, or no number, rings at once", async () => {
  const times = await Promise.all([0, -1, Number.NaN].map(ringsAfter))
  expect(times.length).toBe(3)
})

test("one that is cleared or set anew rings no more for what it was set to", async () => {
  let rings = 0
  const alarm = new Alarm(() => rings++)
  for (const ms of [0.2, 3, 15, Number.POSITIVE_INFINITY]) {
    alarm.set(ms)
    alarm.clear()
    alarm.set(ms)
  }
  await Bun.sleep(40)
  expect(rings).toBe(0)
  alarm.set(5)
  alarm.set(0.1)
  await Bun.sleep(40)
  expect(rings).toBe(1)
})
