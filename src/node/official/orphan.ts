// `dora run` of the official daemon says which process owns the dataflow: when it is gone, its nodes have to end themselves.
import { readFileSync } from "node:fs"

/** Environment variable with the process id of the official `dora run`. */
export const PARENT_VARIABLE = "DORA_RUN_PARENT_PID"
const LOOK_MS = 500

/** Ends this process, and what it has started, when the parent is gone. */
export function watchParent(parent: number | null): ReturnType<typeof setInterval> | undefined {
  if (parent === null) return undefined
  return setInterval(() => {
    if (isThere(parent)) return
    // The daemon makes each node the leader of a group of its own. Another group is not ours to end.
    process.kill(groupOf(process.pid) === process.pid ? -process.pid : process.pid, "SIGKILL")
  }, LOOK_MS)
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2])
}
