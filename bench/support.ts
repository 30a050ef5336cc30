// What the parts share: running a flow of benchmark nodes, and facts of the machine.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os"
import { join } from "node:path"
import manifest from "../package.json" with { type: "json" }
import { startDataflow } from "../src/daemon/run.ts"
import type { DataflowResult, EdgeReport, RunningDataflow } from "../src/daemon/types.ts"
import { parseDataflow } from "../src/descriptor/load.ts"
import { DoraError } from "../src/core/errors.ts"
import type { WaitMode } from "../src/shm/plan.ts"
import type { Machine } from "./result.ts"

/** A node of a benchmark flow, as in a dataflow file; paths are those of bench/nodes. */
export type BenchNode = {
  id: string
  path?: string
  operator?: Record<string, unknown>
  operators?: Record<string, unknown>[]
  env?: Record<string, string>
  inputs?: Record<string, unknown>
  outputs?: string[]
}

/** What a node printed as one line of JSON. */
export type Printed = { node: string } & Record<string, unknown>

/** What came of a flow. */
export type FlowRun = { printed: Printed[]; result: DataflowResult; edges: EdgeReport[] }

/** A flow that is running, for who looks at it meanwhile. */
export type Watch = (running: RunningDataflow, printed: readonly Printed[]) => Promise<void>

/** A flow of benchmark nodes came to a bad end. */
export class BenchmarkFailedError extends DoraError {
  constructor(what: string, why: string) {
    super("BENCHMARK_FAILED", {
      what,
      why: why || undefined,
      fix: "run it again; if it fails again, report it with these lines",
    })
  }
}

/**
 * Runs a flow of benchmark nodes to its end.
 *
 * @param watch  is called while it runs
 * @throws BenchmarkFailedError  with what the nodes said
 * @example (await runFlow([{ id: "a", path: "source.ts", outputs: ["data"] }], "adaptive")).edges
 */
export async function runFlow(
  nodes: BenchNode[],
  wait: WaitMode = "adaptive",
  watch?: Watch,
): Promise<FlowRun> {
  const flow = parseDataflow(
    JSON.stringify({ nodes }),
    join(import.meta.dir, "nodes", "benchmark.yml"),
  )
  const printed: Printed[] = []
  const other: string[] = []
  const running = await startDataflow(flow, {
    wait,
    outDir: scratch(),
    listener: (event) => {
      if (event.type !== "log" || event.record.node === null) return
      const { node, msg } = event.record
      if (msg.startsWith("{")) printed.push({ node, ...JSON.parse(msg) })
      else other.push(`${node}: ${msg}`)
    },
  })
  await watch?.(running, printed)
  const result = await running.finished
  if (!result.ok) {
    throw new BenchmarkFailedError(
      `the node ${result.firstFailure?.node ?? "?"} of a benchmark failed`,
      other.slice(-10).join("\n"),
    )
  }
  return { printed, result, edges: result.edges }
}

let folder: string | null = null

/** A folder for what a run makes on its way; gone when the process ends. */
export function scratch(): string {
  if (folder === null) {
    folder = mkdtempSync(join(tmpdir(), "dora-bench-"))
    process.once("exit", discardScratch)
  }
  return folder
}

/** Removes that folder earlier: a process of `bun test` tells nobody that it ends. */
export function discardScratch(): void {
  if (folder !== null) rmSync(folder, { recursive: true, force: true })
  folder = null
}

/** A size as dora's benchmark names it: 4096 is "4 KB", 4 096 000 is "4 MB". */
export function sizeName(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1_000_000
    ? `${Math.floor(bytes / 1024)} KB`
    : `${Math.floor(bytes / 1_024_000)} MB`
}

/** The sizes of dora's own benchmark, and one more step upwards. */
export const SIZES: readonly number[] = [
  0, 8, 64, 512, 2048, 4096, 16_384, 40_960, 409_600, 4_096_000, 40_960_000,
]

/** What a reader must know of the machine to compare figures. */
export function machineFacts(): Machine {
  const cores = cpus()
  return {
    date: new Date().toISOString(),
    cpu: cores[0]?.model ?? "unknown",
    cores: cores.length,
    usable: /Cpus_allowed_list:\s*(\S+)/.exec(readIfThere("/proc/self/status"))?.[1] ?? null,
    virtual: /^flags\b.*\bhypervisor\b/m.test(readIfThere("/proc/cpuinfo")) ? "yes" : "no",
    governor:
      readIfThere("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").trim() || "not visible",
    memoryBytes: totalmem(),
    kernel: release(),
    bun: Bun.version,
    doraBun: manifest.version,
    load: Math.round(loadavg()[0]! * 100) / 100,
  }
}

/** Processor time so far in ticks of 10 ms. */
export type Ticks = {
  /** Of all cores together, idle or not. */
  all: number
  /** Used by programs other than this one and the processes it started and saw end. */
  others: number
  /** Taken from this machine by others on its host. */
  stolen: number
}

/** Reads what the processors have done so far. */
export function readTicks(): Ticks {
  const [line = ""] = readIfThere("/proc/stat").split("\n")
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft = 0, stolen = 0] =
    line.split(/\s+/).slice(1).map(Number)
  const busy = user + nice + system + irq + soft
  // After the name in parentheses; from the 14th of all: own user and system time, and that of children.
  const stat = readIfThere("/proc/self/stat")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const own = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return { all: busy + idle + waiting + stolen, others: busy - own, stolen }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
