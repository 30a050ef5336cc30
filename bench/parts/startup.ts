import { join } from "node:path"
import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import { BenchmarkFailedError, scratch } from "../support.ts"

const ROOT = join(import.meta.dir, "../..")
const DORA = join(ROOT, "src/cli/main.ts")
const FIRST = join(ROOT, "bench/nodes/first.ts")
const COUNTS = [1, 10, 50]
const NOW = "console.log(JSON.stringify({ at: performance.timeOrigin + performance.now() }))"

/** From the command to the first message, and what of it is Arrow that nobody asked for. */
export const startupPart: Part = {
  name: "startup",
  about:
    "from `dora run` to the first message, beside as many bare `bun -e`, and what apache-arrow adds",
  run: (context) => measure(context, "startup", [...selection(context).map(toCase), withoutArrow]),
}

function selection({ extent }: Context): number[] {
  return COUNTS.slice(0, { quick: 1, default: 2, full: 3 }[extent])
}

function toCase(count: number): Case {
  return {
    name: `dora run to the first message, ${count} ${count === 1 ? "node" : "nodes"}`,
    unit: "ns",
    better: "lower",
    peer: { name: `${count} × bun -e`, take: () => bare(count) },
    take: () => firstMessage(count),
  }
}

/** What a node that asks for no Vector is spared: its imports, beside the same with apache-arrow. */
const withoutArrow: Case = {
  name: "bun with dora-bun imported, no Vector asked for",
  unit: "ns",
  better: "lower",
  peer: { name: "with apache-arrow", take: () => imports("dora-bun", "apache-arrow") },
  take: () => imports("dora-bun"),
}

/** The first node sends to all, itself included: the barrier has waited for every one of them. */
async function firstMessage(count: number): Promise<Take> {
  const nodes = Array.from({ length: count }, (_, i) => ({
    id: `node${i}`,
    path: FIRST,
    inputs: { data: "node0/data" },
    outputs: i === 0 ? ["data"] : [],
  }))
  const file = join(scratch(), `startup-${count}.yml`)
  await Bun.write(file, JSON.stringify({ nodes }))
  const start = now()
  const lines = await linesOf([process.execPath, DORA, "run", file, "--log-format", "json"])
  const times = lines.flatMap((line) => {
    const { msg } = JSON.parse(line) as { msg?: string }
    return msg?.startsWith("{") ? [(JSON.parse(msg) as { at: number }).at - start] : []
  })
  if (times.length !== count) {
    throw new BenchmarkFailedError(`${times.length} of ${count} nodes got a message`, "")
  }
  return { value: Math.min(...times) * 1e6, figures: { "all have one": Math.max(...times) * 1e6 } }
}

/** Until the last of so many processes runs its program. */
async function bare(count: number): Promise<Take> {
  const start = now()
  const command = [process.execPath, "-e", NOW]
  const said = await Promise.all(Array.from({ length: count }, () => linesOf(command)))
  const times = said.map(([line]) => (JSON.parse(line!) as { at: number }).at - start)
  return { value: Math.max(...times) * 1e6 }
}

/** Until a process that imports these runs its program. */
async function imports(...modules: string[]): Promise<Take> {
  const program = [...modules.map((name) => `import "${name}"`), NOW].join("\n")
  const start = now()
  const [line] = await linesOf([process.execPath, "-e", program])
  return { value: ((JSON.parse(line!) as { at: number }).at - start) * 1e6 }
}

/** Milliseconds since 1970, to the microsecond: the same for all processes. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Runs a command to its end. */
async function linesOf(command: string[]): Promise<string[]> {
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new BenchmarkFailedError(`${command[1]} failed`, errors)
  return out.trim().split("\n")
}
