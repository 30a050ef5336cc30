// An operator that takes its process with it: only its node dies, and the report says who it was.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeExitedEarlyError } from "../../src/daemon/failure.ts"
import { type NodeText, TestFlow } from "../support/flow.ts"
import { buildC, hasCc } from "../support/operators.ts"
import { buildWasm, hasClang } from "../support/wasm.ts"
import { needs } from "../support/toolchain.ts"

const FOLDER = join(import.meta.dir, "operators")
const folder = mkdtempSync(join(tmpdir(), "dora-ends-"))
const LIMIT_MS = 30_000
let library = ""

beforeAll(async () => {
  if (hasCc) library = await buildC(join(FOLDER, "ends.c"), folder)
}, LIMIT_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const bystander: NodeText = { run: "print", inputs: { in: "source/out" } }
const source: NodeText = { run: "count 3", outputs: ["out"] }

/** Runs a node with one operator beside a bystander, which must not notice. */
async function ends(operator: Record<string, unknown>, env: Record<string, string> = {}) {
  const rt = { operator: { inputs: { in: "source/out" }, ...operator }, env }
  await using flow = new TestFlow({ source, rt, bystander })
  const result = await flow.end({ failing: ["rt"] })
  expect(flow.said("bystander")).toHaveLength(3)
  const node = result.nodes.find(({ node }) => node === "rt")!
  const said = flow.records.filter((r) => r.node === null).map((r) => r.msg)
  return { ...node, said, stderr: node.stderrTail.join("\n") }
}

/** How a start that must fail fails. */
async function refused(rt: NodeText): Promise<string> {
  await using flow = new TestFlow({ rt })
  const error = await flow.running.then(
    () => null,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(NodeExitedEarlyError)
  return (error as Error).message
}

const withCc = needs("cc", hasCc)
/** As it stands in a dataflow file. */
const name = () => library.replace(/\/lib([^/]*)\.so$/, "/$1")

describe("a library that ends its process", () => {
  const ways = [
    ["segfault", "SIGSEGV", null],
    ["abort", "SIGABRT", null],
    ["exit", null, 7],
  ] as const
  for (const [how, signal, code] of ways) {
    withCc(
      `by ${how}`,
      async () => {
        const end = await ends({ "shared-library": name() }, { HOW: how })
        expect([end.signal, end.exitCode]).toEqual([signal, code])
        expect(end.during).toBe(`\`dora_on_event\` of operator \`rt/op\` (${library})`)
        const verb = signal ? `was killed by ${signal}` : `exited with code ${code}`
        expect(end.said).toContain(`node rt ${verb} in ${end.during}`)
        // No report that Bun is to blame.
        expect(end.stderr).toBe("")
      },
      LIMIT_MS,
    )
  }

  withCc(
    "in its drop",
    async () => {
      const end = await ends({ "shared-library": name() }, { HOW: "drop" })
      expect([end.signal, end.during]).toEqual([
        "SIGABRT",
        `\`dora_drop_operator\` of operator \`rt/op\` (${library})`,
      ])
    },
    LIMIT_MS,
  )

  withCc(
    "in its init: the dataflow does not start",
    async () => {
      const text = await refused({ operator: { "shared-library": name() }, env: { HOW: "init" } })
      expect(text).toContain("was killed by SIGABRT in `dora_init_operator` of operator `rt/op`")
    },
    LIMIT_MS,
  )
})

describe("a TypeScript operator that ends its process", () => {
  test.each([
    ["exit", null, 3],
    ["kill", "SIGSEGV", null],
  ])(
    "by %s",
    async (id, signal, code) => {
      const end = await ends({ id, typescript: join(FOLDER, "any.ts"), outputs: ["out"] })
      expect([end.signal, end.exitCode]).toEqual([signal, code])
      expect(end.during).toBe(`\`onEvent\` of operator \`rt/${id}\` (${join(FOLDER, "any.ts")})`)
    },
    LIMIT_MS,
  )

  test(
    "and one that does not return is named",
    async () => {
      const operator = {
        id: "loop",
        typescript: join(FOLDER, "any.ts"),
        inputs: { in: "source/out" },
      }
      await using flow = new TestFlow({ source, rt: { operator } }, { graceMs: 100 })
      const run = await flow.running
      await flow.untilDaemon("has been in `onEvent` of operator `rt/loop`")
      run.stop()
      const result = await run.finished
      expect(result.stopped!.kill).toEqual(["rt"])
    },
    LIMIT_MS,
  )
})

needs("clang and wasm-ld", hasClang)(
  "a WebAssembly operator that does not return is named, and its node ended",
  async () => {
    const wasm = await buildWasm(join(FOLDER, "../../conformance/operators/probe.c"), folder)
    const end = await ends({ wasm, inputs: { loop: "source/out" } })
    const call = `\`dora_on_event\` of operator \`rt/op\` (${wasm})`
    expect([end.signal, end.during, end.ok]).toEqual(["SIGKILL", call, false])
    expect(end.said).toContain(`${call} did not return within 5 s: node rt is killed`)
  },
  LIMIT_MS,
)

describe("what can't be loaded is told before the dataflow starts, with file and place", () => {
  const write = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  test.each([
    ["a file that is missing", "typescript", () => "missing.ts", "there is no such file"],
    [
      "a syntax error",
      "typescript",
      () => write("syntax.ts", "export default class {\n  on(: }"),
      "syntax.ts:2:8",
    ],
    [
      "an error while it is loaded",
      "module",
      () => write("load.ts", "\nthrow new Error('no')"),
      "load.ts:2:",
    ],
    [
      "no class",
      "typescript",
      () => write("none.ts", "export const a = 1"),
      "it has no default export that is a class",
    ],
    [
      "no onEvent",
      "typescript",
      () => write("other.ts", "export default class {}"),
      "no class with a method `onEvent`",
    ],
    [
      "an error in the constructor",
      "typescript",
      () =>
        write(
          "make.ts",
          "export default class { constructor() { throw new Error('not now') } onEvent() {} }",
        ),
      "not now",
    ],
    ["a library that is missing", "shared-library", () => "missing", "/libmissing.so"],
    [
      "a library that is none",
      "shared-library",
      () => write("libtext.so", "text").replace("libtext.so", "text"),
      "libtext.so",
    ],
  ])(
    "%s",
    async (_, key, path, why) => {
      const text = await refused({ operator: { [key]: path() } })
      expect(text).toContain(why)
      expect(text).toMatch(/flow\.yml:1:\d+: /)
    },
    LIMIT_MS,
  )

  test(
    "all of them in one go",
    async () => {
      const operators = ["a", "b"].map((id) => ({ id, typescript: `${id}.ts` }))
      const text = await refused({ operators })
      expect(text).toContain("/a.ts")
      expect(text).toContain("/b.ts")
    },
    LIMIT_MS,
  )
})
