// Nodes with `health_check_timeout`: who neither asks nor sends for that long, and does not wait for us either, hangs.

/** A node that is watched. */
export type Watched<T> = {
  node: T
  afterNs: number
  /** Another number whenever it has asked or sent; null while it waits, or is not there. */
  pulse(): number | null
}

type Seen<T> = Watched<T> & { last: number | null; sinceNs: number }

/** Looks at the nodes from time to time. */
export class Health<T> {
  readonly #everyNs: number
  readonly #watched: Seen<T>[]
  /** When to look next, in monotonic nanoseconds. */
  dueNs: number

  constructor(watched: readonly Watched<T>[], everyNs: number, nowNs: number) {
    this.#everyNs = everyNs
    this.#watched = watched.map((one) => ({ ...one, last: null, sinceNs: nowNs }))
    this.dueNs = watched.length > 0 ? nowNs + everyNs : Number.POSITIVE_INFINITY
  }

  /** Who hangs, and for how many nanoseconds. */
  look(nowNs: number): { node: T; ns: number }[] {
    if (nowNs < this.dueNs) return []
    this.dueNs = nowNs + this.#everyNs
    return this.#watched.flatMap((watched) => {
      const { node, afterNs, last, sinceNs } = watched
      const pulse = watched.pulse()
      const alive = pulse === null || pulse !== last
      if (!alive && nowNs - sinceNs < afterNs) return []
      watched.last = pulse
      watched.sinceNs = nowNs
      return alive ? [] : { node, ns: nowNs - sinceNs }
    })
  }
}
