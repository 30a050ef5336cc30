import { describe, expect, test } from "bun:test"
import type { RestartSpec } from "../descriptor/types.ts"
import { Restarts } from "./restart.ts"

const spec = (changes: Partial<RestartSpec>): RestartSpec => ({
  policy: "always",
  most: null,
  delay: 0,
  maxDelay: null,
  window: null,
  startupTimeout: null,
  healthCheckTimeout: null,
  finishGrace: null,
  ...changes,
})

describe("a restart policy", () => {
  test("asks for nothing, for failures, or for every end", () => {
    const decided = (policy: RestartSpec["policy"], ok: boolean) =>
      new Restarts(spec({ policy })).decide(ok, 0)
    expect(decided("never", false)).toBeNull()
    expect(decided("on-failure", true)).toBeNull()
    expect(decided("on-failure", false)).toEqual({ delayMs: 0 })
    expect(decided("always", true)).toEqual({ delayMs: 0 })
  })

  test("waits twice as long each time, up to its limit", () => {
    const restarts = new Restarts(spec({ delay: 0.5, maxDelay: 3 }))
    const delays = [0, 1, 2, 3, 4].map(() => restarts.decide(false, 0))
    expect(delays).toEqual([500, 1000, 2000, 3000, 3000].map((delayMs) => ({ delayMs })))
  })

  test("waits no longer than a timer can, however often it doubled", () => {
    const restarts = new Restarts(spec({ delay: 1e6 }))
    for (let i = 0; i < 40; i++) restarts.decide(false, 0)
    expect(restarts.decide(false, 0)).toEqual({ delayMs: 2 ** 31 - 1 })
  })

  test("gives up after so many, and begins anew after its window", () => {
    const given = { given: "max restarts (2) exceeded, giving up" }
    const limited = new Restarts(spec({ most: 2 }))
    expect([0, 1e9, 2e9].map((now) => limited.decide(false, now))).toEqual([
      { delayMs: 0 },
      { delayMs: 0 },
      given,
    ])
    const windowed = new Restarts(spec({ most: 2, window: 1, delay: 1 }))
    const decided = [0, 500, 900, 1600, 1700, 1800].map((now) => windowed.decide(false, now))
    const [once, twice] = [{ delayMs: 1000 }, { delayMs: 2000 }]
    expect(decided).toEqual([once, twice, given, once, twice, given])
  })
})
