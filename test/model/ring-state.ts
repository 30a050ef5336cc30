// What the model of the ring is made of: options, shared and private words, and the arithmetic of its indices.

/** A ring to explore. Everything marked as a flaw is a known wrong variant. */
export type RingOptions = {
  /** A message is published by the sequence word of its slot, or by the head word. */
  publishBy: "seq" | "head"
  slots: number
  queueSize: number
  messages: number
  /** Where indices wrap around; 2³² in the real ring. */
  modulus: number
  startIndex: number
  dropOldest: boolean
  producerDeaths: number
  consumerDeaths: number
  /** The daemon may close the edge for a dead producer instead of starting a successor. */
  mayStayDead: boolean
  /** Flaw: a mixed slot poisons the edge before the claim has shown whether it counts. */
  judgeEarly: boolean
  /** Flaw: ready when seq − tail > 0 as signed numbers, without a look at the shared tail. */
  signedReady: boolean
  /** Flaw (head word): after a lost claim the cached head stays when it seems to be ahead. */
  keepHead: boolean
  /** Flaw: slots start with sequence word 0 whatever the start index is. */
  zeroSeq: boolean
  /** Flaw: the producer counts drops in a word of its own. */
  countDrops: boolean
  /** Flaw: the closing mark takes a slot of the ring. */
  closeInSlot: boolean
  /** Flaw: the closing word is believed without looking at the ring again. */
  noRecheck: boolean
  /** Flaw: a successor believes the head hint as it is. */
  trustHead: boolean
  /** Flaw: a successor looks past the head hint once, not until it finds a free slot. */
  lookOnce: boolean
}

/** The corrected ring by its sequence words, nobody dies. */
export const DEFAULTS: RingOptions = {
  publishBy: "seq",
  slots: 2,
  queueSize: 2,
  messages: 5,
  modulus: 16,
  startIndex: 13,
  dropOldest: true,
  producerDeaths: 0,
  consumerDeaths: 0,
  mayStayDead: false,
  judgeEarly: false,
  signedReady: false,
  keepHead: false,
  zeroSeq: false,
  countDrops: false,
  closeInSlot: false,
  noRecheck: false,
  trustHead: false,
  lookOnce: false,
}

/** Where the producer stands. Up to `close` it can die. */
export const P = {
  look: 0,
  drop: 1,
  count: 2,
  writeA: 3,
  writeB: 4,
  publish: 5,
  hint: 6,
  close: 7,
  done: 8,
  dead: 9,
  successorHead: 10,
  successorSlot: 11,
} as const

/** Where the consumer stands. Before `end` it can die. */
export const C = {
  ready: 0,
  tail: 1,
  readA: 2,
  readB: 3,
  claim: 4,
  count: 5,
  closed: 6,
  recheck: 7,
  recheckTail: 8,
  end: 9,
  dead: 10,
} as const

/** What must not happen, noted when it does. */
export const BAD = { none: 0, torn: 1, poisoned: 2, order: 3 } as const
/** Payload of the closing mark, where that takes a slot. */
export const CLOSE = 99

/** The state at first: an empty ring with both ends at the start index. */
export function initialState(o: RingOptions) {
  const seq = new Array<number>(o.slots).fill(0)
  for (let i = 0; i < o.slots && !o.zeroSeq; i++) {
    const index = (o.startIndex + i) % o.modulus
    seq[index % o.slots] = (index + 1 - o.slots + o.modulus) % o.modulus
  }
  const start = o.startIndex
  const byHead = o.publishBy === "head"
  return {
    head: start,
    tail: start,
    closed: 0,
    taken: 0,
    dropCounter: 0,
    seq,
    a: new Array<number>(o.slots).fill(0),
    b: new Array<number>(o.slots).fill(0),
    /** `head` and `tail` are its own and its cached copy; `message` counts from 1. */
    producer: {
      at: P.look as number,
      head: start,
      tail: start,
      message: 1,
      deaths: o.producerDeaths,
    },
    /** `head` is its cached copy where the head word publishes. */
    consumer: {
      at: C.ready as number,
      head: byHead ? start : 0,
      tail: start,
      a: 0,
      b: 0,
      deaths: o.consumerDeaths,
    },
    /** What only the checker knows. */
    truth: {
      last: 0,
      published: 0,
      closePublished: 0,
      dropped: 0,
      lost: 0,
      bad: BAD.none as number,
    },
  }
}

/** One state of the ring: shared words, private registers, and what really happened. */
export type RingState = ReturnType<typeof initialState>

/** Indices wrap around like those of the real ring, only sooner. */
export class Turn {
  readonly #modulus: number

  constructor(modulus: number) {
    this.#modulus = modulus
  }

  plus(index: number, count: number): number {
    return (index + count) % this.#modulus
  }

  after(index: number): number {
    return this.plus(index, 1)
  }

  distance(to: number, from: number): number {
    return (to - from + this.#modulus) % this.#modulus
  }

  signed(a: number, b: number): number {
    const distance = this.distance(a, b)
    return distance >= this.#modulus / 2 ? distance - this.#modulus : distance
  }
}
