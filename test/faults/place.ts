// A folder with a dataflow in it, whose nodes carry a mark by which every process of a run is found.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MARKER } from "../../src/daemon/guard.ts"
import {
  type Found,
  openMemoryFiles,
  processesOfGroups,
  processesWith,
  sharedMemoryNames,
  waitUntilGone,
} from "./traces.ts"

/** A node as in a dataflow file; `program` is a file of ./nodes. */
export type NodeText = {
  id: string
  program: string
  inputs?: Record<string, unknown>
  outputs?: string[]
  env?: Record<string, string | number>
}

/** How long processes may take to vanish after the end of a run, or of the one that watches them. */
const GONE_MS = 5000

/** A folder of its own for one dataflow. Disposing removes it. */
export class Place implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "dora-fault-"))
  /** The dataflow file. */
  readonly path = join(this.dir, "flow.yml")
  /** Set as `TMPDIR` where a run gets an environment of its own. */
  readonly scratch = join(this.dir, "tmp")
  readonly mark = crypto.randomUUID()
  readonly #groups = new Set<number>()
  readonly #sharedBefore = sharedMemoryNames()

  constructor(nodes: NodeText[]) {
    mkdirSync(this.scratch)
    const text = nodes.map(({ program, env, ...node }) => ({
      ...node,
      path: join(import.meta.dir, "nodes", program),
      env: { ...env, FAULT_MARK: this.mark, FAULT_NODE: node.id },
    }))
    // JSON is YAML.
    writeFileSync(this.path, JSON.stringify({ nodes: text }, null, 2))
  }

  /** Processes of this run that are alive; remembers their groups for {@link expectNothingLeft}. */
  processes(): Found[] {
    const ours = `FAULT_MARK=${this.mark}`
    const ids = existsSync(join(this.dir, "out")) ? readdirSync(join(this.dir, "out")) : []
    const found = processesWith((environment) =>
      environment.some((entry) => entry === ours || hasDataflow(entry, ids)),
    )
    for (const { group } of found) this.#groups.add(group)
    return found
  }

  /** Waits until the process of a node is there. */
  async processOf(node: string, limitMs: number): Promise<Found> {
    const until = Date.now() + limitMs
    for (;;) {
      const found = this.processes().find((process) => process.node === node)
      if (found) return found
      if (Date.now() > until) throw new Error(`no process of ${node} after ${limitMs} ms`)
      await Bun.sleep(2)
    }
  }

  /**
   * @param except  processes that may take their time
   * @throws Error  when the run left a process, a name in /dev/shm, or a file outside out/
   */
  async expectNothingLeft(
    except: (found: Found, all: Found[]) => boolean = () => false,
  ): Promise<void> {
    const named = ({ pid, group, command }: Found) => `${pid} of group ${group}: ${command}`
    const unexpected = (found: Found[]) => found.filter((one) => !except(one, found)).map(named)
    const marked = () => unexpected(this.processes())
    const grouped = () => unexpected(processesOfGroups(this.#groups))
    await waitUntilGone("processes", () => [...marked(), ...grouped()], GONE_MS)
    const shared = () => [...sharedMemoryNames()].filter((name) => !this.#sharedBefore.has(name))
    await waitUntilGone("names in /dev/shm", shared, GONE_MS)
    await waitUntilGone("memory of the daemon", openMemoryFiles, GONE_MS)
    const files = readdirSync(this.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
    const log = new RegExp(`^${this.dir}/out/[0-9a-f-]+/log_[a-z-]+\\.jsonl$`)
    const strange = files.filter((file) => file !== this.path && !log.test(file))
    if (strange.length > 0) throw new Error(`files left: ${strange.join(", ")}`)
  }

  /** After a failure there may be something left: it must not disturb the tests that follow. */
  [Symbol.dispose](): void {
    for (const { pid } of [...this.processes(), ...processesOfGroups(this.#groups)]) {
      try {
        process.kill(pid, "SIGKILL")
      } catch {
        // It has just ended by itself.
      }
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** Is this the daemon's own mark, with one of these dataflows? */
function hasDataflow(entry: string, ids: string[]): boolean {
  return entry.startsWith(`${MARKER}=`) && ids.some((id) => entry.includes(id))
}

/**
 * The value of a promise, which must come in time.
 *
 * @throws Error  naming `what` after `limitMs`
 */
export async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: Timer | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
