// Shared memory that official nodes made and could not remove, because they were killed or left in a hurry: for messages those of
// dora 0.4 and 0.5, for zenoh's session those of 1.x, whatever they use it for.
import { readdirSync, readFileSync, readlinkSync, statSync, unlinkSync } from "node:fs"

const FOLDER = "/dev/shm"
/** What the libraries call their memory. */
const MESSAGES = /^shmem_[0-9A-F]{1,16}$/
const SESSIONS = /^\d{1,10}\.zenoh$/

/** Finds and removes the leftovers of one dataflow. */
export class Leftovers {
  readonly #startMs = Date.now()
  #sinceMs = Number.POSITIVE_INFINITY
  #found: { names: string[]; unread: Set<object> }[] = []

  /** Is there something to be removed? */
  get any(): boolean {
    return this.#found.length > 0
  }

  /**
   * A node is dead, and all that it has sent is read.
   *
   * @param sinceMs  when it had come, in Unix time
   * @param clean    it took its leave
   * @param others   connections of others of its kind, who may be dead too: what they have sent is to be read first
   */
  died(sinceMs: number, clean: boolean, others: readonly object[]): void {
    this.#sinceMs = Math.min(this.#sinceMs, sinceMs)
    if (clean) return
    const names = unusedSince(MESSAGES, sinceMs)
    if (names.length === 0) return
    if (others.length === 0) remove(names)
    else this.#found.push({ names, unread: new Set(others) })
  }

  /** All that had come on this connection by now is read. */
  read(connection: object): void {
    for (const { names, unread } of this.#found) {
      if (unread.delete(connection) && unread.size === 0) remove(names)
    }
    this.#found = this.#found.filter(({ unread }) => unread.size > 0)
  }

  /** All nodes are gone. */
  finish(): void {
    if (this.#sinceMs < Number.POSITIVE_INFINITY) remove(unusedSince(MESSAGES, this.#sinceMs))
    remove(unusedSince(SESSIONS, this.#startMs))
  }
}

/** Memory of a kind that is ours, was made since a time, and that no process has open or mapped any more. */
function unusedSince(kind: RegExp, sinceMs: number): string[] {
  const made = readdirSync(FOLDER).filter((name) => kind.test(name) && isOurs(name, sinceMs))
  if (made.length === 0) return []
  const inUse = new Set(
    readdirSync("/proc").flatMap((pid) => (/^\d+$/.test(pid) ? usedBy(pid) : [])),
  )
  return made.filter((name) => !inUse.has(`${FOLDER}/${name}`))
}

function isOurs(name: string, sinceMs: number): boolean {
  try {
    const { uid, birthtimeMs, ctimeMs } = statSync(`${FOLDER}/${name}`)
    return uid === process.getuid!() && (birthtimeMs || ctimeMs) >= sinceMs
  } catch {
    // Removed by its owner meanwhile.
    return false
  }
}

/** Memory that a process has open or mapped. */
function usedBy(pid: string): string[] {
  try {
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
    const maps = readFileSync(`/proc/${pid}/maps`, "latin1")
    return [...open, ...(maps.match(/\/dev\/shm\/(?:shmem_[0-9A-F]+|\d+\.zenoh)/g) ?? [])]
  } catch {
    // Gone, or of another user, who could not open this memory.
    return []
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

function remove(names: readonly string[]): void {
  for (const name of names) {
    try {
      unlinkSync(`${FOLDER}/${name}`)
    } catch {
      // Somebody was quicker.
    }
  }
}
