// `dora run --hot-reload`: a saved file takes the place of the running operator.
import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TestFlow } from "../support/flow.ts"

const folder = mkdtempSync(join(tmpdir(), "dora-reload-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const LIMIT_MS = 30_000

/** An operator that counts its ticks over all versions, and prints its version with each. */
function version(text: string): string {
  return `import { suffix } from "./part.ts"; export default class {
  ticks = 0
  onEvent(event) {
    if (event.type === "INPUT") console.log(\`\${${text}}\${suffix} \${++this.ticks}\`)
  }
  saveState() { return { ticks: this.ticks } }
  restoreState(state) { this.ticks = state.ticks }
  drop() { console.log("dropped " + ${text}) }
}
`
}

test(
  "a save swaps the class and keeps its state; a broken one keeps the old class and says why",
  async () => {
    const file = join(folder, "op.ts")
    const part = join(folder, "part.ts")
    writeFileSync(file, version('"one"'))
    writeFileSync(part, 'export const suffix = "!"')
    const operator = { typescript: file, inputs: { tick: "dora/timer/millis/10" } }
    await using flow = new TestFlow({ rt: { operator } }, { hotReload: true })
    const line = (text: string) => flow.untilLine("rt", (said) => said.includes(text))
    await line("one! 2")

    writeFileSync(file, version('"two"'))
    await line("two! ")
    await line("dropped one")

    writeFileSync(file, "export default class {\n  onEvent(: {}\n}")
    const why = await line("not loaded anew")
    expect(why).toContain("op: not loaded anew, the version before goes on")
    expect(why).toContain(`${file}:2:`)
    const before = flow.said("rt").length
    await flow.until("rt", before + 3)
    expect(String(flow.said("rt").at(-1))).toStartWith("two! ")

    // As editors do it: another file takes the place of the old one.
    writeFileSync(join(folder, "new.ts"), version('"three"'))
    renameSync(join(folder, "new.ts"), file)
    await line("three! ")
    writeFileSync(part, 'export const suffix = "?"')
    await line("three? ")
    await flow.stop()

    const counts = flow
      .said("rt")
      .flatMap((said) => /^(?:one|two|three)[!?] (\d+)$/.exec(String(said))?.[1] ?? [])
    // Not one tick was counted twice or left out by a change of version.
    expect(counts).toEqual(counts.map((_, i) => String(i + 1)))
  },
  LIMIT_MS,
)

test(
  "without the flag a save changes nothing",
  async () => {
    const file = join(folder, "still.ts")
    writeFileSync(join(folder, "part.ts"), 'export const suffix = "!"')
    writeFileSync(file, version('"one"'))
    const operator = { typescript: file, inputs: { tick: "dora/timer/millis/10" } }
    await using flow = new TestFlow({ rt: { operator } })
    await flow.untilLine("rt", (said) => said === "one! 2")
    writeFileSync(file, version('"two"'))
    await flow.untilLine("rt", (said) => said === "one! 30")
    await flow.stop()
  },
  LIMIT_MS,
)
