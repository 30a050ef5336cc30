/**
 * The start barrier: all nodes of a dataflow are let go in the same moment, or none is.
 *
 * @example const barrier = new Barrier(ids, () => memory.start()); barrier.arrive("a", reply); await barrier.passed
 */
export class Barrier {
  /** Resolves when all have been let go; rejects with what `fail` was given. */
  readonly passed: Promise<void>
  readonly #missing: Set<string>
  readonly #parked = new Map<string, (error: string | null) => void>()
  readonly #onOpen: () => void
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void }
  #state: "closed" | "open" | "failed" = "closed"
  #sentence = ""

  /** @param onOpen  called when the last node has arrived, before any is let go */
  constructor(nodes: Iterable<string>, onOpen: () => void) {
    this.#missing = new Set(nodes)
    this.#onOpen = onOpen
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.passed = promise
    this.#settle = { resolve, reject }
    // The start may be given up before anybody waits here.
    promise.catch(() => {})
    if (this.#missing.size === 0) this.#release()
  }

  /** Nodes that have not arrived. */
  get missing(): string[] {
    return [...this.#missing]
  }

  /** All have been let go. */
  get open(): boolean {
    return this.#state === "open"
  }

  /**
   * A node has subscribed; one that nobody waits for waits as well.
   *
   * @param reply  called once: null lets it go, a text sends it home
   * @returns      takes the arrival back, when the node hangs up meanwhile
   */
  arrive(node: string, reply: (error: string | null) => void): () => void {
    if (this.#state !== "closed") {
      reply(this.#state === "open" ? null : this.#sentence)
      return () => {}
    }
    this.#parked.set(node, reply)
    const awaited = this.#missing.delete(node)
    if (this.#missing.size === 0) this.#release()
    return () => {
      if (this.#parked.get(node) !== reply) return
      this.#parked.delete(node)
      if (awaited) this.#missing.add(node)
    }
  }

  /**
   * Sends all home, those who come later too. Only the first failure counts.
   *
   * @param error     what `passed` rejects with
   * @param sentence  what the nodes are told
   */
  fail(error: unknown, sentence = "the start of the dataflow has failed"): void {
    if (this.#state !== "closed") return
    this.#state = "failed"
    this.#sentence = sentence
    this.#settle.reject(error)
    this.#answer(sentence)
  }

  #release(): void {
    this.#onOpen()
    this.#state = "open"
    this.#answer(null)
    this.#settle.resolve()
  }

  #answer(error: string | null): void {
    const replies = [...this.#parked.values()]
    this.#parked.clear()
    for (const reply of replies) reply(error)
  }
}
