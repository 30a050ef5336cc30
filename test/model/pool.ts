// The model of chunk ownership (docs/adr/0003-chunk-ownership.md): the chunks of a pool behind one or two edges with
// drop_oldest; deaths of the producer and of the consumers at every step, recovery by the daemon while everybody else
// keeps running, a successor with a new pool, consumers that stop for ever.
//
// The first design held chunks by a mask that consumer, producer and daemon cleared. In the corrected one a chunk is free
// when the producer's own record says that no queued slot of any edge refers to it, and no borrow line has its bit.
import type { Go, System } from "./mc.ts"
import { PoolConsumer } from "./pool-consumer.ts"
import { PoolProducer } from "./pool-producer.ts"
import {
  BAD,
  C,
  Chunks,
  DEFAULTS,
  type EdgeState,
  initialState,
  P,
  type PoolOptions,
  type PoolState,
} from "./pool-state.ts"

/**
 * The pool as a system for the checker.
 *
 * @example explore(pool({ edges: 2, chunks: 7, stops: 2 }))
 */
export function pool(options: Partial<PoolOptions>): System<PoolState> {
  return new Pool({ ...DEFAULTS, ...options })
}

class Pool implements System<PoolState> {
  readonly initial: PoolState
  readonly #o: PoolOptions
  readonly #chunks: Chunks
  readonly #producer: PoolProducer
  readonly #consumers: PoolConsumer[]

  constructor(options: PoolOptions) {
    this.initial = initialState(options)
    this.#o = options
    this.#chunks = new Chunks(options)
    this.#producer = new PoolProducer(options)
    this.#consumers = this.initial.edges.map((_, edge) => new PoolConsumer(options, edge))
  }

  steps(now: PoolState, go: Go<PoolState>) {
    this.#producer.steps(now, go)
    for (const consumer of this.#consumers) consumer.steps(now, go)
  }

  good(now: PoolState): boolean {
    return now.producer.at === P.done && now.edges.every((edge) => this.#rests(edge))
  }

  #rests({ head, tail, consumer }: EdgeState): boolean {
    if (consumer.at === C.stopped) return true
    return consumer.at === C.look && head === tail && consumer.kept.every((held) => held === 0)
  }

  wrong(now: PoolState): string | null {
    if (now.bad === BAD.queued) return "a chunk is written while a queued slot refers to it"
    if (now.bad === BAD.read) return "a chunk is written while a consumer still reads it"
    if (now.bad === BAD.ownBit) {
      return "a consumer finds its own bit set before it marks: an honest run would poison the edge"
    }
    return this.#unmarked(now) ?? (this.good(now) ? this.#leak(now) : null)
  }

  /** What a live consumer holds is covered by the line that the producer will look at. */
  #unmarked(now: PoolState): string | null {
    if (now.producer.at === P.done || now.producer.at === P.dead) return null
    if (this.#o.first || this.#o.markAfterClaim || this.#o.oneLine) return null
    for (const edge of now.edges) {
      for (let generation = 0; generation < this.#o.generations; generation++) {
        const line = edge.borrowed[this.#chunks.line(generation)]!
        if (this.#chunks.claimed(edge, generation) & ~line)
          return "a claimed chunk has no borrow bit"
      }
    }
    return null
  }

  #leak(now: PoolState): string | null {
    const mask = this.#o.first ? "held" : "borrowed"
    for (const edge of now.edges) {
      const stopped = edge.consumer.at === C.stopped && !edge.abandoned
      if (!stopped && edge[mask].some((bits) => bits !== 0)) {
        return `leak: everything rests and a ${mask} bit is still set`
      }
    }
    return null
  }
}
