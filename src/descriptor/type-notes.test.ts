import { describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseDataflow } from "./load.ts"
import { errorsOf, problemsOf } from "./testing.ts"

/** Two nodes with a note each, and what is said about them. */
function said(given: string | null, wanted: string, root = ""): string[] {
  const output = given === null ? "" : `, output_types: { o: "${given}" }`
  const text = `nodes:
- { id: a, path: sh, outputs: [o]${output} }
- { id: b, path: sh, inputs: { i: a/o }, input_types: { i: "${wanted}" } }
${root}`
  return problemsOf(text).map(({ severity, message, hint }) =>
    [severity, message, ...(hint ? [hint] : [])].join(": "),
  )
}

const core = (name: string) => `std/core/v1/${name}`

describe("notes of types", () => {
  test.each([
    ["Int64", "Int64"],
    ["Int32", "Int64"],
    ["UInt8", "UInt64"],
    ["String", "Bytes"],
  ])("%s goes to %s", (given, wanted) => {
    expect(said(core(given), core(wanted))).toEqual([])
  })

  test.each([
    ["Int64", "Int32"],
    ["Int16", "Int32"],
    ["Bytes", "String"],
  ])("%s does not go to %s", (given, wanted) => {
    expect(said(core(given), core(wanted))).toEqual([
      `warning: node "b": type mismatch on input "i": upstream a/o declares "${core(given)}", but expected "${core(wanted)}"`,
    ])
  })

  test("rules of the file are followed, three in a row", () => {
    const chain = ["Int16", "Int8", "Bool", "String"].map(core)
    const rules = chain.slice(1).map((to, i) => `{ from: ${chain[i]}, to: ${to} }`)
    const root = `type_rules: [${rules.join(", ")}]`
    expect(said(chain[0]!, chain[3]!, root)).toEqual([])
    expect(said(chain[3]!, chain[0]!, root)).toHaveLength(1)
  })

  test("a short or unknown name is told with what was probably meant", () => {
    expect(said(core("Int64"), "Int64")[0]).toBe(
      'warning: node "b": unknown type "Int64" on input "i": did you mean `std/core/v1/Int64`?',
    )
  })

  test("names that are none of the node's are told, and a type may have parameters", () => {
    const text = `nodes:
- { id: a, path: sh, outputs: [o], output_types: { o: "std/media/v1/AudioFrame[sample_type=f32]", x: ${core("Bool")} } }`
    expect(problemsOf(text).map(({ message }) => message)).toEqual([
      'node "a": output_types key "x" not found in outputs list',
    ])
  })

  test("a timer brings UInt64", () => {
    const node = (type: string) =>
      problemsOf(
        `nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/1 }, input_types: { t: ${type} } }]`,
      )
    expect(node(core("UInt64"))).toEqual([])
    expect(node(core("String"))[0]!.message).toContain('timer provides "std/core/v1/UInt64"')
  })

  test("operators have theirs", () => {
    const text = `nodes:
- { id: a, operator: { typescript: a.ts, build: x, outputs: [o], output_types: { o: ${core("Bool")} } } }
- { id: b, path: sh, inputs: { i: a/o }, input_types: { i: ${core("String")} } }`
    expect(problemsOf(text).some(({ message }) => message.includes("upstream a/op/o"))).toBe(true)
  })

  test("with strict_types they are errors, and a missing one is one as well", () => {
    const strict = "strict_types: true"
    expect(said(core("Bool"), core("String"), strict)[0]).toStartWith("error: ")
    expect(said(null, core("String"))).toEqual([])
    expect(said(null, core("String"), strict)[0]).toContain("has no type annotation")
  })

  test("types of one's own lie beside the file", () => {
    const folder = mkdtempSync(join(tmpdir(), "dora-types-"))
    try {
      mkdirSync(join(folder, "types/robot"), { recursive: true })
      writeFileSync(join(folder, "types/robot/v1.yml"), "")
      const text = (type: string) =>
        `nodes: [{ id: a, path: sh, outputs: [o], output_types: { o: ${type} } }]`
      const warnings = (type: string) =>
        parseDataflow(text(type), join(folder, "flow.yml")).warnings.length
      expect(warnings("robot/v1/Arm")).toBe(0)
      expect(warnings("robot/v2/Arm")).toBe(1)
      expect(warnings("../../robot/v1/Arm")).toBe(1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test("what is no text is refused", () => {
    expect(errorsOf("nodes: [{ id: a, path: sh, output_types: [o] }]")).toEqual(["WRONG_TYPE"])
  })
})
