import { afterEach, describe, expect, spyOn, test } from "bun:test"
import { Nodes } from "../../test/support/nodes.ts"
import { START_FLOAT } from "../shm/layout.ts"
import { clockNs } from "../shm/libc.ts"
import type { Receiver } from "./receiver.ts"

const MS = 1e6

let spy: { mockRestore(): void } | null = null
afterEach(() => spy?.mockRestore())

/** A started node with timers, at a time that is set by hand: milliseconds since the start. */
function start(timers: Record<string, string>) {
  const nodes = new Nodes([{ id: "a", inputs: timers }])
  const { receiver } = nodes.attach("a")
  expect([receiver.poll(), receiver.forecast(0).dueNs]).toEqual([null, Number.POSITIVE_INFINITY])
  nodes.memory.start()
  const { pid, inbox } = nodes.memory.nodePlan("a")
  const { buffer } = Bun.mmap(`/proc/${pid}/fd/${inbox.fd}`, { shared: true })
  const startNs = new Float64Array(buffer, 0, 8)[START_FLOAT]!
  const offsets = Array.from({ length: 20 }, () => clockNs(1) - Bun.nanoseconds())
  const offset = offsets.toSorted((a, b) => Math.abs(a) - Math.abs(b))[10]!
  let now = 0
  spy = spyOn(Bun, "nanoseconds").mockImplementation(() => now)
  const at = (ms: number) => {
    now = startNs - offset + ms * MS
  }
  return { nodes, receiver, at, startNs }
}

function ticks(receiver: Receiver): number {
  let count = 0
  while (receiver.poll() !== null) count++
  return count
}

function counts(nodes: Nodes) {
  const { sent, taken, dropped, queued } = nodes.memory.edges()[0]!
  return { sent, taken, dropped, queued }
}

describe("a timer", () => {
  test("ticks at the start and then in its rhythm, however late the ticks are taken", () => {
    const { nodes, receiver, at } = start({ tick: "dora/timer/millis/10" })
    for (let i = 0; i < 50; i++) {
      // Late by some, again and again: the rhythm stays that of the start.
      at(i * 10 + 1 + (i % 8))
      expect([i, ticks(receiver), ticks(receiver)]).toEqual([i, 1, 0])
    }
    expect(counts(nodes)).toEqual({ sent: 50, taken: 50, dropped: 0, queued: 0 })
    nodes[Symbol.dispose]()
  })

  test("gives one tick for all that were missed, and counts the others as dropped", () => {
    const { nodes, receiver, at } = start({ tick: "dora/timer/millis/10" })
    at(1)
    expect(ticks(receiver)).toBe(1)
    at(76)
    expect(ticks(receiver)).toBe(1)
    expect(counts(nodes)).toEqual({ sent: 8, taken: 2, dropped: 6, queued: 0 })
    at(79)
    expect(ticks(receiver)).toBe(0)
    at(81)
    expect(ticks(receiver)).toBe(1)
    nodes[Symbol.dispose]()
  })

  test("of a node that looks late for the first time begins with the tick that is due", () => {
    const { nodes, receiver, at } = start({ tick: "dora/timer/millis/10" })
    at(56)
    expect(ticks(receiver)).toBe(1)
    expect(counts(nodes)).toEqual({ sent: 1, taken: 1, dropped: 0, queued: 0 })
    at(61)
    expect(ticks(receiver)).toBe(1)
    nodes[Symbol.dispose]()
  })

  test("says when it is due next, the earliest of several", () => {
    const timers = { slow: "dora/timer/secs/10", quick: "dora/timer/millis/4" }
    const { nodes, receiver, at, startNs } = start(timers)
    at(1)
    expect(ticks(receiver)).toBe(2)
    expect([receiver.pending(), receiver.forecast(0).dueNs]).toEqual([false, startNs + 4 * MS])
    at(5)
    expect([receiver.pending(), ticks(receiver)]).toEqual([true, 1])
    expect(receiver.forecast(0).dueNs).toBe(startNs + 8 * MS)
    nodes[Symbol.dispose]()
  })
})
