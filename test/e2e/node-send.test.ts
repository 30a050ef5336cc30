// What a node can send, and what each mistake gives.
import { expect, test } from "bun:test"
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
