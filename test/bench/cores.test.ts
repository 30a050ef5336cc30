// A core that somebody else uses as well is found out, and the process may use the same cores afterwards.
import { expect, test } from "bun:test"
import { Cores } from "../../bench/cores.ts"
import { readAffinity } from "../../src/shm/libc.ts"

const own = readAffinity

test("it is told when the same work takes longer than at best on all cores but one", () => {
  const before = own()
  const slow = new Set<string>()
  const seen = new Set<string>()
  const cores = new Cores(() => {
    const core = own().join()
    seen.add(core)
    return slow.has(core) ? 180 : 100
  })
  expect(seen.size).toBe(
    before.reduce((count, bits) => count + bits.toString(2).replaceAll("0", "").length, 0),
  )
  expect([cores.slowdown(), cores.sharedPercent]).toEqual([1, 0])
  for (const core of [...seen].slice(seen.size > 1 ? 1 : 0)) slow.add(core)
  expect(cores.slowdown()).toBe(1.8)
  slow.clear()
  expect([cores.slowdown(), cores.sharedPercent]).toEqual([1, 33])
  expect(own()).toEqual(before)
})

test("the usual work takes a time", () => {
  const slowdown = new Cores().slowdown()
  expect(Number.isFinite(slowdown)).toBe(true)
  expect(slowdown).toBeGreaterThanOrEqual(1)
})
