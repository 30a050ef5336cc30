// The program's side of a node under the official daemon: rings in its own memory, and a thread that carries their messages to the
// daemon and back. docs/adr/0013-under-the-official-daemon.md.
import { Worker } from "node:worker_threads"
import { outliveParentThread } from "../../shm/libc.ts"
import type { NodePlan } from "../../shm/plan.ts"
import type { NodeConfig } from "../../wire/config.ts"
import type { SessionAddress } from "../connection.ts"
import type { NodeSession, SessionListener } from "../control.ts"
import { DaemonConnectionError, MessageNotSentError } from "../errors.ts"
import { DONE, type LinkReport, type ThreadData } from "./messages.ts"
import { makeLinkMemory } from "./memory.ts"
import { PARENT_VARIABLE } from "./orphan.ts"

/** How long the end of the process may wait for the daemon to take what was sent. */
const LEAVE_MS = 5000
/** A node's session with the official daemon. */
export class OfficialSession implements NodeSession {
  /** Memory for the program's side. */
  readonly plan: NodePlan
  readonly #data: ThreadData
  #thread: Worker | null = null
  #closed = false

  /** @throws SharedMemoryError */
  constructor(config: NodeConfig, address: SessionAddress) {
    const { node, link } = makeLinkMemory(config)
    this.plan = node
    const mayRecover = Object.entries(config.run_config.inputs)
      .filter(([, input]) => typeof input !== "string" && input.input_timeout !== undefined)
      .map(([id]) => id)
    const parent = Number(process.env[PARENT_VARIABLE])
    this.#data = {
      plan: { address, node, link, mayRecover },
      done: new Int32Array(new SharedArrayBuffer(4)),
      parent: Number.isSafeInteger(parent) && parent > 0 ? parent : null,
    }
    // The daemon asks the kernel to end us with the thread that started us, which may end at any time. From here on the
    // thread beside us watches the process.
    if (this.#data.parent !== null) outliveParentThread()
  }

  start(_address: SessionAddress, listener: SessionListener): Promise<void> {
    const thread = new Worker(new URL("./thread.ts", import.meta.url), { workerData: this.#data })
    this.#thread = thread
    return new Promise((resolve, reject) => {
      let joined = false
      const broken = (what: string, cause?: unknown) => {
        const error = new DaemonConnectionError(what, cause)
        if (joined) return listener.broken(error)
        this.close()
        reject(error)
      }
      thread.on("error", (error) => {
        Atomics.store(this.#data.done, 0, DONE)
        broken("the thread that talks to the daemon failed", error)
      })
      thread.on("message", (report: LinkReport) => {
        switch (report.type) {
          case "subscribed":
            joined = true
            // Only waiting for the barrier keeps the program alive.
            thread.unref()
            process.once("exit", () => {
              listener.exiting?.()
              Atomics.wait(this.#data.done, 0, 0, LEAVE_MS)
            })
            return resolve()
          case "event":
            return listener.event(report.event)
          case "broken":
            return broken(report.what)
          case "notSent":
            return listener.broken(new MessageNotSentError(report.output, report.why))
        }
      })
    })
  }

  /** The thread sees the end of a ring, and tells the daemon after the last message. */
  async closeOutputs(): Promise<void> {}

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#thread?.postMessage("close")
  }
}
