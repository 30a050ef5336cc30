import { describe, expect, test } from "bun:test"
import { HybridClock, type Stamp } from "./clock.ts"

const ID = new Uint8Array(16).fill(9)
const time = (stamp: Stamp) => BigInt(stamp.seconds) * 2n ** 32n + BigInt(stamp.fraction)

describe("a hybrid clock", () => {
  test("counts in the low bits while the wall clock stands still", () => {
    const clock = new HybridClock(ID, () => 1500)
    const stamps = Array.from({ length: 40 }, () => clock.stamp())
    expect(stamps[0]).toEqual({ seconds: 1, fraction: 0x8000_0000, id: ID })
    for (let i = 1; i < stamps.length; i++) expect(time(stamps[i]!)).toBe(time(stamps[i - 1]!) + 1n)
  })

  test("never runs backwards, across a second and with a wall clock that does", () => {
    let now = 1999.9999999
    const clock = new HybridClock(ID, () => now)
    let last = time(clock.stamp())
    for (let i = 0; i < 100; i++) {
      if (i === 50) now = 0
      const next = time(clock.stamp())
      expect(next).toBeGreaterThan(last)
      last = next
    }
  })

  test("follows a peer that is a little ahead, not one that is far ahead", () => {
    const clock = new HybridClock(ID, () => 10_000)
    const near = { seconds: 10, fraction: 0x4000_0000, id: new Uint8Array(16) }
    expect(clock.merge(near)).toBe(true)
    expect(time(clock.stamp())).toBe(time(near) + 1n)
    const far = { seconds: 11, fraction: 0, id: new Uint8Array(16) }
    expect(clock.merge(far)).toBe(false)
    expect(time(clock.stamp())).toBe(time(near) + 2n)
  })
})
