import { describe, expect, test } from "bun:test"
import { MAX_YAML_DEPTH, MAX_YAML_TOKENS } from "../core/limits.ts"
import { errorsOf, parse, problemsOf } from "./testing.ts"

/** Runs and tells how long it took. */
function timed<T>(run: () => T): { result: T; ms: number } {
  const start = performance.now()
  return { result: run(), ms: performance.now() - start }
}

describe("aliases", () => {
  test("stand for what they name, as often as needed", () => {
    const flow = parse(`
nodes:
  - { id: a, path: sh, outputs: &outs [x, y], env: &env { A: 1, B: two } }
  - { id: b, path: sh, outputs: *outs, env: *env, inputs: { i: a/x } }
  - { id: c, path: sh, outputs: *outs, env: *env, inputs: { i: b/y } }
`)
    expect(flow.nodes[2]!.outputs.map(({ id }) => id)).toEqual(["x", "y"])
    expect(flow.nodes[2]!.env).toEqual({ A: "1", B: "two" })
  })

  test("tell a problem of the text that they repeat once", () => {
    const text =
      "nodes:\n  - { id: a, path: sh, outputs: &o [x y] }\n  - { id: b, path: sh, outputs: *o }\n"
    expect(errorsOf(text)).toEqual(["BAD_ID"])
  })

  test("that explode are refused at once", () => {
    const levels = Array.from({ length: 20 }, (_, i) => {
      const aliases = Array(10).fill(`*a${i}`).join(", ")
      return `a${i + 1}: &a${i + 1} [${aliases}]\n`
    })
    const bomb = `a0: &a0 [x, x, x, x, x]\n${levels.join("")}nodes: *a20\n`
    const { result, ms } = timed(() => problemsOf(bomb))
    expect(result.map(({ code }) => code)).toEqual(["ALIAS_LIMIT"])
    expect(result[0]!.message).toBe("the aliases of this file expand to more than 100000 values")
    expect(ms).toBeLessThan(1000)
  })

  test("that contain themselves are refused", () => {
    expect(errorsOf("nodes: &n [*n]")).toEqual(["UNKNOWN_ANCHOR"])
  })

  test("can't nest more deeply than the text itself may", () => {
    const nest = (inner: string) => "[".repeat(100) + inner + "]".repeat(100)
    expect(errorsOf(`a: &a ${nest("x")}\nnodes: ${nest("*a")}\n`)).toEqual(["TOO_DEEP"])
  })
})

describe("nesting", () => {
  test.each([
    ["lists in brackets", "[".repeat(100_000)],
    ["mappings in braces", "{a: ".repeat(100_000)],
    ["lists of dashes", "- ".repeat(100_000)],
    ["keys", "? ".repeat(100_000)],
    ["values", "a: ".repeat(100_000)],
    ["balanced brackets", "[".repeat(5000) + "]".repeat(5000)],
  ])("is bounded: %s", (_, text) => {
    const { result, ms } = timed(() => problemsOf(text))
    expect(result.map(({ code }) => code)).toEqual(["TOO_DEEP"])
    expect(result[0]!.message).toContain(`${MAX_YAML_DEPTH} levels`)
    expect(ms).toBeLessThan(1000)
  })
})

describe("a text", () => {
  test("with too many words is refused early", () => {
    const [problem] = problemsOf(`[${",".repeat(MAX_YAML_TOKENS)}`)
    expect(problem).toMatchObject({ code: "FILE_TOO_LARGE" })
  })

  test("may be JSON", () => {
    const json = '{"nodes": [{"id": "a", "path": "sh", "outputs": ["o"], "inputs": {"i": "a/o"}}]}'
    expect(parse(json).nodes[0]!.inputs[0]!.source).toEqual({
      kind: "output",
      node: "a",
      output: "o",
    })
  })

  test("may end with a document mark", () => {
    expect(errorsOf("---\nnodes: [{ id: a, path: sh }]\n...\n")).toEqual([])
  })

  test("with two syntax errors has both of them told", () => {
    expect(errorsOf("nodes:\n  - id: @a\n    path: sh\n    args: `x\n")).toEqual([
      "YAML_SYNTAX",
      "YAML_SYNTAX",
    ])
  })

  test.each(["[a]: b", "? {a: b}\n: c"])("with a key that is no word is refused: %j", (text) => {
    expect(errorsOf(text)).toContain("WRONG_TYPE")
  })

  test("with a merge key is refused with a reason", () => {
    const text = "nodes: [{ id: a, path: sh, <<: { name: x } }]"
    expect(problemsOf(text)[0]).toMatchObject({
      code: "UNKNOWN_FIELD",
      hint: expect.stringContaining("merge keys are not supported"),
    })
  })
})
