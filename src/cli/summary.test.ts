import { expect, test } from "bun:test"
import type { DataflowResult, NodeResult } from "../daemon/types.ts"
import { failureReport } from "./failure.ts"
import { summaryJson, summaryLines } from "./summary.ts"

const edge: DataflowResult["edges"][number] = {
  from: "camera/image",
  to: "plot/image",
  kind: "output",
  queueSize: 10,
  sent: 240,
  taken: 235,
  dropped: 5,
  queued: 0,
  highWater: 10,
  waited: 0,
  bytes: 221_184_000,
  copiedBytes: 0,
  seconds: 8,
  samples: 235,
  latencyP50Us: 12.34,
  latencyP90Us: 20,
  latencyP99Us: null,
  latencyP999Us: null,
  latencyMaxUs: null,
}

function node(name: string, parts: Partial<NodeResult> = {}): NodeResult {
  return {
    node: name,
    ok: true,
    exitCode: 0,
    signal: null,
    cause: "exit",
    causedBy: null,
    command: ["bun", `${name}.ts`],
    stderrTail: [],
    durationMs: 1500,
    ...parts,
  }
}

function result(parts: Partial<DataflowResult> = {}): DataflowResult {
  return {
    id: "flow-1",
    ok: true,
    nodes: [],
    firstFailure: null,
    edges: [edge],
    stopped: null,
    durationMs: 8000,
    ...parts,
  }
}

test("the table shows one row an edge in readable units", () => {
  expect(summaryLines(result(), false)).toEqual([
    "",
    "edge                       messages    rate   bytes  dropped      p50  p99",
    "camera/image → plot/image       240  30.0/s  221 MB        5  12.3 µs    -",
    "ran 8.00 s",
  ])
})

test("as JSON it is one line with everything in it", () => {
  const line = summaryJson(result())
  expect(line).not.toContain("\n")
  expect(JSON.parse(line)).toMatchObject({ type: "summary", ok: true, edges: [edge] })
})

test("a failure report starts with the first node that failed, then counts what followed", () => {
  const first = node("b", { ok: false, exitCode: 3, stderrTail: ["Error: no camera", "  at b.ts"] })
  const nodes = [
    node("a"),
    first,
    node("c", { ok: false, exitCode: 1, cause: "cascade", causedBy: "b" }),
    node("d", { ok: false, exitCode: 1, cause: "cascade", causedBy: "b" }),
    node("e", { ok: false, exitCode: null, signal: "SIGSEGV", cause: "signal" }),
  ]
  expect(failureReport(result({ ok: false, nodes, firstFailure: first })).split("\n")).toEqual([
    "node b failed: exited with code 3",
    "  command: bun b.ts",
    "  after: 1.50 s",
    "  stderr:",
    "    Error: no camera",
    "      at b.ts",
    "2 more nodes failed as a consequence: c, d",
    "node e failed as well: killed by SIGSEGV",
  ])
})
