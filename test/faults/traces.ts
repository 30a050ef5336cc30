// What a run may leave behind: nothing but its log files. Looked for where leftovers would be seen by anybody: /proc,
// /dev/shm, the folder of the dataflow.
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** A process, found by a variable of its environment. */
export type Found = { pid: number; group: number; node: string | null; command: string }

/** Every process whose environment, as `NAME=value`, is one that is looked for; zombies left out. */
export function processesWith(wanted: (environment: string[]) => boolean): Found[] {
  return everyPid().flatMap((pid) => {
    const environment = read(`/proc/${pid}/environ`).split("\0")
    if (!wanted(environment)) return []
    const group = groupOf(pid)
    if (group === null) return []
    const node = environment.find((entry) => entry.startsWith("FAULT_NODE="))
    const command = commandOf(pid)
    return [{ pid, group, node: node?.slice("FAULT_NODE=".length) ?? null, command }]
  })
}

/** Every process of one of these groups, zombies left out. */
export function processesOfGroups(groups: ReadonlySet<number>): Found[] {
  return everyPid().flatMap((pid) => {
    const group = groupOf(pid)
    if (group === null || !groups.has(group)) return []
    return [{ pid, group, node: null, command: commandOf(pid) }]
  })
}

/** Memory files that this process has open. */
export function openMemoryFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith("/memfd:dora") ? [`descriptor ${fd}: ${target}`] : []
    } catch {
      // The descriptor of this very listing.
      return []
    }
  })
}

/** Names in `/dev/shm`. */
export function sharedMemoryNames(): Set<string> {
  return new Set(readdirSync("/dev/shm"))
}

/**
 * Waits until nothing is found any more.
 *
 * @throws Error  when something is still there after `limitMs`; it names what
 */
export async function waitUntilGone(what: string, look: () => string[], limitMs: number) {
  const until = Date.now() + limitMs
  for (;;) {
    const found = look()
    if (found.length === 0) return
    if (Date.now() > until)
      throw new Error(`${what} left after ${limitMs} ms:\n${found.join("\n")}`)
    await Bun.sleep(10)
  }
}

function everyPid(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Its process group, or null when it is gone or only waits for its parent to notice. */
function groupOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  // The name before these fields may contain anything.
  const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return stat === "" || state === "Z" || state === "X" ? null : Number(group)
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim()
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}
