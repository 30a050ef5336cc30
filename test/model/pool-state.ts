// What the model of the pool is made of: options, shared and private words of the producer and of each consumer.

/** A pool to explore. `first` is the first design; everything else marked as a flaw is a near miss of the corrected one. */
export type PoolOptions = {
  edges: number
  /** Slots of each ring too. */
  queueSize: number
  chunks: number
  /** Pools that the daemon gives out: one for the producer and one for each successor. */
  generations: number
  messages: number
  /** Chunks that a consumer may keep. */
  budget: number
  producerDeaths: number
  consumerDeaths: number
  /** How many consumers may stop for ever, at any step. */
  stops: number
  /** The daemon may abandon a dead consumer's edge instead of starting a successor. */
  mayAbandon: boolean
  /** The producer looks for abandoned edges only when a ring is full or no chunk is free, not before each send. */
  noticeLate: boolean
  /** How many more of the free chunks that one look has found may be used without another look. */
  remembers: number
  /** Flaw: the chunk that is used is remembered as well. */
  remembersUsed: boolean
  /** The first design: a `held` and a `borrowed` mask, both cleared from outside too. */
  first: boolean
  /** First design: a release clears `borrowed` before `held`. */
  heldLast: boolean
  /** First design: the daemon also clears what is neither queued nor borrowed. */
  sweep: boolean
  /** Flaw: the producer reads the borrow line before the tail. */
  borrowBeforeTail: boolean
  /** Flaw: the consumer marks after the claim. */
  markAfterClaim: boolean
  /** Flaw: the lines of all generations are one. */
  oneLine: boolean
  /** Flaw: chunk and generation are two words of a slot. */
  twoWords: boolean
}

/** The corrected pool, one chunk below its bound, nobody dies. */
export const DEFAULTS: PoolOptions = {
  edges: 1,
  queueSize: 1,
  chunks: 3,
  generations: 1,
  messages: 4,
  budget: 1,
  producerDeaths: 0,
  consumerDeaths: 0,
  stops: 0,
  mayAbandon: false,
  noticeLate: false,
  remembers: 0,
  remembersUsed: false,
  first: false,
  heldLast: false,
  sweep: false,
  borrowBeforeTail: false,
  markAfterClaim: false,
  oneLine: false,
  twoWords: false,
}

/** Where the producer stands. Before `done` it can die. */
export const P = {
  next: 0,
  scanTail: 1,
  scanLine: 2,
  choose: 3,
  write: 4,
  room: 5,
  notice: 6,
  drop: 7,
  clearHeld: 8,
  setHeld: 9,
  writeSlot: 10,
  publish: 11,
  done: 12,
  dead: 13,
  successor: 14,
} as const

/** Where a consumer stands. Before `stopped` it can die; from `dead` on the daemon is at work. */
export const C = {
  look: 0,
  readSlot: 1,
  mark: 2,
  claim: 3,
  unmark: 4,
  claimed: 5,
  release: 6,
  releaseRest: 7,
  readGeneration: 8,
  stopped: 9,
  dead: 10,
  recoverSlot: 11,
  recoverHeld: 12,
  recoverSweep: 13,
  recovered: 14,
} as const

/** What must not happen, noted when it does. */
export const BAD = { none: 0, queued: 1, read: 2, ownBit: 3 } as const

function initialEdge(o: PoolOptions) {
  const perSlot = () => new Array<number>(o.queueSize).fill(0)
  return {
    head: 0,
    tail: 0,
    abandoned: 0,
    /** Chunk and generation in one word, see `codeOf`. */
    slots: perSlot(),
    /** The same as two words, where a flaw says so. */
    chunkWords: o.twoWords ? perSlot() : [],
    generationWords: o.twoWords ? perSlot() : [],
    /** The producer's own head, its cached tail, and whether it has noticed that the edge is abandoned. */
    ownHead: 0,
    cachedTail: 0,
    gone: 0,
    /** The consumer's and, by generation, its masks. */
    borrowed: new Array<number>(o.generations).fill(0),
    held: new Array<number>(o.generations).fill(0),
    consumer: {
      at: C.look as number,
      tail: 0,
      /** Code of the slot that it read. */
      read: 0,
      /** Code + 1 of what it has claimed and not yet put away, or is giving back. */
      current: 0,
      /** Code + 1 of each chunk that it keeps. */
      kept: new Array<number>(o.budget).fill(0),
      /** First design: mask that the daemon works with. */
      recovered: 0,
    },
  }
}

/** The state at first: empty rings, all chunks free. */
export function initialState(o: PoolOptions) {
  return {
    edges: Array.from({ length: o.edges }, () => initialEdge(o)),
    producer: {
      at: P.next as number,
      generation: 0,
      /** Chunks that are known to be free. */
      spare: 0,
      message: 0,
      /** The edge that it is busy with. */
      edge: 0,
      /** Code of the chunk that it sends. */
      code: 0,
      /** Mask of chunks that aren't free, while it looks for one. */
      busy: 0,
      /** First design: code + 1 of the message just dropped; and whether the dead one's pool was swept. */
      dropped: 0,
      swept: 0,
    },
    producerDeaths: o.producerDeaths,
    consumerDeaths: o.consumerDeaths,
    stops: o.stops,
    bad: BAD.none as number,
  }
}

/** One state of the pool and its edges. */
export type PoolState = ReturnType<typeof initialState>
/** One edge with both its ends. */
export type EdgeState = PoolState["edges"][number]

/** How chunks are named: a code is generation × chunks + chunk, a mask has bit 2^chunk. */
export class Chunks {
  readonly #o: PoolOptions

  constructor(options: PoolOptions) {
    this.#o = options
  }

  get all(): number {
    return (1 << this.#o.chunks) - 1
  }

  bit(code: number): number {
    return 1 << this.chunk(code)
  }

  chunk(code: number): number {
    return code % this.#o.chunks
  }

  generation(code: number): number {
    return Math.floor(code / this.#o.chunks)
  }

  code(generation: number, chunk: number): number {
    return generation * this.#o.chunks + chunk
  }

  /** Index of the borrow line of a generation: one for all in the first design and by a flaw. */
  line(generation: number): number {
    return this.#o.oneLine || this.#o.first ? 0 : generation
  }

  /** Mask of the chunks that the slots of [tail, head) name. */
  queued(edge: EdgeState, tail: number, head: number, generation: number): number {
    let mask = 0
    for (let index = tail; index < head; index++) {
      const code = edge.slots[index % this.#o.queueSize]!
      if (this.generation(code) === generation) mask |= this.bit(code)
    }
    return mask
  }

  /** Mask of the chunks that a consumer, alive or stopped, still reads. */
  claimed(edge: EdgeState, generation: number): number {
    const { kept, current, at } = edge.consumer
    let mask = 0
    for (const held of kept) mask |= this.#bitOf(held, generation)
    if (at !== C.releaseRest) mask |= this.#bitOf(current, generation)
    return mask
  }

  #bitOf(codePlusOne: number, generation: number): number {
    if (!codePlusOne || this.generation(codePlusOne - 1) !== generation) return 0
    return this.bit(codePlusOne - 1)
  }
}
