// Nodes that go on although nothing can come to them any more and all others are done.
import type { RestartSpec } from "../descriptor/types.ts"
import { type Stoppable, StopLadder } from "./stop.ts"

/** Name of the variable that holds for nodes without `finish_grace_secs`. */
const GRACE_VARIABLE = "DORA_FINISH_DRAIN_GRACE_SECS"
/** As with the official daemon. */
const USUAL_GRACE_SECONDS = 120
const NEVER = ["off", "disabled"]

/** A node that may have to be stopped. */
export type Straggler = Stoppable & {
  readonly spec: { readonly restart: Pick<RestartSpec, "finishGrace">; readonly dynamic: boolean }
}

/** What is to be known about the dataflow. */
export type StragglerOptions = {
  /** Has a node taken everything that will ever come to it? */
  hasEverything: (node: string) => boolean
  /** From one look to the next. */
  everySeconds: number
  /** Between the Stop event and SIGTERM. */
  graceMs: number | undefined
  warn: (message: string) => void
}

/** Stops those that stay too long, so that the dataflow comes to its end. */
export class Stragglers implements Disposable {
  readonly #nodes: readonly Straggler[]
  readonly #options: StragglerOptions
  /** Since when a node has everything, in milliseconds. */
  readonly #since = new Map<Straggler, number>()
  readonly #ladders = new Map<Straggler, StopLadder>()
  readonly #usual: number | null
  readonly #timer: Timer

  constructor(nodes: readonly Straggler[], options: StragglerOptions) {
    this.#nodes = nodes.filter(({ spec }) => !spec.dynamic)
    this.#options = options
    this.#usual = usualGrace(process.env[GRACE_VARIABLE], options.warn)
    this.#timer = setInterval(() => this.#look(performance.now()), options.everySeconds * 1000)
  }

  /** Was this node stopped here, and had to be signalled? */
  forced(id: string): boolean {
    for (const ladder of this.#ladders.values()) if (ladder.forced(id)) return true
    return false
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    for (const ladder of this.#ladders.values()) ladder[Symbol.dispose]()
  }

  #look(nowMs: number): void {
    const living = this.#nodes.filter((node) => node.alive)
    for (const node of living) {
      if (!this.#options.hasEverything(node.id)) this.#since.delete(node)
      else if (!this.#since.has(node)) this.#since.set(node, nowMs)
    }
    if (!living.every((node) => this.#since.has(node))) return
    for (const node of living) {
      const grace = node.spec.restart.finishGrace ?? this.#usual
      const seconds = (nowMs - this.#since.get(node)!) / 1000
      if (grace !== null && seconds >= grace && !this.#ladders.has(node)) this.#stop(node, seconds)
    }
  }

  #stop(node: Straggler, seconds: number): void {
    const { warn, graceMs } = this.#options
    const ladder = new StopLadder([node], warn)
    this.#ladders.set(node, ladder)
    warn(
      `node ${node.id} has had all its messages for ${Math.round(seconds)} s, and the other nodes are done: it is asked to stop ` +
        `(a longer \`finish_grace_secs\` or ${GRACE_VARIABLE}=off lets it go on)`,
    )
    ladder.stop("finish_grace_secs", [], graceMs)
  }
}

/** Seconds for nodes that say nothing themselves; null: as long as they like. */
function usualGrace(text: string | undefined, warn: (message: string) => void): number | null {
  const word = text?.trim().toLowerCase() ?? ""
  if (word === "") return USUAL_GRACE_SECONDS
  if (NEVER.includes(word)) return null
  const seconds = Number(word)
  if (seconds >= 0) return seconds
  warn(`${GRACE_VARIABLE}=${text} is no number of seconds: it is ${USUAL_GRACE_SECONDS}`)
  return USUAL_GRACE_SECONDS
}
