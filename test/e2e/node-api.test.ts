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

describe("waiting", () => {
  const silent = { run: "idle", outputs: ["out"] }

  test(
    "with a limit ends at the limit, and at no earlier event",
    async () => {
      await using flow = new TestFlow({
        silent,
        node: { run: "wait limits", inputs: { in: "silent/out" } },
      })
      const said = (await flow.until("node", 5)) as { ms: number; event: unknown; took: number }[]
      for (const { ms, event, took } of said.slice(0, 4)) {
        expect(event).toBeNull()
        expect(took).toBeGreaterThan(ms - 1)
      }
      expect(said.slice(0, 4).map((line) => "ended" in line && line.ended)).toEqual([
        ...[false, false, false, false],
      ])
      expect(said[4]).toEqual({ tryRecv: null, drain: [] } as never)
      await flow.stop()
    },
    LIMIT_MS,
  )

  test(
    "takes values of an iterable as events of their own, each in its turn",
    async () => {
      await using flow = new TestFlow({
        source: { run: "count 3", outputs: ["out"], env: { PAUSE_MS: 5 } },
        node: { run: "wait merge", inputs: lossless("source/out") },
        forever: { run: "wait merge-forever", inputs: lossless("source/out") },
      })
      await flow.end()
      const words = flow.said("node").at(-1) as string[]
      expect(words.filter((word) => word.startsWith("EXTERNAL"))).toEqual(
        // Values that come after the last event are not delivered.
        ["EXTERNAL x", "EXTERNAL y", "EXTERNAL z"].slice(0, words.length - 5),
      )
      expect(words.filter((word) => !word.startsWith("EXTERNAL"))).toEqual([...upTo(3), ...END])
      expect(flow.said("forever")).toEqual([[...upTo(3), ...END]])
    },
    LIMIT_MS,
  )

  test(
    "goes on where a loop was left",
    async () => {
      await using flow = new TestFlow({
        source: { run: "count 3", outputs: ["out"] },
        node: { run: "wait break", inputs: lossless("source/out") },
      })
      await flow.end()
      expect(flow.said("node")).toEqual(["in:1", "in:2"])
    },
    LIMIT_MS,
  )
})

describe("a large message", () => {
  test(
    "is empty after the next event, unless it is retained, copied or small",
    async () => {
      await using flow = new TestFlow({
        source: { run: "large", outputs: ["out"] },
        node: { run: "hold", inputs: lossless("source/out", 1) },
      })
      await flow.end()
      const length = 100_000
      expect(flow.said("node")).toEqual([
        { first: [length, 1, true] },
        { after: [0, null, false], held: [0, 0, 0], value: null },
        { second: [length, 2, true], third: [length, 3, true] },
        { released: [0, null, false], copy: true, third: [length, 3, true] },
        { fourth: [length, 4, true], third: [0, null, false] },
        { small: [10, 6, false] },
      ])
    },
    LIMIT_MS,
  )
})

describe("a node knows", () => {
  test(
    "itself, its dataflow, and what comes with a message",
    async () => {
      await using flow = new TestFlow({
        source: { run: "count 50", outputs: ["out"], env: { PAUSE_MS: 1 } },
        node: { run: "facts", inputs: lossless("source/out", 7), outputs: ["spare"] },
      })
      const { id } = await flow.running
      await flow.end()
      const [facts, ...rest] = flow.said("node") as [Record<string, unknown>, ...unknown[]]
      expect(facts).toMatchObject({
        id: "node",
        dataflowId: id,
        restartCount: 0,
        isRestart: false,
        ended: false,
        nodeConfig: { outputs: ["spare"] },
      })
      const { inputs } = facts.nodeConfig as { inputs: object }
      expect(inputs).toEqual({ in: lossless("source/out", 7).in })
      const { nodes } = facts.dataflowDescriptor as { nodes: { id: string }[] }
      expect(nodes.map((node) => node.id)).toEqual(["source", "node"])
      expect(rest.pop()).toEqual({ ended: true, after: [null, null, null, []] })
      const messages = rest as Message[]
      expect(messages.map(({ parameters }) => parameters)).toEqual(
        Array.from({ length: 50 }, (_, i) => ({ number: i + 1 })),
      )
      const stamps = messages.map(({ timestamp: { seconds, fraction } }) => {
        return BigInt(seconds) * 2n ** 32n + BigInt(fraction)
      })
      for (let i = 1; i < stamps.length; i++) expect(stamps[i]! > stamps[i - 1]!).toBe(true)
      for (const { late } of messages) {
        expect(late).toBeGreaterThan(-2)
        expect(late).toBeLessThan(5000)
      }
    },
    LIMIT_MS,
  )

  type Message = {
    timestamp: { seconds: number; fraction: number }
    late: number
    parameters: object
  }
})
