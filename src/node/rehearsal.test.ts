import { expect, test } from "bun:test"
import { readdirSync, readlinkSync } from "node:fs"
import { FlowClock, readEpoch } from "../shm/clock.ts"
import type { Sleeper } from "../shm/sleep.ts"
import { Rehearsal } from "./rehearsal.ts"
import { Waiting } from "./waiting.ts"

test("a rehearsal sends and takes a message each time, and keeps no descriptor open", () => {
  const clock = new FlowClock(readEpoch())
  const waiting = new Waiting({} as Sleeper, clock, "adaptive")
  for (const sends of [true, false]) {
    const rehearsal = new Rehearsal(clock, waiting, sends)
    const made = rehearsal.sum
    for (let i = 0; i < 1000; i++) rehearsal.run()
    expect(rehearsal.sum - made).toBe(1000 * 64)
  }
  expect(readdirSync("/proc/self/fd").map(target)).not.toContain("/memfd:rehearsal (deleted)")
})

function target(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ""
  }
}
