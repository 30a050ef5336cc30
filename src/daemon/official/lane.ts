// The fast lane: C that serves small messages of known heads and the polls that wait for them, and sleeps, all in one call. What
// it shares with JavaScript lies here; what it can't serve it leaves as it was. docs/adr/0012-relay-thread.md.
import type { Pointer } from "bun:ffi"
import type { Stamp } from "../../core/clock.ts"
import { addressOf, sharedWords } from "../../shm/shared.ts"
import type { NodePlan } from "../../shm/plan.ts"
import type { KnownHead } from "../../wire/relay.ts"
import { type LaneLibrary, laneLibrary } from "./lane-library.ts"
import type { RelayPlan } from "./messages.ts"
import type { PollSet } from "./sockets.ts"

// As in ffi/relay_lane.c.
const CONNECTION_WORDS = 16
const CONNECTION_FLOATS = 2
const NODE_WORDS = 8
const NODE_TIMES = 2
const PARKS = 4
const STALLED = 0
const PARTS = 1
const LOANS = 2
const SEEN_SECONDS = 3
const SEEN_FRACTION = 4
const FIRST_LOAN = 5
const MOST_LOANS = 31
const MOST_PARTS = 2 * MOST_LOANS + 1
const MOST_HEAD_BYTES = 256
/** A reply that has grown to its limit, and one more message. */
const REPLY_BYTES = 1024 * 1024 + 128 * 1024

/**
 * Words of a place: what the lane may do with the connection, where its bytes begin and end, whose it is, what is left to us, bytes
 * that a large message lacks; then of one that the lane has begun its chunk + 1, its output, the bytes of its head and of its end.
 */
export const PLACE = {
  FLAGS: 0,
  START: 1,
  END: 2,
  NODE: 3,
  LEFT: 4,
  ROOM: 5,
  CHUNK: 6,
  OUTPUT: 7,
  HEAD: 8,
  TAIL: 9,
} as const
/** It may read and pass messages; it may take long polls; it may read the rest of a large message, and nothing more. */
export const FLAG = { SERVED: 1, POLLS: 2, FILLED: 4 } as const
const DEADLINE = 0
const INTO = 1
/** It left frames that are there, or the end of the connection. */
export const LEFT = { FRAMES: 1, READ: 2 } as const
/** Words that count: messages from sockets, messages into replies, how often the lane was awake in time. */
export const LANE_COUNTS = { IN: 0, OUT: 1, AWAKE: 2 } as const

/** What a connection shares with the lane. */
export class Place {
  /** −1: there is no lane. */
  readonly index: number
  readonly words: Int32Array<ArrayBuffer>
  readonly #floats: Float64Array<ArrayBuffer>

  constructor(
    index = -1,
    words = sharedWords(CONNECTION_WORDS),
    floats = new Float64Array(CONNECTION_FLOATS),
  ) {
    this.index = index
    this.words = words
    this.#floats = floats
    words.fill(0)
    this.deadlineNs = Number.POSITIVE_INFINITY
  }

  /** When a frame that has begun must be complete, in monotonic nanoseconds. */
  get deadlineNs(): number {
    return this.#floats[DEADLINE]!
  }

  set deadlineNs(value: number) {
    this.#floats[DEADLINE] = value
  }

  /** A large message that the lane has begun and not ended; null: there is none. Only once. */
  takeBegun(): Begun | null {
    const { words } = this
    const chunk = words[PLACE.CHUNK]! - 1
    words[PLACE.CHUNK] = 0
    if (chunk < 0) return null
    const [missing, output] = [words[PLACE.ROOM]!, words[PLACE.OUTPUT]!]
    return { chunk, output, missing, head: words[PLACE.HEAD]!, tail: words[PLACE.TAIL]! }
  }

  /** The rest of a large message is the lane's to read. */
  fill(address: number, room: number): void {
    this.#floats[INTO] = address
    this.words[PLACE.ROOM] = room
  }
}

/** A large message on its way into a chunk. */
export type Begun = {
  chunk: number
  /** The number of its output. */
  output: number
  /** Bytes of data that have not come yet. */
  missing: number
  /** Bytes of its head, from the header of the frame up to the data, and of what follows the data. */
  head: number
  tail: number
}

/** How many of everything there can be. */
type LaneSizes = { sockets: number; nodes: number; inputs: number; outputs: number }

/** The rest of a reply that a socket did not take. */
export type Stalled = {
  place: number
  /** Pairs of address and length. */
  parts: Float64Array
  /** Pairs of an input's number and a chunk. */
  loans: Int32Array
}

/** What C and JavaScript share of one relay. */
export class Lane {
  readonly library: LaneLibrary
  readonly pointer: Pointer
  /** Where it writes replies. */
  readonly reply = new Uint8Array(new ArrayBuffer(REPLY_BYTES))
  readonly #nodeWords: Int32Array<ArrayBuffer>
  readonly #nodeTimes: Float64Array<ArrayBuffer>
  readonly #connections: Int32Array<ArrayBuffer>
  readonly #floats: Float64Array<ArrayBuffer>
  readonly #free: number[]
  readonly #order: Int32Array<ArrayBuffer>
  readonly #run = sharedWords(FIRST_LOAN + 2 * MOST_LOANS)
  readonly #parts = new Float64Array(new ArrayBuffer(16 * MOST_PARTS))
  /** Keeps what C refers to. */
  readonly #kept: unknown[]

  /** Null: there is none here. @param own  descriptors of the relay's own, which come first in each set */
  static open(plan: RelayPlan, own: number): Lane | null {
    const { nodes, maxSockets, frameTimeoutMs, counts } = plan
    const library = laneLibrary()
    if (!library) return null
    const all = (of: (plan: NodePlan) => number) =>
      nodes.reduce((sum, { plan }) => sum + of(plan), 0)
    const inputs = all((plan) => plan.inputs.length)
    const outputs = all((plan) => plan.outputs.length)
    const sizes = { sockets: maxSockets, nodes: nodes.length, inputs, outputs }
    const { epoch } = nodes[0]!.plan
    const lane = new Lane(library, sizes, own, frameTimeoutMs * 1e6, counts, epoch)
    for (const [i, { plan }] of nodes.entries()) lane.node(i).words[PARKS] = +(plan.wait === "park")
    return lane
  }

  private constructor(
    library: LaneLibrary,
    { sockets, nodes, inputs, outputs }: LaneSizes,
    own: number,
    frameTimeoutNs: number,
    counts: Int32Array,
    { seconds, nanoseconds }: NodePlan["epoch"],
  ) {
    this.library = library
    this.#free = Array.from({ length: sockets }, (_, i) => i).reverse()
    this.#connections = sharedWords(sockets * CONNECTION_WORDS)
    this.#floats = new Float64Array(new ArrayBuffer(8 * sockets * CONNECTION_FLOATS))
    this.#order = sharedWords(sockets)
    this.#nodeWords = sharedWords(nodes * NODE_WORDS)
    this.#nodeTimes = new Float64Array(new ArrayBuffer(8 * nodes * NODE_TIMES))
    const memory = [this.#connections, this.#floats, this.#nodeWords, this.#nodeTimes]
    memory.push(this.#run, this.#parts)
    const shared = [...memory, counts, this.reply].map(addressOf)
    const sizes = [sockets, nodes, inputs, outputs, frameTimeoutNs]
    this.pointer = library.lane_open(
      Float64Array.of(...sizes, ...shared, REPLY_BYTES, own, seconds, nanoseconds),
    ) as Pointer
    this.#kept = [counts]
  }

  /** A place for a new connection. */
  place(): Place {
    const index = this.#free.pop()!
    const words = part(this.#connections, index, CONNECTION_WORDS)
    return new Place(index, words, part(this.#floats, index, CONNECTION_FLOATS))
  }

  /** What is shared of a node. */
  node(index: number): { words: Int32Array; times: Float64Array } {
    return {
      words: part(this.#nodeWords, index, NODE_WORDS),
      times: part(this.#nodeTimes, index, NODE_TIMES),
    }
  }

  /** A connection collects its frames here. */
  accept(place: Place, fd: number, staging: Uint8Array): void {
    this.library.lane_accept(this.pointer, place.index, fd, staging, staging.byteLength)
  }

  /** A connection is about to be closed. */
  free({ index, words }: Place): void {
    this.library.lane_leave(this.pointer, index)
    words.fill(0)
    this.#free.push(index)
  }

  /** Messages of an output that begin like this one are the lane's. @param output  its number there */
  learn(place: Place, head: KnownHead, output: number): void {
    const { start, parameters, passed } = head
    if (start.length > MOST_HEAD_BYTES || parameters.length > MOST_HEAD_BYTES) return
    const { library, pointer } = this
    const rest = passed ?? NOTHING
    const given = [parameters, parameters.length, rest, passed?.length ?? 0] as const
    library.lane_learn(pointer, place.index, output, start, start.length, ...given)
  }

  /** Something that C refers to. */
  keep(what: unknown): void {
    this.#kept.push(what)
  }

  /** The connection of a place in the poll set, counted from the first one. */
  order(at: number, place: Place): void {
    this.#order[at] = place.index
  }

  /**
   * Serves and sleeps until we are needed.
   *
   * @param dueNs  when we are needed at the latest, in monotonic nanoseconds
   * @param once   sleep once at most
   * @returns      as {@link PollSet.wait}
   */
  run({ address, count }: PollSet, dueNs: number, once: boolean): number {
    return this.library.lane_run(this.pointer, address, this.#order, count, dueNs, once ? 1 : 0)
  }

  /** After a run: a reply that its socket did not take. */
  get stalled(): Stalled | null {
    const run = this.#run
    if (run[STALLED]! < 0) return null
    const parts = this.#parts.slice(0, 2 * run[PARTS]!)
    const loans = run.slice(FIRST_LOAN, FIRST_LOAN + 2 * run[LOANS]!)
    return { place: run[STALLED]!, parts, loans }
  }

  /** The latest stamp of all peers. */
  get seen(): Stamp {
    const run = this.#run
    return { seconds: run[SEEN_SECONDS]! >>> 0, fraction: run[SEEN_FRACTION]! >>> 0, id: NOTHING }
  }

  close(): void {
    this.library.lane_close(this.pointer)
  }
}

/** One of many that lie one after the other. */
function part<A extends Int32Array | Float64Array>(array: A, index: number, size: number): A {
  return array.subarray(index * size, (index + 1) * size) as A
}

const NOTHING = new Uint8Array(new ArrayBuffer(8))
