import { expect, spyOn, test } from "bun:test"
import { readdirSync, readlinkSync } from "node:fs"
import { FlowClock, readEpoch } from "../shm/clock.ts"
import type { Sleeper } from "../shm/sleep.ts"
import { TimerPort } from "./ports.ts"
import { Rehearsal } from "./rehearsal.ts"
import { Waiting } from "./waiting.ts"

function makeRehearsal(large: boolean) {
  const clock = new FlowClock(readEpoch())
  const waiting = new Waiting({} as Sleeper, clock, "adaptive")
  return { clock, rehearsal: new Rehearsal(clock, waiting, large) }
}

test("a rehearsal sends and takes a message each time, and keeps no descriptor open", async () => {
  for (const [large, bytes] of [
    [false, 64],
    [true, 8192],
  ] as const) {
    const { rehearsal } = makeRehearsal(large)
    const before = rehearsal.sum
    for (let i = 0; i < 1000; i++) rehearsal.run()
    expect(rehearsal.sum - before).toBe(1000 * bytes)
    for (let i = 0; i < 1000; i++) {
      rehearsal.runAsync()
      await Bun.sleep(0)
    }
    expect(rehearsal.sum - before).toBe(2000 * bytes)
  }
  expect(readdirSync("/proc/self/fd").map(target)).not.toContain("/memfd:rehearsal (deleted)")
})

test("with a message comes a tick", () => {
  const { clock, rehearsal } = makeRehearsal(false)
  const take = spyOn(TimerPort.prototype, "take")
  for (let i = 0; i < 100; i++) {
    rehearsal.run()
    for (const until = clock.nowNs() + 2000; clock.nowNs() < until;);
  }
  expect(take.mock.results.filter(({ value }) => value !== null).length).toBe(100)
  take.mockRestore()
})

function target(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ""
  }
}
