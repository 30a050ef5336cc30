import { defineCommand } from "citty"
import { suggest } from "../core/suggest.ts"
import { FLOW_FLAGS, flowCommand, refuseFlags } from "./bench-flow.ts"
import { type Flags, UsageError } from "./flags.ts"

/** Extents of a run, and how many rounds each has when nobody says. */
const DEFAULT_ROUNDS = 5
const QUICK_ROUNDS = 2
const MAX_ROUNDS = 1000

/** `dora bench`: measures the machine, the data plane and its peers, or a dataflow; `--compare` tells two results apart. */
export const bench = defineCommand({
  meta: {
    name: "bench",
    description: "Measure this machine or a dataflow, or compare two results",
  },
  args: {
    file: {
      type: "positional",
      required: false,
      valueHint: "flow.yml",
      description: "a dataflow to measure; with --compare the first result, a.json",
    },
    other: { type: "positional", required: false, valueHint: "b.json", description: "the second" },
    ...FLOW_FLAGS,
    part: {
      type: "string",
      valueHint: "name,name",
      description: "only these parts: latency, throughput, …; repeatable",
    },
    rounds: { type: "string", valueHint: "number", description: "rounds of each row (default 5)" },
    full: { type: "boolean", description: "all parts, all sizes, peers: about an hour" },
    quick: { type: "boolean", description: "a glance: does everything work? Figures mean little" },
    peers: { type: "boolean", description: "other transports beside ours, those installed" },
    compare: { type: "boolean", description: "compare two results: a.json with b.json" },
    threshold: {
      type: "string",
      valueHint: "percent",
      description: "with --compare: a change within this counts as none (default 5)",
    },
    html: { type: "boolean", description: "also write a page with pictures" },
    csv: { type: "boolean", description: "also write the rows of dora's own benchmarks" },
    json: { type: "boolean", description: "print the result as JSON instead of tables" },
    out: { type: "string", valueHint: "folder", description: "default bench-results" },
  },
  async run({ data }) {
    const flags = data as Flags
    if (is(flags, "compare")) return compareCommand(flags)
    if (flags.positionals.length > 0) return flowCommand(flags)
    return suiteCommand(flags)
  },
})

async function suiteCommand(flags: Flags): Promise<number> {
  refuseFlags(flags, Object.keys(FLOW_FLAGS), "goes with a dataflow: dora bench flow.yml")
  if (is(flags, "quick") && is(flags, "full"))
    throw new UsageError("--quick and --full exclude each other")
  if (flags.values.has("threshold")) throw new UsageError("--threshold goes with --compare")
  const extent = is(flags, "quick") ? "quick" : is(flags, "full") ? "full" : "default"
  const rounds = roundsFlag(flags, extent === "quick" ? QUICK_ROUNDS : DEFAULT_ROUNDS)
  const { PARTS } = await import("../../bench/suite.ts")
  const parts = partsFlag(
    flags,
    PARTS.map((part) => part.name),
  )
  const { runBench } = await import("../../bench/command.ts")
  return runBench(
    { extent, rounds, parts, peers: is(flags, "peers") },
    {
      folder: last(flags, "out") ?? "bench-results",
      json: is(flags, "json"),
      html: is(flags, "html"),
      csv: is(flags, "csv"),
    },
  )
}

async function compareCommand(flags: Flags): Promise<number> {
  const [before, after] = flags.positionals
  if (before === undefined || after === undefined) {
    throw new UsageError("--compare needs two results", "dora bench --compare a.json b.json")
  }
  const threshold = Number(last(flags, "threshold") ?? "5")
  if (!(threshold >= 0)) {
    throw new UsageError(
      `--threshold ${last(flags, "threshold")}: not a percentage`,
      "write --threshold 10 for changes of up to a tenth",
    )
  }
  const { runCompare } = await import("../../bench/command.ts")
  return runCompare(before, after, { threshold: 1 + threshold / 100, json: is(flags, "json") })
}

function is(flags: Flags, name: string): boolean {
  return last(flags, name) === "true"
}

function last(flags: Flags, name: string): string | undefined {
  return flags.values.get(name)?.at(-1)
}

function roundsFlag(flags: Flags, fallback: number): number {
  const text = last(flags, "rounds")
  if (text === undefined) return fallback
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_ROUNDS) return Number(text)
  throw new UsageError(
    `--rounds ${text}: not a number of rounds`,
    `1 to ${MAX_ROUNDS}; intervals need 5 and more`,
  )
}

function partsFlag(flags: Flags, names: readonly string[]): string[] | undefined {
  const wanted = flags.values.get("part")?.flatMap((text) => text.split(","))
  const unknown = wanted?.find((name) => !names.includes(name))
  if (unknown === undefined) return wanted
  const near = suggest(unknown, names)
  const all = `the parts are: ${names.join(", ")}`
  throw new UsageError(
    `--part ${unknown}: no such part`,
    near ? `did you mean ${near}? (${all})` : all,
  )
}
