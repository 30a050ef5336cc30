// The examples with Python do what their READMEs say.
import { expect } from "bun:test"
import type { LogRecord } from "../../src/core/log.ts"
import { dora } from "../support/dora.ts"
import { wheelEnvironment, withWheel } from "./flow.ts"

/** What the nodes of an example have said. */
async function example(name: string, ...args: string[]) {
  const flow = `examples/${name}/flow.yml`
  const env = await wheelEnvironment()
  const run = await dora(["run", flow, "--log-format", "json", ...args], { env })
  expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining("error")])
  const lines = run.stdout.trimEnd().split("\n")
  const records = lines.map((line) => JSON.parse(line) as LogRecord)
  return (id: string) => records.filter(({ node }) => node === id).map(({ msg }) => msg)
}

withWheel(
  "mixed: a picture goes from TypeScript through numpy to TypeScript, and the disc is found",
  async () => {
    const said = await example("mixed", "--stop-after", "3s")
    const last = said("viewer").at(-1)!
    const [, pictures, worst] = /^(\d+) pictures, worst (\S+) pixels$/.exec(last)!
    expect(Number(pictures)).toBeGreaterThan(20)
    expect(Number(worst)).toBeLessThan(3)
  },
  60_000,
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
