// The example "mixed" does what its README says.
import { expect } from "bun:test"
import { withWheel, wheelEnvironment } from "./flow.ts"
import { ROOT } from "../support/install.ts"
import { join } from "node:path"

withWheel(
  "mixed: a picture goes from TypeScript through numpy to TypeScript, and the disc is found",
  async () => {
    const cli = join(ROOT, "src/cli/main.ts")
    const flow = join(ROOT, "examples/mixed/flow.yml")
    const command = [
      process.execPath,
      cli,
      "run",
      flow,
      "--stop-after",
      "3s",
      "--log-format",
      "json",
    ]
    const env = { ...process.env, ...(await wheelEnvironment()) }
    const child = Bun.spawn(command, { env, stdout: "pipe", stderr: "inherit" })
    const text = await new Response(child.stdout).text()
    expect(await child.exited).toBe(0)
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    const last = lines.filter(({ node }) => node === "viewer").at(-1)!.msg as string
    const [, pictures, worst] = /^(\d+) pictures, worst (\S+) pixels$/.exec(last)!
    expect(Number(pictures)).toBeGreaterThan(20)
    expect(Number(worst)).toBeLessThan(3)
  },
  60_000,
)
