// Scripts of ours with `health_check_timeout`: their signs of life are in shared memory.
import type { RestartSpec } from "../descriptor/types.ts"
import { Health } from "./health.ts"

/** A node that may be watched. */
export type WatchedScript = {
  readonly id: string
  readonly spec: { readonly restart: Pick<RestartSpec, "healthCheckTimeout"> }
  readonly alive: boolean
}

/** Looks at scripts from time to time. */
export class ScriptHealth implements Disposable {
  readonly #timer: Timer | null

  /**
   * @param pulse    what {@link Memory.pulse} says of a node
   * @param seconds  from one look to the next
   * @param hangs    told of a node that has given no sign of life for so many milliseconds
   */
  constructor(
    nodes: readonly WatchedScript[],
    pulse: (id: string) => number | null,
    seconds: number,
    hangs: (id: string, ms: number) => void,
  ) {
    const watched = nodes.flatMap((node) => {
      const { healthCheckTimeout: timeout } = node.spec.restart
      if (timeout === null) return []
      return { node, afterNs: timeout * 1e9, pulse: () => (node.alive ? pulse(node.id) : null) }
    })
    const health = new Health(watched, 0, now())
    const look = () => {
      for (const { node, ns } of health.look(now())) hangs(node.id, Math.round(ns / 1e6))
    }
    this.#timer = watched.length > 0 ? setInterval(look, seconds * 1000) : null
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearInterval(this.#timer)
  }
}

function now(): number {
  return performance.now() * 1e6
}
