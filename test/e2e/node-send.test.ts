// What a node can send, and what each mistake gives.
import { describe, expect, test } from "bun:test"
import { TestFlow } from "../support/flow.ts"

const LIMIT_MS = 30_000

test(
  "every kind of value arrives as its Arrow type, and every mistake is a typed error that names it",
  async () => {
    await using flow = new TestFlow({
      a: {
        run: "values",
        inputs: { self: { source: "a/self", queue_size: 1, queue_policy: "backpressure" } },
        outputs: ["out", "self"],
      },
      b: {
        run: "print",
        inputs: { out: { source: "a/out", queue_size: 64, queue_policy: "backpressure" } },
      },
    })
    await flow.end()
    const none = {}
    const arrived: unknown[] = [
      { type: "Float32", values: [1.5, 2.5], parameters: none },
      { type: "Int64", values: ["7n"], parameters: none },
      { type: "Uint8", values: [1, 2, 3], parameters: none },
      { type: "Uint8", values: [...Buffer.from("bytes")], parameters: none },
      { type: "Utf8", values: ["text"], parameters: none },
      { type: "Float64", values: [4.5], parameters: none },
      { type: "Int64", values: ["6n"], parameters: none },
      { type: "Bool", values: [true], parameters: none },
      { type: "Utf8", values: ["a", null, "c"], parameters: none },
      { type: "Float64", values: [1, 2, 3], parameters: none },
      expect.objectContaining({ values: [[1], [2, 3]] }),
      expect.objectContaining({ values: [{ x: 1, name: "n" }] }),
      { type: "Float32", values: [9], parameters: none },
      { type: "Float32", values: [1, null, 3], parameters: none },
      {
        type: "Utf8",
        values: ["sync"],
        parameters: { n: 1, f: { value: 2 }, s: "x", l: [1, 2], b: true },
      },
      { type: "Float32", values: [3000, 0.5], parameters: { loaned: true } },
    ]
    expect(flow.said("b")).toEqual(arrived)
    const said = flow.said("a") as { code?: string; is?: string; message?: string }[]
    const errors = said.filter(({ code }) => code !== undefined)
    expect(errors.filter(({ code, is }) => code !== is)).toEqual([])
    expect(errors.length).toBe(11)
    const unknown = errors.find(({ message }) => message?.includes("`uot`"))!
    expect(unknown.message).toContain("did you mean `out`?")
    expect(flow.said("a")).toContainEqual({ interrupted: 1024 })
  },
  LIMIT_MS,
)

describe("sendOutputSync", () => {
  test.each(["busy", "adaptive", "park"] as const)(
    "goes at its consumer's pace and loses nothing (%s)",
    async (wait) => {
      const inputs = { in: { source: "source/out", queue_size: 2, queue_policy: "backpressure" } }
      await using flow = new TestFlow(
        {
          source: { run: "count 10 sync", outputs: ["out"] },
          slow: { run: "receive slow", inputs },
          other: { run: "receive recv", inputs: { in: "source/out" } },
        },
        { wait },
      )
      const result = await flow.end()
      const numbers = Array.from({ length: 10 }, (_, i) => `in:${i + 1}`)
      const end = ["INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]
      expect(flow.said("slow")).toEqual([[...numbers, ...end]])
      expect(flow.said("other")).toEqual([[...numbers, ...end]])
      const [slow] = result.edges.filter(({ to }) => to === "slow/in")
      // Who polls asks nobody to be woken.
      if (wait !== "busy") expect(slow!.waited).toBeGreaterThan(0)
      expect(slow!.highWater).toBeLessThanOrEqual(2)
    },
    LIMIT_MS,
  )
})

describe("a node that is stopped while it waits for room", () => {
  test.each(["sync", "async"])(
    "learns that its message was not sent, and what it may still do (%s)",
    async (how) => {
      const inputs = { in: { source: "node/out", queue_size: 3, queue_policy: "backpressure" } }
      await using flow = new TestFlow({
        node: { run: `blocked ${how}`, outputs: ["out"] },
        deaf: { run: "deaf", inputs },
      })
      await flow.until("node", 3)
      await flow.stop()
      const said = flow.said("node")
      expect(said).toContainEqual({ sent: 3, code: "SEND_INTERRUPTED" })
      expect(said).toContainEqual("STOP MANUAL")
      expect(said).toContainEqual("closed")
      expect(said.at(-1)).toEqual({
        ended: true,
        events: [null, null, null, []],
        codes: ["NODE_CLOSED", "NODE_CLOSED", "NODE_CLOSED"],
      })
    },
    LIMIT_MS,
  )
})

test(
  "an answer is stamped later than what it answers",
  async () => {
    await using flow = new TestFlow({
      ask: { run: "mirror ask 20000", inputs: { in: "answer/out" }, outputs: ["out"] },
      answer: { run: "mirror answer", inputs: { in: "ask/out" }, outputs: ["out"] },
    })
    await flow.end()
    expect(flow.said("ask")).toEqual([{ messages: 20_000, notLater: 0 }])
  },
  LIMIT_MS,
)
