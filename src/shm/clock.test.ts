import { afterEach, describe, expect, spyOn, test } from "bun:test"
import fc from "fast-check"
import { FlowClock, readEpoch } from "./clock.ts"
import { clockNs } from "./libc.ts"

const SEED = 20_261_205
const SECOND = 2n ** 32n
const TICKS_PER_SECOND = 2 ** 32

/** A stamp as one number; the clock keeps the bits of unsigned words. */
const time = (clock: { seconds: number; fraction: number }) =>
  BigInt(clock.seconds >>> 0) * SECOND + BigInt(clock.fraction >>> 0)

function stamp(clock: FlowClock): bigint {
  clock.stamp()
  return time(clock)
}

let spy: { mockRestore(): void } | null = null
afterEach(() => spy?.mockRestore())

/** Runs Bun's clock by hand from its present reading. */
function manualTime(): { ns: number } {
  const now = { ns: Bun.nanoseconds() }
  spy = spyOn(Bun, "nanoseconds").mockImplementation(() => now.ns)
  return now
}

describe("stamps", () => {
  test("are the wall clock, to the millisecond", () => {
    const clock = new FlowClock(readEpoch())
    clock.stamp()
    const ms = (clock.seconds >>> 0) * 1000 + ((clock.fraction >>> 0) * 1000) / 2 ** 32
    expect(Math.abs(ms - Date.now())).toBeLessThan(20)
    const behind = clockNs(1) - clock.monotonicNs(clock.seconds, clock.fraction)
    expect(behind).toBeGreaterThan(-1000)
    expect(behind).toBeLessThan(20e6)
  })

  test("never repeat and never go back, whatever happens in between", () => {
    type Step = { do: "stamp" | "idle" | "observe"; waitNs: number; ahead: number }
    const steps = fc.array(
      fc.record<Step>({
        do: fc.constantFrom("stamp", "stamp", "stamp", "stamp", "idle", "observe"),
        waitNs: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(1e6), fc.nat(3e9)),
        ahead: fc.integer({ min: -2 * TICKS_PER_SECOND, max: 2 * TICKS_PER_SECOND }),
      }),
      { maxLength: 100, size: "max" },
    )
    const property = fc.property(steps, (list) => {
      const now = manualTime()
      const clock = new FlowClock(readEpoch())
      let last = stamp(clock)
      for (const { do: what, waitNs, ahead } of list) {
        now.ns += waitNs
        if (what === "idle") clock.idle()
        else if (what === "observe") {
          const peer = last + BigInt(ahead)
          clock.observe(Number(peer / SECOND) | 0, Number(peer % SECOND) | 0)
          expect(time(clock) >= last).toBe(true)
        } else {
          const next = stamp(clock)
          expect(next > last).toBe(true)
          last = next
        }
      }
      spy!.mockRestore()
    })
    fc.assert(property, { seed: SEED, numRuns: 300, includeErrorInReport: true })
  })

  test("run on over the end of a second", () => {
    manualTime()
    const { seconds } = readEpoch()
    const untilThen = 0.8e9 - new FlowClock(readEpoch()).nowNs()
    const clock = new FlowClock({ seconds, nanoseconds: untilThen })
    clock.observe(seconds, -1)
    expect(time(clock)).toBe(BigInt(seconds + 1) * SECOND - 1n)
    expect(stamp(clock)).toBe(BigInt(seconds + 1) * SECOND)
  })

  test("of the year 2100 are unsigned", () => {
    manualTime()
    const seconds = 4_102_444_800
    const clock = new FlowClock({ seconds, nanoseconds: -new FlowClock(readEpoch()).nowNs() })
    expect(stamp(clock) / SECOND).toBe(BigInt(seconds))
    expect(Math.abs(clock.monotonicNs(clock.seconds, clock.fraction) - clock.nowNs())).toBeLessThan(
      10_000,
    )
  })
})

describe("a clock", () => {
  test("that is asked often is read once for many stamps; after a pause it is read at once", () => {
    const now = manualTime()
    const clock = new FlowClock(readEpoch())
    for (let i = 0; i < 100; i++) {
      now.ns += 100
      clock.stamp()
    }
    const reads = () =>
      (Bun.nanoseconds as unknown as { mock: { calls: unknown[] } }).mock.calls.length
    const before = reads()
    for (let i = 0; i < 160; i++) {
      now.ns += 100
      clock.stamp()
    }
    expect(reads() - before).toBeLessThan(25)
    now.ns += 1e6
    clock.idle()
    clock.stamp()
    expect(clock.monotonicNs(clock.seconds, clock.fraction)).toBeGreaterThan(clock.nowNs() - 20)
  })

  test("that is asked seldom is read each time", () => {
    const now = manualTime()
    const clock = new FlowClock(readEpoch())
    for (let i = 0; i < 50; i++) {
      now.ns += 50_000
      clock.stamp()
      expect(clock.nowNs() - clock.monotonicNs(clock.seconds, clock.fraction)).toBeLessThan(20)
    }
  })

  test("follows a peer that is a little ahead, not one that is far ahead", () => {
    const now = manualTime()
    const clock = new FlowClock(readEpoch())
    const start = stamp(clock)
    const near = start + SECOND / 4n
    clock.observe(Number(near / SECOND) | 0, Number(near % SECOND) | 0)
    expect(stamp(clock)).toBe(near + 1n)
    // Never in the second of the other: within one the clock is not read.
    const far = start + 2n * SECOND
    clock.observe(Number(far / SECOND) | 0, Number(far % SECOND) | 0)
    expect(stamp(clock)).toBe(near + 2n)
    now.ns += 1e9
    clock.idle()
    expect(stamp(clock) > near + SECOND / 2n).toBe(true)
  })

  test("is not shifted by an interruption while it is set", () => {
    let reads = 0
    const nanoseconds = Bun.nanoseconds
    spy = spyOn(Bun, "nanoseconds").mockImplementation(() => {
      // The process gets no processor for 50 ms between its first two readings.
      return nanoseconds() + (reads++ === 0 ? 50e6 : 0)
    })
    const behind = clockNs(1) - new FlowClock(readEpoch()).nowNs()
    expect(Math.abs(behind)).toBeLessThan(25e6)
  })

  test("of one process agrees with that of another one", async () => {
    const epoch = readEpoch()
    const program = `
      import { FlowClock } from ${JSON.stringify(`${import.meta.dir}/clock.ts`)}
      const clock = new FlowClock(${JSON.stringify(epoch)})
      clock.stamp()
      console.log(clock.monotonicNs(clock.seconds, clock.fraction))`
    const own = new FlowClock(epoch)
    const before = own.nowNs()
    const child = Bun.spawnSync([process.execPath, "-e", program])
    const theirs = Number(child.stdout.toString())
    expect(theirs).toBeGreaterThan(before)
    expect(theirs).toBeLessThan(own.nowNs())
  })
})
