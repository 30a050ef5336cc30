import { afterEach, beforeEach, expect, jest, test } from "bun:test"
import { type Straggler, Stragglers } from "./stragglers.ts"

const VARIABLE = "DORA_FINISH_DRAIN_GRACE_SECS"

beforeEach(() => {
  jest.useFakeTimers({ now: 0 })
  delete process.env[VARIABLE]
})
afterEach(() => {
  jest.useRealTimers()
  delete process.env[VARIABLE]
})

class FakeNode implements Straggler {
  alive = true
  hasEverything = false
  readonly asked: string[] = []
  readonly id: string
  readonly spec: Straggler["spec"]
  constructor(id: string, finishGrace: number | null, dynamic = false) {
    this.id = id
    this.spec = { restart: { finishGrace }, dynamic }
  }
  requestStop = () => void this.asked.push("stop")
  terminate = () => void this.asked.push("term")
  kill = () => void this.asked.push("kill")
}

function watch(...nodes: FakeNode[]) {
  const warnings: string[] = []
  const stragglers = new Stragglers(nodes, {
    hasEverything: (id) => nodes.find((node) => node.id === id)!.hasEverything,
    everySeconds: 1,
    graceMs: 4000,
    warn: (message) => warnings.push(message),
  })
  return { stragglers, warnings }
}

test("a node that has had everything goes while others are at work, then is stopped by and by", () => {
  const [a, b] = [new FakeNode("a", 3), new FakeNode("b", null)]
  using stragglers = watch(a, b).stragglers
  a.hasEverything = true
  jest.advanceTimersByTime(60_000)
  expect(a.asked).toEqual([])
  b.alive = false
  jest.advanceTimersByTime(1000)
  expect(a.asked).toEqual(["stop"])
  expect(stragglers.forced("a")).toBe(false)
  jest.advanceTimersByTime(4000)
  expect([a.asked, stragglers.forced("a")]).toEqual([["stop", "term"], true])
  jest.advanceTimersByTime(2000)
  expect(a.asked).toEqual(["stop", "term", "kill"])
  expect(b.asked).toEqual([])
})

test("each has its own time, and who gets something anew has it once more", () => {
  const [a, b] = [new FakeNode("a", 3), new FakeNode("b", 10)]
  using _ = watch(a, b).stragglers
  a.hasEverything = b.hasEverything = true
  jest.advanceTimersByTime(3000)
  a.hasEverything = false
  jest.advanceTimersByTime(1000)
  a.hasEverything = true
  jest.advanceTimersByTime(3000)
  expect(a.asked).toEqual([])
  jest.advanceTimersByTime(1000)
  expect([a.asked, b.asked]).toEqual([["stop"], []])
})

test("nodes that are started by hand are not waited for", () => {
  const [a, b] = [new FakeNode("a", 1), new FakeNode("b", 1, true)]
  using _ = watch(a, b).stragglers
  a.hasEverything = true
  jest.advanceTimersByTime(2000)
  expect([a.asked, b.asked]).toEqual([["stop"], []])
})

test.each([
  [undefined, 120],
  ["", 120],
  ["5", 5],
  ["0", 0],
  ["off", null],
  ["DISABLED", null],
  ["soon", 120],
  ["-1", 120],
])("without a time of its own it is that of the variable: %p", (text, seconds) => {
  if (text !== undefined) process.env[VARIABLE] = text
  const node = new FakeNode("a", null)
  const { stragglers, warnings } = watch(node)
  using _ = stragglers
  node.hasEverything = true
  jest.advanceTimersByTime(1000 + (seconds ?? 1000) * 1000 - 1)
  expect(node.asked).toEqual([])
  jest.advanceTimersByTime(1)
  expect(node.asked).toEqual(seconds === null ? [] : ["stop"])
  expect(warnings.filter((line) => line.includes("no number"))).toHaveLength(
    text === "soon" || text === "-1" ? 1 : 0,
  )
})
