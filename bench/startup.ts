// How long `dora run` of the hello example takes until its first message has arrived.
//   bun bench/startup.ts [--json] [--rounds N]
import { join } from "node:path"
import { parseArgs } from "node:util"
import { table } from "../src/cli/table.ts"
import { median } from "./statistics.ts"
import { machineFacts } from "./support.ts"

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
  },
})
const ROOT = join(import.meta.dir, "..")
const DORA = join(ROOT, "src/cli/main.ts")
const FLOW = join(ROOT, "examples/hello/flow.yml")

/** Milliseconds until the process has printed a line with `text`; it is stopped then. */
async function until(command: string[], text: string): Promise<number> {
  const before = performance.now()
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "ignore", stdin: "ignore" })
  let seen = ""
  const decoder = new TextDecoder()
  for await (const bytes of child.stdout) {
    seen += decoder.decode(bytes, { stream: true })
    if (!seen.includes(text)) continue
    const elapsed = performance.now() - before
    child.kill()
    await child.exited
    return elapsed
  }
  throw new Error(`${command.join(" ")} ended without "${text}"`)
}

const bare: number[] = []
const hello: number[] = []
for (let round = 0; round < Number(flags.rounds); round++) {
  bare.push(await until([process.execPath, "-e", "console.log('ready')"], "ready"))
  hello.push(await until([process.execPath, DORA, "run", FLOW], "speech 0"))
}
const results = { helloMs: median(hello), bareBunMs: median(bare), rounds: hello }
if (flags.json) console.log(JSON.stringify({ machine: machineFacts(), results }))
else {
  const lines = table([
    ["start to first output", "ms"],
    ["dora run examples/hello, 3 nodes", results.helloMs.toFixed(0)],
    ["bun alone", results.bareBunMs.toFixed(0)],
  ])
  for (const line of lines) console.log(line)
}
