// The example with an operator of every kind in one process, built and run as its README says.
import { expect } from "bun:test"
import type { LogRecord } from "../../src/core/log.ts"
import type { EdgeReport } from "../../src/daemon/counters.ts"
import { dora } from "../support/dora.ts"
import { cargo, CARGO_LIMIT_MS, UNOPTIMIZED } from "../support/cargo.ts"
import { hasCc } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"
import { hasClang } from "../support/wasm.ts"

/** The same computation, here. */
function peakOf(number: number): number {
  const window = Array.from({ length: 64 }, (_, i) => {
    return Math.fround((number * Math.sin(i / 10)) / 20 + (i % 8 === 0 ? 0.5 : 0))
  })
  const smooth = window.map((_, i) => {
    const around = window.slice(Math.max(0, i - 4), i + 5)
    return around.reduce((sum, value) => sum + value, 0) / around.length
  })
  return Math.min(1, 2 * Math.max(...smooth))
}

needs("cc, clang and cargo", hasCc && hasClang && cargo !== null)(
  "operators: C, WebAssembly, Rust and TypeScript pass windows on in one process",
  async () => {
    const run = await dora(["run", "examples/operators/flow.yml", "--log-format", "json"], {
      env: UNOPTIMIZED,
      limitMs: CARGO_LIMIT_MS,
    })
    expect(run.stderr).not.toContain("error")
    expect(run.code).toBe(0)
    const lines = run.stdout.trimEnd().split("\n")
    const entries = lines.map((line) => JSON.parse(line))
    const { edges } = entries.pop() as { edges: EdgeReport[] }
    const said = (entries as LogRecord[]).filter((r) => r.node === "printer").map((r) => r.msg)
    const expected = Array.from({ length: 20 }, (_, i) => {
      const peak = peakOf(i + 1)
      const verdict = peak >= 1 ? "clipped" : peak > 0.5 ? "loud" : "quiet"
      return `window ${i + 1}: peak ${peak.toFixed(3)}, ${verdict}`
    })
    expect(said).toEqual(expected)
    expect(edges).toHaveLength(5)
    for (const { sent, taken, dropped } of edges)
      expect([sent, taken, dropped]).toEqual([20, 20, 0])
  },
  CARGO_LIMIT_MS,
)
