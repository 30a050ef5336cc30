import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { formatProblems } from "./report.ts"
import { problemsOf, TEST_FILE } from "./testing.ts"

// Set FUZZ_SEED to replay a failure, FUZZ_RUNS to look longer.
const SEED = Number(process.env.FUZZ_SEED ?? 20_250_301)
const RUNS = Number(process.env.FUZZ_RUNS ?? 1500)

const GOOD = `# a dataflow with a bit of everything
env: { ROOT: "$GREETING", N: 0x10 }
exit_when_nodes_finish: false
nodes:
  - id: camera
    path: sh
    args: --rate 30 'a b'
    build: |
      make "all"
    inputs: { tick: dora/timer/hz/30 }
    outputs: &outs [image, "depth"]
  - id: edges
    path: sh
    inputs:
      image: { source: camera/image, queue_size: 1, queue_policy: backpressure }
      logs: dora/logs/info/camera
    outputs: *outs
    restart_policy: on-failure
    deploy: { machine: a, labels: { x: y } }
  - id: old
    custom: { source: sh, envs: { A: b }, inputs: { i: edges/image } }
`
const PIECES = [
  ..."[]{}:,-?!&*|>'\"%@`#\n\t \\$~\0\r\u0085\u2028\ufeff🙂é".split(/(?:)/u),
  "nodes:",
  "- id: a\n",
  "*outs",
  "&outs ",
  "<<: ",
  "---\n",
  "...\n",
  "${",
  "dora/timer/secs/0",
  "null",
  ".nan",
  "99999999999999999999",
  "__proto__: ",
  "  ",
  "? ",
]

type Edit = { at: number; cut: number; insert: string }
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat({ max: GOOD.length }),
  cut: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
  insert: fc.oneof(
    fc.constantFrom(...PIECES),
    fc.string({ maxLength: 8, unit: "binary" }),
    fc.nat({ max: GOOD.length }).map((from) => GOOD.slice(from, from + 60)),
  ),
})

function mutate(edits: readonly Edit[]): string {
  return edits.reduce(
    (text, { at, cut, insert }) => text.slice(0, at) + insert + text.slice(at + cut),
    GOOD,
  )
}

/** Reading ends with a dataflow or with problems that can be shown; anything else throws. */
function holds(text: string): void {
  const problems = problemsOf(text)
  const lines = text.replace(/^\ufeff/, "").split("\n")
  for (const { position, length } of problems) {
    const line = lines[position.line - 1]
    expect(line).toBeDefined()
    expect(position.column).toBeGreaterThanOrEqual(1)
    expect(position.column).toBeLessThanOrEqual(line!.length + 1)
    expect(length).toBeGreaterThanOrEqual(0)
  }
  formatProblems(problems, new Map([[TEST_FILE, text]]), { color: true })
}

describe("any text gives a dataflow or problems with places", () => {
  test("mutated dataflows", () => {
    const edits = fc.array(edit, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(edits, (list) => holds(mutate(list))),
      { seed: SEED, numRuns: RUNS },
    )
  })

  test("pieces of YAML", () => {
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 })
    fc.assert(
      fc.property(pieces, (list) => holds(list.join(""))),
      { seed: SEED, numRuns: RUNS },
    )
  })

  test("the text that is mutated has no error", () => {
    expect(problemsOf(GOOD).filter(({ severity }) => severity === "error")).toEqual([])
  })
})
