// Shared libraries as a dataflow runs them: with the real runtime, rings and processes.
import { afterAll, beforeAll, describe, expect } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type NodeText, TestFlow } from "../support/flow.ts"
import { cargo, CARGO_LIMIT_MS, testCrates } from "../support/cargo.ts"
import { buildC, hasCc } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"

const LIMIT_MS = 30_000
const folder = mkdtempSync(join(tmpdir(), "dora-bun-operators-"))
/** Libraries as a dataflow file names them. */
const sources: Record<string, string> = {}

beforeAll(async () => {
  for (const source of hasCc ? ["probe.c", "probe.cpp"] : []) {
    await buildC(source, folder)
    sources[source] = join(folder, source.replace(".", "-"))
  }
  const built = cargo ? await testCrates() : null
  for (const name of built ? ["v1", "v0", "daemons", "teardown"] : []) {
    sources[name] = join(built!, `native_${name}`)
  }
}, CARGO_LIMIT_MS)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withCc = needs("cc", hasCc)
const withCargo = needs("cargo", cargo !== null)
const holding = (source: string) => ({ source, queue_policy: "backpressure" })
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

function library(
  name: string,
  inputs: Record<string, unknown>,
  outputs = ["out", "log"],
): NodeText {
  return { operator: { "shared-library": sources[name], inputs, outputs } }
}

type Said = { values: unknown[]; parameters: Record<string, unknown>; type: string }

async function run(nodes: Record<string, NodeText>, failing: string[] = []) {
  await using flow = new TestFlow(nodes)
  const result = await flow.end({ failing })
  const of = (id: string) => result.nodes.find(({ node }) => node === id)!
  return { result, of, said: (id: string) => flow.said(id) as Said[] }
}

describe("messages", () => {
  for (const name of ["probe.c", "v1", "v0"]) {
    const withLibrary = name === "probe.c" ? withCc : withCargo
    withLibrary(
      `pass through ${name} in order, with the context that every output of an operator carries`,
      async () => {
        const dropped = join(folder, `dropped-${name}`)
        const { said } = await run({
          source: { run: "count 200", outputs: ["out"] },
          op: {
            ...library(name, { echo: holding("source/out") }),
            env: { PROBE_DROPPED: dropped },
          },
          sink: { run: "print", inputs: { in: holding("op/op/out") } },
        })
        const heard = said("sink")
        expect(heard.map(({ values }) => values[0])).toEqual(upTo(200))
        expect(heard[0]!.type).toBe("Uint32")
        expect(heard[0]!.parameters).toEqual({ open_telemetry_context: "" })
        // 200 messages and the end of the input; as officially, no stop follows that.
        expect(readFileSync(dropped, "utf8")).toBe("dropped after 201 events")
      },
      LIMIT_MS,
    )
  }

  withCargo(
    "pass from library to library in one process and between processes, large ones too",
    async () => {
      const echo = (id: string, source: string, from: string) => {
        return {
          id,
          "shared-library": sources[source],
          inputs: { echo: holding(from) },
          outputs: ["out"],
        }
      }
      const { said, result } = await run({
        source: { run: "large x", outputs: ["out"] },
        near: { operators: [echo("a", "v1", "source/out"), echo("b", "probe.c", "near/a/out")] },
        far: { operators: [echo("c", "v0", "near/b/out")] },
        sink: { run: "print", inputs: { in: holding("far/c/out") } },
      })
      const expected = upTo(7).map((i) => (i === 6 ? [10, 6] : [100_000, i]))
      expect(said("sink").map(({ values }) => values)).toEqual(expected)
      for (const edge of result.edges) expect([edge.to, edge.dropped]).toEqual([edge.to, 0])
    },
    LIMIT_MS,
  )

  withCargo(
    "of the teardown style, 20 of 512 KiB at once, arrive while the operator leaves",
    async () => {
      const { said } = await run({
        source: { run: "count 3", outputs: ["out"] },
        burst: library("teardown", { tick: holding("source/out") }, ["data"]),
        sink: { run: "print", inputs: { in: holding("burst/op/data") } },
      })
      expect(said("sink").map(({ values }) => values[0])).toEqual(
        Array.from({ length: 60 }, () => 512 * 1024),
      )
    },
    LIMIT_MS,
  )

  withCargo(
    "of the reporter follow a timer",
    async () => {
      await using flow = new TestFlow({
        source: { run: "count 1", outputs: ["out"] },
        reporter: library("daemons", { tick: "dora/timer/millis/10" }, ["status"]),
      })
      await flow.running
      expect((await flow.stop()).ok).toBe(true)
    },
    LIMIT_MS,
  )
})

describe("ends", () => {
  withCargo(
    "an error names the operator, the library, its place and the function",
    async () => {
      const { of } = await run(
        {
          source: { run: "count 1", outputs: ["out"] },
          op: library("v1", { fail: "source/out" }),
        },
        ["op"],
      )
      const text = of("op").stderrTail.join("\n")
      expect(text).toContain("operator `op/op`")
      expect(text).toContain("libnative_v1.so")
      expect(text).toMatch(/flow\.yml:\d+:\d+/)
      expect(text).toContain("`dora_on_event` returned an error: the operator says no")
    },
    LIMIT_MS,
  )

  withCc(
    "a crash, an abort and an exit end their runtime and nobody else, and are told with operator, library and function",
    async () => {
      for (const [input, ending] of [
        ["segfault", "SIGSEGV"],
        ["abort", "SIGABRT"],
        ["exit", 7],
      ] as const) {
        const { of, said } = await run(
          {
            source: { run: "count 30", outputs: ["out"], env: { PAUSE_MS: 5 } },
            op: library("probe.c", { [input]: "source/out" }),
            sink: { run: "print", inputs: { in: holding("source/out"), gone: "op/op/out" } },
          },
          ["op"],
        )
        const { exitCode, signal, during } = of("op")
        expect(during).toBe(
          `\`dora_on_event\` of operator \`op/op\` (${join(folder, "libprobe-c.so")})`,
        )
        expect(signal ?? exitCode).toBe(ending)
        expect(said("sink").length).toBe(30)
      }
    },
    LIMIT_MS,
  )

  withCc(
    "a missing library is told before anything runs",
    async () => {
      await using flow = new TestFlow({
        source: { run: "count 1", outputs: ["out"] },
        op: {
          operator: { "shared-library": join(folder, "nothing"), inputs: { in: "source/out" } },
        },
      })
      const error = await flow.running.catch((e: Error) => e.message)
      expect(error).toContain("libnothing.so")
      expect(error).toMatch(/flow\.yml:\d+:\d+/)
    },
    LIMIT_MS,
  )
})
