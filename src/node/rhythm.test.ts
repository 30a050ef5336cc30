import { describe, expect, test } from "bun:test"
import { Rhythm } from "./rhythm.ts"

const MS = 1_000_000
const DELAY = 20_000

/** Feeds messages sent at these moments. */
function fed(rhythm: Rhythm, moments: number[]): Rhythm {
  for (const sent of moments) rhythm.observe(sent, sent + DELAY)
  return rhythm
}

/** Moments `gap` apart, each late by chance. */
function stream(count: number, gap: number, jitter = 0, from = 5 * MS): number[] {
  let state = 1
  const chance = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state / 0x7fffffff
  }
  return Array.from({ length: count }, (_, i) => from + i * gap + (chance() - 0.5) * jitter)
}

describe("rhythm", () => {
  test("nothing is foretold before some messages have come", () => {
    expect(new Rhythm().steady).toBe(false)
    expect(fed(new Rhythm(), stream(4, 5 * MS)).steady).toBe(false)
  })

  test("the next message of a steady stream is due a gap after the last, and its usual time under way", () => {
    const moments = stream(40, 5 * MS)
    const rhythm = fed(new Rhythm(), moments)
    expect(rhythm.steady).toBe(true)
    expect(Math.abs(rhythm.dueNs - (moments.at(-1)! + 5 * MS + DELAY))).toBeLessThan(2000)
  })

  test("the spread covers nearly all messages of a stream that varies", () => {
    const rhythm = new Rhythm()
    const moments = stream(400, 33 * MS, 2 * MS)
    let inside = 0
    moments.forEach((sent, i) => {
      if (i > 50) inside += Math.abs(sent + DELAY - rhythm.dueNs) <= rhythm.spreadNs ? 1 : 0
      rhythm.observe(sent, sent + DELAY)
    })
    expect(rhythm.steady).toBe(true)
    expect(inside).toBeGreaterThan(0.9 * 349)
  })

  test("a stream without rhythm is not steady", () => {
    const moments = stream(200, 5 * MS, 9 * MS).toSorted((a, b) => a - b)
    expect(fed(new Rhythm(), moments).steady).toBe(false)
  })

  test("a quick stream is left to polling", () => {
    expect(fed(new Rhythm(), stream(100, MS / 10)).steady).toBe(false)
  })

  test("an odd gap before the first steady ones is not counted among them", () => {
    const moments = [5 * MS, ...stream(8, 33 * MS, 0, 65 * MS)]
    const rhythm = fed(new Rhythm(), moments)
    expect(rhythm.steady).toBe(true)
    expect(Math.abs(rhythm.dueNs - (moments.at(-1)! + 33 * MS + DELAY))).toBeLessThan(10_000)
  })

  test("a lost message changes nothing, and a new rhythm is learned", () => {
    const before = stream(40, 5 * MS)
    const rhythm = fed(new Rhythm(), before)
    const resumed = before.at(-1)! + 10 * MS
    fed(rhythm, [resumed])
    expect(rhythm.steady).toBe(true)
    expect(Math.abs(rhythm.dueNs - (resumed + 5 * MS + DELAY))).toBeLessThan(2000)
    const slower = stream(40, 20 * MS, 0, resumed + 20 * MS)
    fed(rhythm, slower)
    expect(rhythm.steady).toBe(true)
    expect(Math.abs(rhythm.dueNs - (slower.at(-1)! + 20 * MS + DELAY))).toBeLessThan(4000)
  })
})
