// The examples with Python do what their READMEs say.
import { expect } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { LogRecord } from "../../src/core/log.ts"
import { CARGO_LIMIT_MS, UNOPTIMIZED } from "../support/cargo.ts"
import { dora } from "../support/dora.ts"
import { ROOT } from "../support/install.ts"
import { withBoth } from "../support/official.ts"
import { wheelEnvironment, withWheel } from "./flow.ts"

/** What the nodes of an example have said. */
async function example(name: string, ...args: string[]) {
  const flow = `examples/${name}/flow.yml`
  const env = { ...(await wheelEnvironment()), ...UNOPTIMIZED }
  const limitMs = CARGO_LIMIT_MS
  const run = await dora(["run", flow, "--log-format", "json", ...args], { env, limitMs })
  expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining("error")])
  const lines = run.stdout.trimEnd().split("\n")
  const records = lines.map((line) => JSON.parse(line) as LogRecord)
  return (id: string) => records.filter(({ node }) => node === id).map(({ msg }) => msg)
}

withBoth(
  "mixed: a picture goes from TypeScript through numpy to Rust, and the disc is found",
  async () => {
    const said = await example("mixed", "--stop-after", "3s")
    expect(existsSync(join(ROOT, "examples/mixed/sink/target"))).toBe(false)
    const track = /^(·*)●(·*) picture \d+, the disc found within \d\.\d pixels$/
    const widths = said("sink").flatMap((line) => track.exec(line)?.slice(1).join("").length ?? [])
    expect(new Set(widths)).toEqual(new Set([39]))
    const last = said("sink").at(-1)!
    const [, pictures, worst] = /^(\d+) pictures, worst (\S+) pixels$/.exec(last)!
    expect(Number(pictures)).toBeGreaterThan(20)
    expect(Number(worst)).toBeLessThan(3)
  },
  CARGO_LIMIT_MS,
)

withWheel(
  "python-operator: two operators share a process, and find every peak",
  async () => {
    const said = await example("python-operator")
    const wanted = Array.from({ length: 20 }, (_, i) => `${i + 1} peaks in ${i + 1} periods`)
    expect(said("printer")).toEqual(wanted)
    expect(said("signal")).toEqual(["looked at 20 windows"])
  },
  60_000,
)
