import { describe, expect, test } from "bun:test"
import { expandVariables } from "./env.ts"
import { errorsOf, parse, warningsOf } from "./testing.ts"

const env: Record<string, string> = { X: "0123", EMPTY: "", T: "true" }
const lookup = (name: string) => env[name]

// Each tried with the official tool, 1.1.0.
const EXPANSIONS: [string, string | null][] = [
  ["$X", "0123"],
  ["a${X}b", "a0123b"],
  ["$X.Y", "0123.Y"],
  ["$X-Y", "0123-Y"],
  ["\\$X", "\\0123"],
  ["$$X", "$X"],
  ["$$", "$"],
  ["$", "$"],
  ["a$", "a$"],
  ["$ a", "$ a"],
  ["${X", "${X"],
  ["${X:-d}", "0123"],
  ["${NONE:-d}", "d"],
  ["${NONE:-}", ""],
  ["${NONE:-a:-b}", "a:-b"],
  ["${NONE:-$X}", "$X"],
  ["${NONE:-${X}}", "${X}"],
  ["${EMPTY:-d}", ""],
  ["~/a", "~/a"],
  ["$NONE", null],
  ["${NONE}", null],
  ["${NONE-d}", null],
  ["${}", null],
  ["${:-d}", null],
  ["${ X }", null],
  ["$1", null],
]

describe("variables", () => {
  test.each(EXPANSIONS)("%s becomes %p", (text, expected) => {
    const result = expandVariables(text, lookup)
    expect(result.missing.length > 0 ? null : result.text).toBe(expected)
  })

  test("unclosed braces take linear time", () => {
    const text = "${".repeat(500_000)
    const start = performance.now()
    expect(expandVariables(text, lookup).text).toBe(text)
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

// What reaches the process of a node; each tried with the official tool, 1.1.0.
const VALUES: [string, string][] = [
  ["text", "text"],
  ['"01234"', "1234"],
  ["007", "7"],
  ["-007", "-7"],
  ["+5", "5"],
  ['"0x10"', "0x10"],
  ["0x10", "16"],
  ["0o17", "15"],
  ["0b11", "3"],
  ["1.0", "1"],
  ['"1.10"', "1.1"],
  ["1e3", "1000"],
  ["1e21", "1000000000000000000000"],
  ["1e-7", "0.0000001"],
  ["-0.0", "-0"],
  [".inf", "inf"],
  ['"-inf"', "-inf"],
  [".nan", "NaN"],
  ["12345678901234567890", "12345678901234567000"],
  ["9007199254740993", "9007199254740993"],
  ["True", "true"],
  ['"True"', "True"],
  ["yes", "yes"],
  ["1_000", "1_000"],
  ['" 5"', " 5"],
  ['"5."', "5"],
  ['".5"', "0.5"],
  ['""', ""],
  ['"null"', "null"],
  ["!!str 5", "5"],
  ["$NUMBER", "123"],
]

describe("a value of env", () => {
  test.each(VALUES)("%s reaches the node as %s", (written, expected) => {
    const flow = parse(`nodes:\n  - id: a\n    path: sh\n    env:\n      A: ${written}\n`)
    expect(flow.nodes[0]!.env).toEqual({ A: expected })
  })

  test.each(["", "~", "null", "[1]", "{ a: 1 }", "99999999999999999999999"])(
    "%p is refused",
    (written) => {
      const text = `nodes:\n  - id: a\n    path: sh\n    env:\n      A: ${written}\n`
      expect(errorsOf(text)).toHaveLength(1)
    },
  )
})

describe("names of env", () => {
  test.each([
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DORA_NODE_CONFIG",
    "DORA_AUTH_TOKEN",
    "ZENOH_CONFIG",
    "DORA_BUN_PLAN",
  ])("%s is left out, from what nodes see too", (name) => {
    const text = `env: { ${name}: x, A: b }\nnodes: [{ id: a, path: sh, env: { ${name}: y } }]\n`
    const flow = parse(text)
    expect(warningsOf(text)).toEqual(["ENV_REFUSED", "ENV_REFUSED"])
    expect(flow.env).toEqual({ A: "b" })
    expect(flow.nodes[0]!.env).toEqual({})
    expect(JSON.stringify(flow.json)).not.toContain(name)
  })

  test.each(['"A=B"', '"A B"', '""', '"A\\tB"', '"A\\0B"'])("%s is an error", (name) => {
    expect(errorsOf(`nodes: [{ id: a, path: sh, env: { ${name}: x } }]`)).toEqual(["BAD_ENV_NAME"])
  })
})
