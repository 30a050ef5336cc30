// docs/adr/0009-anticipation.md
import type { FlowClock } from "../shm/clock.ts"
import { closeFd } from "../shm/libc.ts"
import { START_FLOAT } from "../shm/layout.ts"
import { announcePool, makeInbox, makePool } from "../shm/make.ts"
import type { SegmentRef } from "../shm/plan.ts"
import { Inbox } from "../shm/segment.ts"
import { OutputWriter } from "../shm/writer.ts"
import type { Event } from "./event.ts"
import { EventIterator } from "./iterator.ts"
import { Output } from "./output.ts"
import { Receiver } from "./receiver.ts"
import type { Waiting } from "./waiting.ts"

const BYTES = 64
/** Too large for a slot. */
const LARGE_BYTES = 8192
const CHUNKS = 4
/** After so many every call was used. */
const VARIANTS = 2
/** Less than from one rehearsal to the next: there is a tick each time. */
const TICK_NS = 1000
/** For messages that need none. */
const NO_POOL: SegmentRef = { fd: -1, size: 0 }

/** An edge of a node to itself and a timer, known to nobody else: a message on them goes the same way through the same code. */
export class Rehearsal {
  readonly #output: Output
  readonly #receiver: Receiver
  readonly #large: boolean
  readonly #data: Uint8Array
  /** Until both ends have opened the pool. */
  #poolFd: number
  #turn = 0
  /** For a message to the loop. */
  #handOver: ((event: Event | null) => void) | null = null
  /** Of what was taken: without a use the compiler would leave it out. */
  sum = 0

  /**
   * @param large  its messages lie in chunks, copied or loaned
   * @throws SharedMemoryError
   */
  constructor(clock: FlowClock, waiting: Waiting, large: boolean) {
    this.#large = large
    this.#data = new Uint8Array(large ? LARGE_BYTES : BYTES)
    const { pid } = process
    const policy = "drop_oldest"
    const geometry = { queueSize: 1, policy, timer: false } as const
    const { ref, rings } = makeInbox("rehearsal", [geometry, { ...geometry, timer: true }], 0)
    const [ring, timer] = rings as [number, number]
    const pool = large ? makePool("rehearsal", CHUNKS, 1) : NO_POOL
    const inbox = new Inbox(pid, ref, -1)
    inbox.floats[START_FLOAT] = clock.nowNs()
    announcePool(inbox.words, ring, pool)
    const edge = { node: "", input: "", inbox: ref, wakeFd: -1, ring, line: 0, policy } as const
    const plan = { id: "", pool, edges: [edge] }
    const writer = new OutputWriter(plan, pid, () => inbox, clock, new Int32Array(4))
    this.#output = new Output("", writer, waiting)
    const input = { id: "", source: "", borrowBudget: 1, producer: null }
    const inputs = [
      { ...input, ring, periodNs: null, pool: { ref: pool, line: 0 } },
      { ...input, ring: timer, periodNs: TICK_NS, pool: null },
    ]
    const rest = { inputs, pid, exitWhenNodesFinish: false }
    this.#receiver = new Receiver(rest, inbox, () => inbox, clock)
    closeFd(ref.fd)
    this.#poolFd = pool.fd
  }

  /** Was every call used? */
  get practised(): boolean {
    return this.#turn >= VARIANTS
  }

  /** A tick, and a message to oneself. */
  run(): void {
    this.#next()
    this.#take(this.#receiver.pollArrived())
  }

  /** As {@link run}, and it is a loop in the event loop that takes the message. */
  runAsync(): void {
    this.#next()
    if (this.#handOver === null) void this.#loop()
    this.#handOver!(this.#receiver.pollArrived())
  }

  async #loop(): Promise<void> {
    const events = new EventIterator(
      () => null,
      (done) => void (this.#handOver = done),
    )
    for await (const event of { [Symbol.asyncIterator]: () => events }) this.#take(event)
  }

  /** Takes a tick, and sends by each of the calls in turn. */
  #next(): void {
    this.#take(this.#receiver.poll())
    if (this.#turn === VARIANTS) this.#closePool()
    if (this.#turn++ & 1) this.#output.sendSync(this.#data, undefined, this.#receiver)
    else if (this.#large) void this.#output.loan({ type: Uint8Array, length: LARGE_BYTES }).send()
    else void this.#output.send(this.#data, undefined)
  }

  #closePool(): void {
    if (this.#poolFd >= 0) closeFd(this.#poolFd)
    this.#poolFd = -1
  }

  #take(event: Event | null): void {
    if (event?.type === "INPUT") this.sum += event.array.length
  }
}
