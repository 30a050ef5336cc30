// What the benchmarks share: running a flow of benchmark nodes, the C floor, facts of the machine, medians.
import { cpus, loadavg, release } from "node:os"
import { join } from "node:path"
import { startDataflow } from "../src/daemon/run.ts"
import type { EdgeReport } from "../src/daemon/edges.ts"
import type { DataflowResult } from "../src/daemon/types.ts"
import { parseDataflow } from "../src/descriptor/load.ts"
import type { WaitMode } from "../src/shm/plan.ts"

/** One node of a benchmark flow, as in a dataflow file. */
export type BenchNode = {
  id: string
  path: string
  env?: Record<string, string>
  inputs?: Record<string, unknown>
  outputs?: string[]
}

/** Runs a flow to its end. @returns the JSON objects that its nodes printed, and the result */
export async function runFlow(
  nodes: BenchNode[],
  wait: WaitMode,
): Promise<{ printed: Record<string, number>[]; result: DataflowResult; edges: EdgeReport[] }> {
  const file = join(import.meta.dir, "nodes", "bench.yml")
  const flow = await parseDataflow(JSON.stringify({ nodes }), file)
  const printed: Record<string, number>[] = []
  const other: string[] = []
  const run = await startDataflow(flow, {
    wait,
    outDir: join(process.env.TMPDIR ?? "/tmp", `dora-bun-bench-${process.pid}`),
    listener: (event) => {
      if (event.type !== "log" || event.record.node === null) return
      if (event.record.msg.startsWith("{")) printed.push(JSON.parse(event.record.msg))
      else other.push(event.record.msg)
    },
  })
  const result = await run.finished
  if (!result.ok) throw new Error(`the flow failed:\n${other.join("\n")}`)
  return { printed, result, edges: result.edges }
}

/** Round trip times of the C floor in nanoseconds. */
export type Floor = { p50: number; p90: number; p99: number; p999: number; min: number }

let floorProgram: string | null | undefined

/** Compiles bench/floor.c once; null without a C compiler. */
function compileFloor(): string | null {
  const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang")
  if (!compiler) return null
  const program = join(process.env.TMPDIR ?? "/tmp", `dora-bun-floor-${process.pid}`)
  const done = Bun.spawnSync([compiler, "-O2", "-o", program, join(import.meta.dir, "floor.c")])
  return done.success ? program : null
}

/** Takes the C floor by one way of waiting; null without a C compiler. */
export function floor(mode: "spin" | "futex" | "pipe" | "unix", rounds: number): Floor | null {
  if (floorProgram === undefined) floorProgram = compileFloor()
  if (floorProgram === null) return null
  const done = Bun.spawnSync([floorProgram, mode, String(rounds)])
  return JSON.parse(done.stdout.toString())
}

/** Removes the compiled floor. */
export function cleanUp(): void {
  if (floorProgram)
    Bun.spawnSync([
      "rm",
      "-rf",
      floorProgram,
      `${process.env.TMPDIR ?? "/tmp"}/dora-bun-bench-${process.pid}`,
    ])
}

/** The middle value. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** What a reader must know to compare figures. */
export function machineFacts() {
  const cores = cpus()
  return {
    date: new Date().toISOString(),
    cpu: cores[0]?.model ?? "unknown",
    cores: cores.length,
    kernel: release(),
    bun: Bun.version,
    load: loadavg()[0],
  }
}

/** Writes rows as an aligned table. */
export function printTable(rows: Record<string, string | number>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const width = (c: string) => Math.max(c.length, ...rows.map((r) => String(r[c]).length))
  const line = (cells: string[]) =>
    cells
      .map((t, i) => (i === 0 ? t.padEnd(width(columns[i]!)) : t.padStart(width(columns[i]!))))
      .join("  ")
  console.log(line(columns))
  for (const row of rows) console.log(line(columns.map((c) => String(row[c]))))
}
