// Nothing survives us: a tiny shell process that outlives the daemon just long enough to kill what is left.
import { readdirSync, readFileSync } from "node:fs"
import { MAX_GUARD_RESTARTS } from "../core/limits.ts"

/** Environment variable of every process of a dataflow: the ids of the dataflows it belongs to, outermost first. */
export const MARKER = "DORA_BUN_DATAFLOW"

// $1 is the dataflow's id. Lines on stdin: +<process group>, -<process group>, quit. The end of stdin without a quit
// means that the daemon died. The sweep finds what left its group and what was just being started, hence the rounds. The
// samples are memory that nodes of dora 0.x have made, which outlives them.
const SCRIPT = `
trap '' INT TERM HUP
groups=' '
while read -r line; do
  case $line in
    quit) exit 0 ;;
    +*) groups="$groups\${line#+} " ;;
    -*) left=' '
        for group in $groups; do [ "-$group" = "$line" ] || left="$left$group "; done
        groups=$left ;;
  esac
done
marked() { grep -ls "${MARKER}=[0-9a-f,-]*$1" /proc/[0-9]*/environ; }
for group in $groups; do kill -s STOP -- "-$group"; done 2>/dev/null
samples=$(for file in $(marked "$1"); do ls -l "\${file%environ}fd"; done 2>/dev/null |
  grep -o '/dev/shm/shmem_[0-9A-F]*')
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null
round=0
while [ $round -lt 20 ]; do
  for file in $(marked "$1"); do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}"
  done
  sleep 0.05 || sleep 1
  round=$((round + 1))
done 2>/dev/null
for sample in $samples; do
  grep -qs "$sample" /proc/[0-9]*/maps || rm -f "$sample"
done
`

/**
 * Kills the process groups of a dataflow when this process dies in whatever way, SIGKILL included.
 *
 * @example const guard = new Guard(id, warn); guard.add(child.pid); guard.remove(child.pid); await guard.close()
 */
export class Guard {
  readonly #dataflow: string
  readonly #warn: (message: string) => void
  readonly #groups = new Set<number>()
  #process: Bun.Subprocess<"pipe", "ignore", "ignore"> | null = null
  #restarts = 0
  #closing = false

  /** @param warn  told when the guard was killed, or can't be started at all */
  constructor(dataflow: string, warn: (message: string) => void) {
    this.#dataflow = dataflow
    this.#warn = warn
    this.#start()
  }

  /** The guard's process, to be left alone by sweeps; null when there is none. */
  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  /** Takes a process group under guard. */
  add(group: number): void {
    this.#groups.add(group)
    this.#tell(`+${group}`)
  }

  /** Forgets a group that has ended. */
  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`-${group}`)
  }

  /** Ends the guard and waits for it. What is still alive stays so. */
  async close(): Promise<void> {
    this.#closing = true
    const process = this.#process
    if (!process) return
    this.#tell("quit")
    try {
      await process.stdin.end()
    } catch {
      // It has died meanwhile, which is what is wanted.
    }
    const timer = setTimeout(() => process.kill("SIGKILL"), 1000)
    await process.exited
    clearTimeout(timer)
  }

  #start(): void {
    try {
      // Its own session: a Ctrl-C in the terminal and a group kill don't reach it.
      this.#process = Bun.spawn(["/bin/sh", "-c", SCRIPT, "dora-guard", this.#dataflow], {
        stdin: "pipe",
        stdout: "ignore",
        stderr: "ignore",
        cwd: "/",
        detached: true,
        onExit: () => this.#exited(),
      })
    } catch (cause) {
      this.#process = null
      this.#warn(`no guard: processes may survive a SIGKILL of this one (${cause})`)
      return
    }
    for (const group of this.#groups) this.#tell(`+${group}`)
  }

  #exited(): void {
    this.#process = null
    if (this.#closing) return
    if (this.#restarts++ >= MAX_GUARD_RESTARTS) {
      this.#warn("the guard process keeps dying; nodes may survive a SIGKILL of this process")
      return
    }
    this.#warn("the guard process died and is started again")
    this.#start()
  }

  #tell(line: string): void {
    const stdin = this.#process?.stdin
    if (!stdin) return
    // A guard that died gets the whole list anew when it is started again.
    try {
      stdin.write(`${line}\n`)
      Promise.resolve(stdin.flush()).catch(() => {})
    } catch {}
  }
}

/**
 * SIGKILLs every process that carries the marker of a dataflow, whatever its group, until none is left (or for a
 * second, should one be stuck).
 *
 * @param except  processes of our own that carry it as well
 */
export async function sweep(
  dataflow: string,
  except: readonly (number | null)[] = [],
): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const found = marked(dataflow).filter((pid) => pid !== process.pid && !except.includes(pid))
    if (found.length === 0) return
    for (const pid of found) killQuietly(pid, "SIGKILL")
    await Bun.sleep(20)
  }
}

/** Processes that belong to a dataflow. */
export function marked(dataflow: string): number[] {
  const marker = `${MARKER}=`
  return readdirSync("/proc")
    .filter(
      (name) =>
        /^\d+$/.test(name) &&
        environmentOf(name).some((entry) => entry.startsWith(marker) && entry.includes(dataflow)),
    )
    .map(Number)
}

/**
 * Signals a process, or with a negative number its group.
 *
 * @returns false when there is none (any more)
 */
export function killQuietly(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0")
  } catch {
    // Gone, or somebody else's.
    return []
  }
}
