import { describe, expect, test } from "bun:test"
import { errorsOf, problemsOf, warningsOf } from "./testing.ts"

const HOLD = "queue_policy: backpressure"
/** A node with one output and inputs from the given nodes. */
function node(id: string, sources: string[], policy = HOLD): string {
  const inputs = sources.map((source, i) => `i${i}: { source: ${source}/o, ${policy} }`).join(", ")
  return `  - { id: ${id}, path: sh, outputs: [o], inputs: { ${inputs} } }\n`
}

function flow(...nodes: string[]): string {
  return `nodes:\n${nodes.join("")}`
}

describe("cycles", () => {
  test("are allowed, and so is a node that reads itself", () => {
    const drop = "queue_policy: drop_oldest"
    const text = flow(node("a", ["a", "b"], drop), node("b", ["a"], drop))
    expect(problemsOf(text)).toEqual([])
  })

  test("are worth a warning when every edge holds its sender", () => {
    const text = flow(node("a", ["c"]), node("b", ["a"]), node("c", ["b"]), node("d", ["a"]))
    expect(warningsOf(text)).toEqual(["BACKPRESSURE_CYCLE"])
    expect(problemsOf(text)[0]!.message).toMatch(
      /`a` → `b` → `c` → `a`|`b` → `c` → `a` → `b`|`c` → `a` → `b` → `c`/,
    )
  })

  test("are worth no warning when one edge gives way", () => {
    const text = flow(node("a", ["b"], "queue_size: 1"), node("b", ["a"]))
    expect(warningsOf(text)).toEqual([])
  })

  test("of one node count", () => {
    expect(warningsOf(flow(node("a", ["a"])))).toEqual(["BACKPRESSURE_CYCLE"])
  })

  test("are told one by one, up to ten", () => {
    const loops = Array.from({ length: 12 }, (_, i) => node(`n${i}`, [`n${i}`]))
    expect(warningsOf(flow(...loops.slice(0, 3)))).toHaveLength(3)
    expect(warningsOf(flow(...loops))).toHaveLength(10)
  })

  test("are looked for without recursion", () => {
    const chain = Array.from({ length: 5000 }, (_, i) =>
      node(`n${i}`, i === 0 ? [] : [`n${i - 1}`]),
    )
    expect(problemsOf(flow(...chain))).toEqual([])
  })
})

describe("wiring", () => {
  test("an output that nobody reads is fine", () => {
    expect(problemsOf(flow(node("a", [])))).toEqual([])
  })

  test("an output may contain slashes; only the first one separates", () => {
    const text = flow(
      "  - { id: a, path: sh, outputs: [op/o] }\n",
      "  - { id: b, path: sh, inputs: { i: a/op/o } }\n",
    )
    expect(problemsOf(text)).toEqual([])
  })

  test("outputs of a node that can't run yet are not called missing", () => {
    const text = flow(
      "  - { id: a, operators: [{ id: op, wasm: https://example.org/x, outputs: [o] }] }\n",
      "  - { id: b, path: sh, inputs: { i: a/op/o } }\n",
    )
    expect(errorsOf(text)).toEqual(["UNSUPPORTED_OPERATOR"])
  })

  test("thousands of wrong names are told in bounded time", () => {
    const nodes = Array.from({ length: 3000 }, (_, i) => node(`node${i}`, [`missing${i}`]))
    const start = performance.now()
    expect(errorsOf(flow(...nodes))).toHaveLength(3000)
    expect(performance.now() - start).toBeLessThan(5000)
  })
})
