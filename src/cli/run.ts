import { defineCommand } from "citty"
import { LOG_LEVELS, type LogLevel } from "../core/log.ts"
import type { RunOptions } from "../daemon/types.ts"
import type { WaitMode } from "../shm/plan.ts"
import { durationFlag, envFlag, type Flags } from "./flags.ts"
import { LOG_FORMATS, type LogFormat } from "./log-line.ts"

const WAIT_MODES = ["busy", "adaptive", "park"]

/** `dora run flow.yml`: runs a dataflow in this process until it has finished or is stopped. */
export const run = defineCommand({
  meta: { name: "run", description: "Run a dataflow, with its daemon, in this process" },
  args: {
    dataflow: { type: "positional", valueHint: "flow.yml", description: "dataflow file" },
    "stop-after": {
      type: "string",
      valueHint: "duration",
      description: "stop after this time: 10s, 500ms, 1h30m",
    },
    "exit-when-nodes-finish": {
      type: "boolean",
      description: "timers keep no node alive once its data inputs have closed",
    },
    "hot-reload": {
      type: "boolean",
      description: "load operators in TypeScript and WebAssembly anew when their file is saved",
    },
    wait: {
      type: "enum",
      options: WAIT_MODES,
      description: "how nodes wait: poll always, poll while it pays (default), sleep at once",
    },
    "log-format": {
      type: "enum",
      options: [...LOG_FORMATS],
      description: "how log lines look (default pretty)",
    },
    "log-level": {
      type: "enum",
      options: [...LOG_LEVELS],
      description: "least serious line that is shown (default stdout: everything)",
    },
    uv: { type: "boolean", description: "run Python nodes by `uv run`" },
    "allow-shell-nodes": {
      type: "boolean",
      description: "run nodes with `path: shell`, whose `args` are a command line",
    },
    env: { type: "string", valueHint: "KEY=VALUE", description: "for every node; repeatable" },
    "grace-duration": {
      type: "string",
      valueHint: "duration",
      description: "between the Stop event and SIGTERM (default 10s)",
    },
  },
  async run({ data }) {
    const flags = data as Flags
    const options = runOptions(flags)
    const { loadDataflow } = await import("../descriptor/index.ts")
    const { runSession } = await import("./session.ts")
    const flow = await loadDataflow(flags.positionals[0]!)
    return runSession(flow, options, {
      format: (last(flags, "log-format") ?? "pretty") as LogFormat,
      level: (last(flags, "log-level") ?? "stdout") as LogLevel,
    })
  },
})

/** What the flags say, in the daemon's terms. */
function runOptions(flags: Flags): RunOptions {
  const finish = last(flags, "exit-when-nodes-finish")
  return {
    stopAfterMs: durationFlag(flags, "stop-after"),
    exitWhenNodesFinish: finish === undefined ? undefined : finish === "true",
    hotReload: last(flags, "hot-reload") === "true",
    wait: last(flags, "wait") as WaitMode | undefined,
    uv: last(flags, "uv") === "true",
    allowShellNodes: last(flags, "allow-shell-nodes") === "true" ? true : undefined,
    env: envFlag(flags),
    graceMs: durationFlag(flags, "grace-duration"),
  }
}

function last(flags: Flags, name: string): string | undefined {
  return flags.values.get(name)?.at(-1)
}
