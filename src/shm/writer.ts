// The sending side of one output: small messages are copied into the slots of every edge, large ones lie once in a
// chunk that the slots refer to.
import { interned } from "../core/ids.ts"
import { CHUNK_STRIDE_BYTES } from "../core/limits.ts"
import {
  bodyBytes,
  CHUNK_WORD,
  FRACTION_WORD,
  GENERATION_WORD,
  HEADER_LENGTH_WORD,
  LENGTH_WORD,
  PARAMETERS_WORD,
  SECONDS_WORD,
  TEMPLATE_WORD,
  WANT_HALF,
  WANT_ROOM,
} from "./layout.ts"
import type { FlowClock } from "./clock.ts"
import { PoolExhaustedError } from "./errors.ts"
import { OutputEdge as Edge } from "./output-edge.ts"
import type { Payload } from "./payload.ts"
import type { EdgePlan, OutputPlan } from "./plan.ts"
import { chunkWord, Pool, ProducerPool } from "./pool.ts"
import type { Inbox } from "./segment.ts"

/** Templates are numbered by generation, so that a successor's never look like its predecessor's. */
const TEMPLATE_BITS = 20
const TEMPLATE_MASK = (1 << TEMPLATE_BITS) - 1
const GENERATION_TEMPLATE_MASK = 0x7ff

/** One output of this node. */
export class OutputWriter {
  readonly id: string
  readonly edges: Edge[] = []
  readonly #plan: OutputPlan
  readonly #pid: number
  readonly #clock: FlowClock
  readonly #clockId: Int32Array
  readonly #generation: number
  /** Beside the number of each template. */
  readonly #templateBits: number
  #pool: ProducerPool | null = null
  /** Largest message that goes through slots. */
  readonly inlineBytes: number
  readonly #waits: boolean
  /** Of several, each would come to its half at another time, with everybody awake in between. */
  readonly #halves: boolean
  /** C code of this thread publishes here too. */
  #shared = false
  closed = false
  /** Only the daemon sends here. */
  readonly printed: boolean

  constructor(
    plan: OutputPlan,
    pid: number,
    inboxOf: (edge: EdgePlan) => Inbox,
    clock: FlowClock,
    clockId: Int32Array,
  ) {
    this.id = interned(plan.id)
    this.#plan = plan
    this.#pid = pid
    this.#clock = clock
    this.#clockId = clockId
    for (const edge of plan.edges) this.edges.push(new Edge(edge, inboxOf(edge), clockId))
    const first = this.edges[0]?.ring
    this.#generation = first ? first.words[first.base + GENERATION_WORD]! : 0
    this.#templateBits = (this.#generation & GENERATION_TEMPLATE_MASK) << TEMPLATE_BITS
    this.inlineBytes = Math.min(...this.edges.map((e) => e.ring.inlineBytes), CHUNK_STRIDE_BYTES)
    const waiting = this.edges.filter((e) => e.ring.backpressure).length
    this.#waits = waiting > 0
    this.#halves = waiting === 1
    this.printed = plan.printed === true
    // By a predecessor: consumers have seen the end.
    this.closed = this.printed || (this.edges.length > 0 && this.edges.every((e) => e.ring.closed))
  }

  /** Once a message was large. */
  get pool(): ProducerPool | null {
    return this.#pool
  }

  /** Does anybody consume this output? */
  get isRead(): boolean {
    return this.edges.length > 0
  }

  /**
   * Has every backpressure edge room for one more message?
   *
   * @param ask   for who is about to sleep: the consumers of full edges are told to wake us …
   * @param half  … when half of the queue is free, and not at their next claim
   */
  ready(ask: boolean, half = false): boolean {
    if (this.#shared) this.#follow()
    return !this.#waits || this.#hasRoom(ask, half)
  }

  #follow(): void {
    for (const edge of this.edges) if (!edge.gone) edge.ring.follow()
  }

  #hasRoom(ask: boolean, half: boolean): boolean {
    let ready = true
    for (const edge of this.edges) {
      const { ring } = edge
      if (!ring.backpressure || ring.hasRoom() || this.#isGone(edge)) continue
      if (!ask) return false
      // The consumer may have made room just before it could see the wish.
      ring.want(half && this.#halves ? WANT_HALF : WANT_ROOM)
      if (!ring.hasRoom()) ready = false
    }
    return ready
  }

  /** Is at least half of the backpressure queue free? Then there is room for a while. Where there are several: is there any room? */
  roomy(): boolean {
    if (!this.#halves) return this.ready(false)
    for (const edge of this.edges) {
      if (edge.ring.backpressure && !edge.ring.isRoomy() && !this.#isGone(edge)) return false
    }
    return true
  }

  /** The wait for credit is over. */
  unwant(): void {
    for (const { ring } of this.edges) if (ring.backpressure) ring.want(0)
  }

  /** Lets C code of this thread publish here too: a dora_writer of ffi/dora_writer.h, as numbers. */
  share(): Float64Array {
    this.#shared = true
    const head = [this.edges.length, this.#clock.address, ...this.#clockId]
    const edges = this.edges.flatMap((edge) => edge.facts())
    return Float64Array.from([...head, this.#templateBits, this.inlineBytes, ...edges])
  }

  /** Wakes the consumers that sleep, after C has published. */
  wake(): void {
    for (const { ring } of this.edges) ring.inbox.wake()
  }

  /** Publishes a small message on every edge. Call {@link ready} before. */
  publishInline(payload: Payload, parameters: Uint8Array | null): void {
    this.#clock.stamp()
    for (let i = 0; i < this.edges.length; i++) {
      const edge = this.edges[i]!
      if (!this.#makeRoom(edge)) continue
      const ring = edge.ring
      const slot = ring.slot
      if (!edge.write(payload, slot)) this.#describe(payload, -1, ring.words, slot)
      if (parameters !== null) edge.writeParameters(payload, parameters, slot)
      this.#pool?.record(i, ring.head, -1)
      this.#stamp(parameters, ring.words, slot)
      ring.commit(bodyBytes(payload.byteLength, payload.headerLength))
    }
  }

  /** Publishes a message that lies in a chunk on every edge; the chunk is no longer lent afterwards. */
  publishChunk(chunk: number, payload: Payload, parameters: Uint8Array | null): void {
    const pool = this.#openPool()
    if (parameters !== null) {
      const at = (payload.byteLength + 7) & ~7
      pool.writeView(chunk, at + parameters.byteLength).set(parameters, at)
    }
    this.#clock.stamp()
    const word = chunkWord(chunk, this.#generation)
    const lent = pool.isLoan(chunk)
    const bytes = bodyBytes(payload.byteLength, payload.headerLength)
    for (let i = 0; i < this.edges.length; i++) {
      const edge = this.edges[i]!
      if (!this.#makeRoom(edge)) continue
      const ring = edge.ring
      const slot = ring.slot
      pool.record(i, ring.head, chunk)
      edge.forget()
      edge.writeOrigin(slot)
      this.#describe(payload, word, ring.words, slot)
      this.#stamp(parameters, ring.words, slot)
      ring.commit(bytes)
      if (lent) ring.countLent(bytes)
    }
    pool.giveBack(chunk)
  }

  /**
   * A chunk to write into, lent until published or given back; −1 when a backpressure consumer must first make room.
   *
   * @param bytes  of the message
   * @throws PoolExhaustedError
   */
  allocate(bytes: number): number {
    const pool = this.#openPool()
    for (;;) {
      const chunk = pool.allocate(bytes)
      if (chunk >= 0) return chunk
      if (this.edges.some((edge) => !edge.gone && this.#isGone(edge))) continue
      const longest = this.#longestQueue(false)
      if (longest) longest.ring.dropOldest()
      else if (this.#longestQueue(true)) return -1
      else throw new PoolExhaustedError(this.id)
    }
  }

  giveBack(chunk: number): void {
    this.#pool?.giveBack(chunk)
  }

  /** Writes a message into a chunk: all of it, or what surrounds the elements of a loan. */
  write(chunk: number, payload: Payload, isLoan = false): void {
    const pool = this.#openPool()
    payload.write(pool.writeView(chunk, payload.byteLength), 0)
    pool.wrote(chunk, payload.template, isLoan)
  }

  /** Writes header and trailer of a message whose elements its owner fills in, unless they are there already. */
  writeFrame(chunk: number, template: number, payload: () => Payload): void {
    if (!this.#openPool().holds(chunk, template)) this.write(chunk, payload(), true)
  }

  /** Where a chunk begins in this process. */
  address(chunk: number): number {
    return this.#openPool().pool.chunkPointer(chunk) as number
  }

  /** The first bytes of a chunk, for ourselves. */
  view(chunk: number, length: number): Uint8Array {
    return this.#openPool().writeView(chunk, length).subarray(0, length)
  }

  /** A buffer over the first bytes of a chunk, for the owner of a loan. */
  lend(chunk: number, length: number): ArrayBuffer {
    return this.#openPool().pool.lend(chunk, 0, length)
  }

  /** The loan is over: every view of its buffer becomes empty. */
  detach(chunk: number, buffer: ArrayBuffer): void {
    this.#openPool().pool.detach(chunk, 0, buffer)
  }

  /** Reads what the next message is written to. @returns something made of it */
  warm(): number {
    let sum = this.#clock.seconds + this.#templateBits
    for (let i = 0; i < this.edges.length; i++) sum += this.edges[i]!.warm()
    return sum
  }

  /** Ends the output: every consumer sees it after the last message. */
  close(): void {
    if (this.closed) return
    this.closed = true
    for (const edge of this.edges) edge.ring.close()
  }

  #describe(payload: Payload, chunk: number, words: Int32Array, slot: number): void {
    words[slot + LENGTH_WORD] = payload.byteLength
    words[slot + TEMPLATE_WORD] = this.#templateOf(payload)
    words[slot + HEADER_LENGTH_WORD] = payload.headerLength
    words[slot + CHUNK_WORD] = chunk
  }

  #stamp(parameters: Uint8Array | null, words: Int32Array, slot: number): void {
    words[slot + SECONDS_WORD] = this.#clock.seconds
    words[slot + FRACTION_WORD] = this.#clock.fraction
    words[slot + PARAMETERS_WORD] = parameters === null ? 0 : parameters.byteLength
  }

  #templateOf(payload: Payload): number {
    if (payload.template === 0 || payload.template > TEMPLATE_MASK) return 0
    return this.#templateBits | payload.template
  }

  /** A consumer that left for good is noticed when its ring is full: false, the message is not for it. */
  #makeRoom(edge: Edge): boolean {
    if (edge.gone) return false
    // One try, or a few beside a quick consumer; more than slots only when somebody damaged the tail.
    for (let tries = 0; !edge.ring.hasRoom(); tries++) {
      if (tries > edge.slots || this.#isGone(edge)) return false
      edge.ring.dropOldest()
    }
    return true
  }

  #isGone(edge: Edge): boolean {
    if (edge.gone) return true
    if (!edge.ring.abandoned) return false
    edge.gone = true
    this.#pool?.forget(this.edges.indexOf(edge))
    return true
  }

  #longestQueue(backpressure: boolean): Edge | null {
    let longest: Edge | null = null
    let most = 0
    for (const edge of this.edges) {
      if (edge.gone || edge.ring.backpressure !== backpressure) continue
      const queued = (edge.ring.head - edge.ring.tail) | 0
      if (queued > most) {
        most = queued
        longest = edge
      }
    }
    return longest
  }

  #openPool(): ProducerPool {
    if (this.#pool) return this.#pool
    const pool = new ProducerPool(new Pool(this.#pid, this.#plan.pool), this.#generation)
    for (const { ring, plan, slots } of this.edges) pool.addEdge(ring, plan.line, slots)
    this.#pool = pool
    for (let i = 0; i < this.edges.length; i++) if (this.edges[i]!.gone) pool.forget(i)
    return pool
  }
}
