// One node as the fast lane sees it. Before each run it gets what JavaScript has changed, after it JavaScript follows.
import type { ConsumerPool } from "../../shm/consumer-pool.ts"
import type { PassingOutput } from "../../shm/passing.ts"
import type { Inbox } from "../../shm/segment.ts"
import { sharedWords } from "../../shm/shared.ts"
import type { Connection } from "./connection.ts"
import type { RelayInput } from "./input.ts"
import type { Lane } from "./lane.ts"
import type { LongPoll } from "./long-poll.ts"

// As in ffi/relay_lane.c.
const MODE = 0
const WAITER = 1
const RESTING = 2
const REQUESTS = 3
const RESTS = 0
const DUE = 1

/** What the lane may do for a node: watch it, watch messages that hold their senders up, serve it. */
export const MODE_OF = { WATCHED: 1, UNHEARD: 2, HEARD: 3 } as const
/** One of {@link MODE_OF}. */
export type LaneMode = (typeof MODE_OF)[keyof typeof MODE_OF]

type LaneInput = { input: RelayInput; number: number; pool: ConsumerPool | null }
type LaneOutput = {
  output: PassingOutput
  number: number
  /** Something was published. */
  dirty: Int32Array<ArrayBuffer>
  hasPool: boolean
  closed: boolean
}

/** A node that the relay stands in for. */
export class LaneNode {
  readonly index: number
  readonly #lane: Lane
  readonly #words: Int32Array
  readonly #times: Float64Array
  readonly #inputs: LaneInput[]
  readonly #outputs: LaneOutput[]
  readonly #numbers: ReadonlyMap<string, number>

  constructor(
    lane: Lane,
    index: number,
    inbox: Inbox,
    inputs: readonly RelayInput[],
    outputs: Iterable<PassingOutput>,
  ) {
    const { library, pointer } = lane
    this.#lane = lane
    this.index = index
    const { words, times } = lane.node(index)
    this.#words = words
    this.#times = times
    library.lane_node(pointer, index, inbox.wakePointer as number)
    this.#inputs = inputs.map((input) => {
      const number = library.lane_input(pointer, index, input.share())
      return { input, number, pool: null }
    })
    this.#outputs = Array.from(outputs, (output) => this.#output(output))
    this.#numbers = new Map(this.#outputs.map(({ output, number }) => [output.writer.id, number]))
    lane.keep(this)
  }

  /** The number of an output; undefined: it has none. */
  output(id: string): number | undefined {
    return this.#numbers.get(id)
  }

  /** The output of a number. */
  outputAt(number: number): PassingOutput {
    return this.#outputs.find((output) => output.number === number)!.output
  }

  /** Whose pool a lane's loan belongs to; undefined: not of this node. */
  pool(input: number): ConsumerPool | null | undefined {
    return this.#inputs.find(({ number }) => number === input)?.pool
  }

  /** Before a run. @param dueNs  when there is something to tell to who waits that comes from no ring */
  lend(mode: LaneMode, poll: LongPoll, dueNs: number): void {
    this.#words[MODE] = mode
    this.#words[WAITER] = poll.waiter?.place.index ?? -1
    this.#words[RESTING] = poll.resting?.place.index ?? -1
    this.#words[REQUESTS] = 0
    this.#times[RESTS] = poll.restsUntilNs
    this.#times[DUE] = dueNs
    for (const input of this.#inputs) this.#lendInput(input)
    for (const output of this.#outputs) this.#lendOutput(output)
  }

  /** After a run. @returns how often something has come from the node */
  takeBack(poll: LongPoll, connectionAt: (place: number) => Connection | null): number {
    const resting = this.#words[RESTING]!
    poll.waiter = connectionAt(this.#words[WAITER]!)
    poll.rest(connectionAt(resting), this.#times[RESTS]!)
    for (const { input } of this.#inputs) input.follow()
    for (const { output, dirty } of this.#outputs) {
      if (dirty[0] === 0) continue
      dirty[0] = 0
      for (const { gone, ring } of output.writer.edges) if (!gone) ring.follow()
    }
    return this.#words[REQUESTS]!
  }

  #output(output: PassingOutput): LaneOutput {
    const { library, pointer } = this.#lane
    const dirty = sharedWords(1)
    const { edges } = output.writer
    const pipes = sharedWords(Math.max(1, edges.length))
    edges.forEach(({ ring }, i) => {
      pipes[i] = ring.inbox.openWakeFd()
    })
    const number = library.lane_output(pointer, output.writer.share(), pipes, dirty)
    return { output, number, dirty, hasPool: false, closed: false }
  }

  #lendInput(of: LaneInput): void {
    const { newest } = of.input.reader
    if (newest === null || newest.pool === of.pool) return
    of.pool = newest.pool
    const { library, pointer } = this.#lane
    library.lane_input_pool(pointer, of.number, newest.generation, newest.pool.share())
  }

  #lendOutput(of: LaneOutput): void {
    const { library, pointer } = this.#lane
    const { writer } = of.output
    if (writer.closed !== of.closed) {
      of.closed = true
      library.lane_close_output(pointer, of.number)
    }
    if (of.hasPool || writer.pool === null) return
    of.hasPool = true
    library.lane_output_pool(pointer, of.number, writer.pool.share())
  }
}
