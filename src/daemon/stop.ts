import { KILL_WAIT_MS, STOP_GRACE_MS, TERM_SHARE } from "../core/limits.ts"
import type { StopReport } from "./types.ts"

/** A node on its way out. */
export interface Stoppable {
  readonly id: string
  /** Its process is still there. */
  readonly alive: boolean
  /** Asks it to stop, by all ways it may listen on. */
  requestStop(): void
  /** SIGTERM to its group. */
  terminate(): void
  /** SIGKILL to its group; it counts as ended after `waitMs` even if the kernel can't kill it. */
  kill(waitMs: number): void
}

/**
 * The way to stop a dataflow that always comes to its end: Stop event, grace, SIGTERM, half the grace, SIGKILL.
 *
 * @example const ladder = new StopLadder(nodes, graceMs); ladder.stop("Ctrl-C", waitingFor)
 */
export class StopLadder implements Disposable {
  readonly #nodes: readonly Stoppable[]
  readonly #say: (message: string) => void
  #timer: Timer | null = null
  #report: StopReport | null = null
  #killed = false
  #disposed = false

  /** @param say  told of each signal that a node needed */
  constructor(nodes: readonly Stoppable[], say: (message: string) => void = () => {}) {
    this.#nodes = nodes
    this.#say = say
  }

  /** What the stop took so far; null when there was none. */
  get report(): StopReport | null {
    return this.#report
  }

  /** Did this ladder signal the node? */
  forced(node: string): boolean {
    return (
      this.#report !== null &&
      (this.#report.term.includes(node) || this.#report.kill.includes(node))
    )
  }

  /**
   * Begins the ladder; a second call changes nothing.
   *
   * @param by          who asked
   * @param waitingFor  what kept the dataflow alive
   * @param graceMs     between the Stop event and SIGTERM
   */
  stop(by: string, waitingFor: string[], graceMs = STOP_GRACE_MS): void {
    if (this.#report || this.#disposed) return
    this.#request(by, waitingFor)
    this.#timer = setTimeout(() => this.#terminate(graceMs), graceMs)
  }

  /** SIGKILL now. */
  kill(by: string, waitingFor: string[]): void {
    if (this.#killed || this.#disposed) return
    // Who is killed without having been asked would be started again if its policy says so.
    if (!this.#report) this.#request(by, waitingFor)
    this.#kill()
  }

  /** Ends the ladder where it is. */
  [Symbol.dispose](): void {
    this.#disposed = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #request(by: string, waitingFor: string[]): void {
    this.#report = { by, term: [], kill: [], waitingFor }
    for (const node of this.#living()) node.requestStop()
  }

  #terminate(graceMs: number): void {
    for (const node of this.#living()) {
      this.#say(`node ${node.id} did not heed the stop within ${graceMs / 1000} s: SIGTERM`)
      this.#report!.term.push(node.id)
      node.terminate()
    }
    this.#timer = setTimeout(() => this.#kill(), graceMs * TERM_SHARE)
  }

  #kill(): void {
    this.#killed = true
    if (this.#timer) clearTimeout(this.#timer)
    for (const node of this.#living()) {
      this.#say(`node ${node.id}: SIGKILL`)
      this.#report!.kill.push(node.id)
      node.kill(KILL_WAIT_MS)
    }
  }

  #living(): Stoppable[] {
    return this.#nodes.filter((node) => node.alive)
  }
}
