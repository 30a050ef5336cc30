import { describe, expect, test } from "bun:test"
import { dedent, errorsOf, parse, problemsOf, reportOf, warningsOf } from "./testing.ts"

const ONE = "nodes: [{ id: n, operator: { typescript: ./op.ts, build: 'true', outputs: [o] } }]"

function reading(source: string): string {
  return `  - { id: r, path: sh, inputs: { i: ${source} } }\n`
}

function several(...readers: string[]): string {
  return [
    "nodes:\n",
    "  - id: n\n    operators:\n",
    "      - { id: a, typescript: a.ts, build: 'true', inputs: { t: dora/timer/millis/5 }, outputs: [x] }\n",
    "      - { id: b, wasm: b.wasm, build: 'true', inputs: { x: n/a/x }, outputs: [y] }\n",
    ...readers,
  ].join("")
}

/** Where the input of a reader comes from, after all rewriting. */
function sourceOf(text: string, node: string, input: string) {
  const found = parse(text).nodes.find(({ id }) => id === node)
  return found?.inputs.find(({ id }) => id === input)?.source
}

describe("operators", () => {
  test("are a node whose inputs and outputs carry their id in front", () => {
    const [n] = parse(several()).nodes
    expect(n!.operators.map(({ id, kind, path }) => [id, kind, path])).toEqual([
      ["a", "module", "/flows/a.ts"],
      ["b", "wasm", "/flows/b.wasm"],
    ])
    expect(n!.inputs.map(({ id }) => id)).toEqual(["a/t", "b/x"])
    expect(n!.outputs.map(({ id }) => id)).toEqual(["a/x", "b/y"])
    expect(n!.build).toEqual([["true"], ["true"]])
    expect(n!.path).toBe("")
  })

  test("a single one is called op, and its outputs may be named without it", () => {
    const text = ONE.replace("[{", "\n  - {").replace("}]", "}\n")
    const long = { kind: "output", node: "n", output: "op/o" } as const
    expect(sourceOf(text + reading("n/o"), "r", "i")).toEqual(long)
    expect(sourceOf(text + reading("n/op/o"), "r", "i")).toEqual(long)
  })

  test("an output of a sibling may be named as in the first documents, with a note", () => {
    const text = several().replace("n/a/x", "a/x")
    expect(sourceOf(text, "n", "b/x")).toEqual({ kind: "output", node: "n", output: "a/x" })
    expect(warningsOf(text)).toEqual(["SHORT_SOURCE"])
  })

  test("a node of that name goes first", () => {
    const text = several("  - { id: a, path: sh, outputs: [x] }\n").replace("n/a/x", "a/x")
    expect(sourceOf(text, "n", "b/x")).toEqual({ kind: "output", node: "a", output: "x" })
    expect(warningsOf(text)).toEqual([])
  })

  test("hold each other up one by one, not as a node", () => {
    const held = "{ source: n/a/x, queue_policy: backpressure }"
    expect(warningsOf(several().replace("n/a/x", held))).toEqual([])
    const circle = several()
      .replace("x: n/a/x", `x: ${held}`)
      .replace("dora/timer/millis/5", "{ source: n/b/y, queue_policy: backpressure }")
    expect(warningsOf(circle)).toEqual(["BACKPRESSURE_CYCLE"])
  })

  test("level of log lines is that of the node", () => {
    const text = ONE.replace("typescript", "min_log_level: warn, typescript")
    expect(parse(text).nodes[0]!.logs.minLevel).toBe("warn")
  })
})

describe("the file of a shared library", () => {
  const file = (name: string) => {
    const text = `nodes: [{ id: n, operator: { shared-library: ${name}, build: 'true' } }]`
    return [parse(text).nodes[0]!.operators[0]!.path, warningsOf(text).length]
  }

  test("gets its prefix and its ending", () => {
    expect(file("target/release/counter")).toEqual(["/flows/target/release/libcounter.so", 0])
    expect(file("op")).toEqual(["/flows/libop.so", 0])
  })

  test("may be written out, with a warning", () => {
    expect(file("target/libcounter")).toEqual(["/flows/target/libcounter.so", 1])
    expect(file("./libcounter.so")).toEqual(["/flows/libcounter.so", 1])
    expect(file("./counter.so")).toEqual(["/flows/counter.so", 1])
  })

  test("may be named by the old key", () => {
    const text = "nodes: [{ id: n, operator: { shared_library: ./op, build: 'true' } }]"
    expect(parse(text).nodes[0]!.operators[0]!.path).toBe("/flows/libop.so")
    expect(warningsOf(text)).toEqual(["LEGACY_FIELD"])
  })

  test("that is missing and not built is a warning before the start", () => {
    const [problem] = problemsOf("nodes: [{ id: n, operator: { shared-library: ./op } }]")
    expect(problem!.message).toBe("operator `n/op`: no shared library at `/flows/libop.so`")
  })
})

describe("the file of a Python operator", () => {
  const operator = (source: string) => {
    const [node] = parse(`nodes: [{ id: n, operator: { python: ${source}, build: 'true' } }]`).nodes
    const { kind, path, condaEnv } = node!.operators[0]!
    return [kind, path, condaEnv]
  }

  test("is named alone, or with the environment that conda runs it in", () => {
    expect(operator("sub/op.py")).toEqual(["python", "/flows/sub/op.py", null])
    expect(operator("{ source: op.py, conda_env: vision }")).toEqual([
      "python",
      "/flows/op.py",
      "vision",
    ])
    expect(operator("{ source: op.py }")).toEqual(["python", "/flows/op.py", null])
  })

  test("may have other fields beside it, which have no effect", () => {
    const text = "nodes: [{ id: n, operator: { python: { source: a.py, conda: e }, build: x } }]"
    const [problem] = problemsOf(text)
    expect([problem!.severity, problem!.code]).toEqual(["warning", "UNKNOWN_FIELD"])
    expect(problem!.message).toBe(
      "unknown field `conda` in `python` of operator `n/op` has no effect",
    )
  })

  test("that is missing and not built is a warning before the start", () => {
    const [problem] = problemsOf("nodes: [{ id: n, operator: { python: op.py } }]")
    expect(problem!.message).toBe("operator `n/op`: no Python file at `/flows/op.py`")
  })
})

describe("what is wrong with an operator is told with its place", () => {
  test.each([
    ["operators: []", "NO_OPERATORS"],
    ["operators: { id: a }", "WRONG_TYPE"],
    ["operators: [a]", "WRONG_TYPE"],
    ["operator: a.ts", "WRONG_TYPE"],
    ["operators: [{ typescript: a.ts, build: x }]", "MISSING_FIELD"],
    ["operator: { id: my op, typescript: a.ts, build: x }", "BAD_ID"],
    ["operator: { id: a/b, typescript: a.ts, build: x }", "BAD_ID"],
    ["operator: { outputs: [o] }", "MISSING_SOURCE"],
    ["operator: { typescript: '', build: x }", "MISSING_SOURCE"],
    ["operator: { typescript: a.ts, wasm: a.wasm, build: x }", "EXCLUSIVE_FIELDS"],
    ["operator: { python: https://example.org/op.py }", "UNSUPPORTED_OPERATOR"],
    ["operator: { python: { conda_env: e }, build: x }", "MISSING_FIELD"],
    ["operator: { python: [a.py], build: x }", "WRONG_TYPE"],
    [
      "operators: [{ id: a, python: a.py, build: x }, { id: b, typescript: b.ts, build: x }]",
      "MIXED_OPERATORS",
    ],
    [
      "operators: [{ id: a, python: a.py, build: x }, { id: b, python: { source: b.py, conda_env: e }, build: x }]",
      "MIXED_OPERATORS",
    ],
    ["operator: { shared-library: https://example.org/op }", "UNSUPPORTED_OPERATOR"],
    ["operator: { typescript: a.ts, build: x, args: --fast }", "UNKNOWN_FIELD"],
    ["operator: { typescript: a.ts, build: x, threads: 2 }", "WRONG_TYPE"],
    ["operator: { shared-library: a, build: x, threads: true }", "UNSUPPORTED_OPERATOR"],
    ["operator: { typescript: a.ts, build: x }, inputs: {}", "FIELD_NOT_ALLOWED"],
    [
      "operators: [{ id: a, typescript: a.ts, build: x }, { id: a, typescript: b.ts, build: x }]",
      "DUPLICATE_OPERATOR",
    ],
    [
      "operators: [{ id: a, typescript: a.ts, build: x, send_stdout_as: o }, { id: b, typescript: b.ts, build: x, send_stdout_as: o }]",
      "EXCLUSIVE_FIELDS",
    ],
  ])("%s", (fields, code) => {
    expect(errorsOf(`nodes: [{ id: n, ${fields} }]`)).toEqual([code])
  })

  test.each([
    ["n/x", "UNKNOWN_OUTPUT"],
    ["n/c/x", "UNKNOWN_OPERATOR"],
    ["n/a/z", "UNKNOWN_OUTPUT"],
    ["b/z", "UNKNOWN_NODE"],
  ])("an input from %s", (source, code) => {
    expect(errorsOf(several(reading(source)))).toEqual([code])
  })

  test("in the words of the official tool where it has them", () => {
    expect(reportOf(several(reading("n/x"), reading("n/c/x").replace("id: r", "id: s")))).toBe(
      dedent(`
      flow.yml:6:39: error[UNKNOWN_OUTPUT]: input \`r/i\` references output \`x\` of node \`n\`, which is a runtime node; runtime node outputs must include the operator id (expected format: \`n/<operator_id>/<output_id>\`)
        6 |   - { id: r, path: sh, inputs: { i: n/x } }
          |                                       ^
        hint: did you mean \`n/a/x\`?

      flow.yml:7:39: error[UNKNOWN_OPERATOR]: source operator \`n/c\` used for input \`s/i\` does not exist
        7 |   - { id: s, path: sh, inputs: { i: n/c/x } }
          |                                       ^^^
        hint: did you mean \`n/a/x\`?`),
    )
  })
})
