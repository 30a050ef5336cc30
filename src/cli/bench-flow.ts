// `dora bench flow.yml`: what its flags mean.
import type { ArgsDef } from "citty"
import type { WaitMode } from "../shm/plan.ts"
import { durationFlag, envFlag, type Flags, UsageError } from "./flags.ts"

const DEFAULT_DURATION_MS = 10_000
const DEFAULT_WARM_UP_MS = 1000

/** Flags that make sense for a dataflow only. */
export const FLOW_FLAGS = {
  duration: {
    type: "string",
    valueHint: "duration",
    description: "how long a dataflow is measured (default 10s)",
  },
  "warm-up": {
    type: "string",
    valueHint: "duration",
    description: "how long it runs before that (default 1s)",
  },
  wait: {
    type: "enum",
    options: ["busy", "adaptive", "park"],
    description: "how its nodes wait (default adaptive)",
  },
  env: { type: "string", valueHint: "KEY=VALUE", description: "for its nodes; repeatable" },
} as const satisfies ArgsDef

/** Flags of the suite, which measures in ways of its own. */
const SUITE_FLAGS = ["part", "rounds", "full", "quick", "peers", "csv", "threshold"]

/**
 * Measures the dataflow that the command line names.
 *
 * @throws UsageError, DescriptorError, DoraError
 */
export async function flowCommand(flags: Flags): Promise<number> {
  const [file, other] = flags.positionals
  if (other !== undefined || file!.endsWith(".json")) {
    throw new UsageError(
      `unexpected argument ${other ?? file}`,
      "two results are compared with --compare a.json b.json",
    )
  }
  refuseFlags(flags, SUITE_FLAGS, "does not go with a dataflow")
  const durationMs = durationFlag(flags, "duration") ?? DEFAULT_DURATION_MS
  if (durationMs === 0) throw new UsageError("--duration 0: there is nothing to measure in no time")
  const run = {
    wait: flags.values.get("wait")?.at(-1) as WaitMode | undefined,
    env: envFlag(flags),
  }
  const { loadDataflow } = await import("../descriptor/index.ts")
  const flow = await loadDataflow(file!)
  const { runFlowBench } = await import("../../bench/flow-command.ts")
  return runFlowBench(
    flow,
    { durationMs, warmUpMs: durationFlag(flags, "warm-up") ?? DEFAULT_WARM_UP_MS, run },
    {
      folder: flags.values.get("out")?.at(-1) ?? "bench-results",
      json: flags.values.get("json")?.at(-1) === "true",
      html: flags.values.get("html")?.at(-1) === "true",
      csv: false,
    },
  )
}

/** Refuses flags that say nothing here. @throws UsageError */
export function refuseFlags(flags: Flags, names: readonly string[], why: string): void {
  const given = names.find((name) => flags.values.has(name))
  if (given !== undefined) throw new UsageError(`--${given} ${why}`)
}
