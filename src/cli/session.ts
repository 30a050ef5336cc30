// One `dora run` as a person sees it: lines while it runs, keys and signals, the table and the failure at the end.
import { readlinkSync } from "node:fs"
import { type LogLevel, type LogRecord, passes } from "../core/log.ts"
import { startDataflow } from "../daemon/index.ts"
import type { DataflowResult, RunningDataflow, RunOptions } from "../daemon/types.ts"
import type { Dataflow } from "../descriptor/types.ts"
import { wantsColor } from "./color.ts"
import { failureReport } from "./failure.ts"
import { listenToKeys } from "./keys.ts"
import { type LogFormat, logLines } from "./log-line.ts"
import { type Output, standardOutput } from "./output.ts"
import { showWarnings } from "./report.ts"
import { say } from "./say.ts"
import { StopRequests } from "./stop-signals.ts"
import { summaryJson, summaryLines } from "./summary.ts"

/** Environment variable that tells nodes which terminal the person looks at: its device, as `/dev/pts/3`. */
export const TERMINAL_VARIABLE = "DORA_BUN_TTY"

/** What of the log is shown, and how. */
export type View = { format: LogFormat; level: LogLevel }

/**
 * Runs a dataflow to its end and shows it; the exit code: 0 if all went well, else 1.
 *
 * @throws DoraError  the dataflow could not be started
 */
export async function runSession(flow: Dataflow, options: RunOptions, view: View): Promise<number> {
  showWarnings(flow)
  const giveUp = new AbortController()
  let running: RunningDataflow | null = null
  const stop = (by: string) => {
    if (running) running.stop(by)
    else giveUp.abort(by)
  }
  const out = standardOutput(() => stop("closed output"))
  using requests = stopRequests(() => running, giveUp)
  const toLine = logLines(view.format, out.color)
  const show = (record: LogRecord) => {
    if (passes(view.level, record.level)) out.line(toLine(record))
  }
  const terminal = terminalPath(view)
  running = await startDataflow(flow, {
    ...options,
    env: terminal ? { ...options.env, [TERMINAL_VARIABLE]: terminal } : options.env,
    signal: giveUp.signal,
    listener: (event) => {
      if (event.type === "log") show(event.record)
    },
  })
  using _keys = listenToKeys({
    interrupt: () => requests.request("Ctrl-C"),
    quit: () => requests.request("key q"),
    waiting: () => say.info(waitingText(running)),
  })
  const result = await running.finished
  if (terminal) process.stdout.write(RELEASE_SCREEN)
  await showEnd(result, view, out)
  return result.ok && !requests.insisted ? 0 : 1
}

/** Scrolls over the whole terminal again, should a node have left it otherwise. */
const RELEASE_SCREEN = "\x1b7\x1b[r\x1b8\x1b[?25h"

function stopRequests(
  running: () => RunningDataflow | null,
  giveUp: AbortController,
): StopRequests {
  return new StopRequests({
    stop(why) {
      const flow = running()
      say.info(flow ? `${why}: stopping, ${waitingText(flow)}` : `${why}: giving up the start`)
      say.info("once more kills all nodes at once")
      if (flow) flow.stop(why)
      else giveUp.abort(why)
    },
    kill() {
      say.warn("killing all nodes")
      running()?.kill()
    },
    abort: () => process.exit(1),
  })
}

function waitingText(running: RunningDataflow | null): string {
  const nodes = running?.waitingFor() ?? []
  return nodes.length > 0 ? `waiting for: ${nodes.join(", ")}` : "no node is left to wait for"
}

function few(names: readonly string[], most = 1): string {
  const rest = names.length - most
  return names.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "")
}

async function showEnd(result: DataflowResult, view: View, out: Output): Promise<void> {
  const { stopped } = result
  if (view.format === "json") out.line(summaryJson(result))
  else for (const line of summaryLines(result, out.color)) out.line(line)
  await out.end()
  if (stopped?.by === "--stop-after" && stopped.waitingFor.length > 0) {
    say.info(`stopped by --stop-after while waiting for: ${few(stopped.waitingFor)}`)
  }
  if (stopped && stopped.term.length > 0) {
    say.warn(`did not heed the stop and got SIGTERM: ${stopped.term.join(", ")}`)
  }
  if (stopped && stopped.kill.length > 0) {
    say.warn(`did not heed SIGTERM either and were killed: ${stopped.kill.join(", ")}`)
  }
  if (!result.ok) say.error(failureReport(result))
}

/** The terminal that stdout is, for nodes that draw; null where there is none or pictures make no sense. */
function terminalPath(view: View): string | null {
  if (view.format === "json" || !wantsColor(process.stdout) || !process.stdout.isTTY) return null
  try {
    return readlinkSync("/proc/self/fd/1")
  } catch {
    return null
  }
}
