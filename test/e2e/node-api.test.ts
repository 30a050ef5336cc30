// Every way to receive, in real processes.
import { describe, expect, test } from "bun:test"
import { TestFlow } from "../support/flow.ts"

const LIMIT_MS = 30_000
const lossless = (source: string, queueSize = 10) => ({
  in: { source, queue_size: queueSize, queue_policy: "backpressure" },
})

const END = ["INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]
const upTo = (count: number) => Array.from({ length: count }, (_, i) => `in:${i + 1}`)
const WAYS = ["for-await", "next", "next-short", "recv", "recv-short", "tryRecv", "drain", "mixed"]

describe("every way to receive brings every message in order, and then the end", () => {
  const cases = [
    { wait: "adaptive", ways: [...WAYS, "concurrent"], count: 400 },
    { wait: "park", ways: [...WAYS, "concurrent"], count: 400 },
    { wait: "busy", ways: ["for-await", "recv"], count: 400 },
  ] as const
  test.each(cases)(
    "waiting: $wait",
    async ({ wait, ways, count }) => {
      const source = { run: `count ${count}`, outputs: ["out"] }
      const receivers = ways.map((way) => {
        return [way, { run: `receive ${way}`, inputs: lossless("source/out") }] as const
      })
      await using flow = new TestFlow({ source, ...Object.fromEntries(receivers) }, { wait })
      await flow.end()
      for (const way of ways)
        expect([way, ...flow.said(way)]).toEqual([way, [...upTo(count), ...END]])
    },
    LIMIT_MS,
  )

  test(
    "by callbacks, one at a time, and the program ends by itself",
    async () => {
      await using flow = new TestFlow({
        source: { run: "count 20", outputs: ["x", "y"] },
        sink: { run: "callback", inputs: { a: "source/x", b: "source/y" } },
      })
      await flow.end()
      const numbers = Array.from({ length: 20 }, (_, i) => i + 1)
      const [got] = flow.said("sink") as [{ a: number[]; b: number[]; atOnce: number }]
      expect(got.atOnce).toBe(1)
      for (const list of [got.a, got.b]) {
        expect(list.at(-1)).toBe(20)
        expect(list).toEqual(list.toSorted((a, b) => a - b))
        expect(numbers).toEqual(expect.arrayContaining(list))
      }
    },
    LIMIT_MS,
  )
})
