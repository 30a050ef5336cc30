// Sending: one output of a node.
import { Encoder, type LoanType, type Prepared, type Sendable } from "../arrow/encoder.ts"
import {
  type ElementArray,
  type ElementName,
  ELEMENT_MAKERS,
  viewElements,
} from "../core/elements.ts"
import { MAX_PARAMETER_BYTES, MAX_PENDING_SENDS } from "../core/limits.ts"
import type { Parameters } from "../core/parameters.ts"
import type { Payload } from "../shm/payload.ts"
import { encodeParameters, ParameterError } from "../wire/metadata.ts"
import {
  OutputClosedError,
  PrintedOutputError,
  SelfDeadlockError,
  SendInterruptedError,
  TooManyPendingSendsError,
} from "./errors.ts"
import { Loan, type LoanLayout } from "./loan.ts"
import type { Waiter, Warmable } from "./waiter.ts"
import type { Waiting } from "./waiting.ts"
import type { Writer } from "./writer.ts"

/** What {@link Output.send} returns when nothing has to wait. */
export const SENT = Promise.resolve()

/** A message that waits for room: written already, in memory of its own or in a chunk. */
type Pending = {
  payload: Payload
  chunk: number
  parameters: Uint8Array | null
  resolve: () => void
  reject: (error: Error) => void
}

/** Loans of one type and length, as a message whose bytes are written already. */
type LoanForm = Payload & {
  type: LoanLayout["type"]
  length: number
  name: ElementName
  elements: number
}

/** Who can be asked to end while it waits. */
export interface Stoppable {
  readonly stopRequested: boolean
}

/** One output: measures, writes, waits for room where it must, in the order of the calls. */
export class Output implements Waiter, Warmable {
  readonly id: string
  readonly #node: string
  readonly #writer: Writer
  readonly #waiting: Waiting
  readonly #encoder = new Encoder()
  readonly #queue: Pending[] = []
  readonly #selfEdge: boolean
  #form: LoanForm | null = null
  large = false
  /** As the writer's, which is asked further away: every send asks. */
  #closed: boolean

  constructor(node: string, writer: Writer, waiting: Waiting) {
    this.id = writer.id
    this.#node = node
    this.#writer = writer
    this.#waiting = waiting
    this.#closed = writer.closed
    this.#selfEdge = writer.edges.some((e) => e.plan.node === node && e.ring.backpressure)
  }

  /** Does a message wait for room? */
  get blocked(): boolean {
    return this.#queue.length > 0
  }

  /** Do so many messages wait that one more would be refused? */
  get full(): boolean {
    return this.#queue.length >= MAX_PENDING_SENDS
  }

  /** @internal What C code of this thread must know to publish here as well, while nothing is {@link blocked}; null: it can't. */
  share(): Float64Array | null {
    return this.#writer.printed ? null : this.#writer.share()
  }

  /** @internal Wakes the consumers that sleep, after C has published. */
  wake(): void {
    this.#writer.wake()
  }

  /** Sends, or queues the message until every backpressure consumer has room. */
  send(data: Sendable, parameters: Parameters | undefined): Promise<void> {
    if (this.#closed) this.#refuse()
    const payload = this.#encoder.prepare(data)
    const extra = parameters === undefined ? null : encode(parameters)
    if (this.#queue.length === 0 && this.#publish(payload, extra)) return SENT
    return this.#defer(payload, extra)
  }

  /** @internal Sends a measured message; it is written before this returns. */
  sendPayload(payload: Payload, parameters: Parameters | Uint8Array | undefined): Promise<void> {
    if (this.#closed) this.#refuse()
    const extra = parameters instanceof Uint8Array ? parameters : encode(parameters)
    if (this.#queue.length === 0 && this.#publish(payload, extra)) return SENT
    return this.#defer(payload, extra)
  }

  /** Sends, and blocks the thread until every backpressure consumer has room. */
  sendSync(data: Sendable, parameters: Parameters | undefined, node: Stoppable): void {
    if (this.#closed) this.#refuse()
    const payload = this.#encoder.prepare(data)
    const extra = parameters === undefined ? null : encode(parameters)
    if (this.#queue.length === 0 && this.#publish(payload, extra)) return
    this.#sendBlocking(payload, extra, node)
  }

  #sendBlocking(payload: Payload, extra: Uint8Array | null, node: Stoppable): void {
    for (;;) {
      if ((this.#queue.length === 0 || this.attempt()) && this.#publish(payload, extra)) return
      if (this.#selfEdge) throw new SelfDeadlockError(this.id)
      this.#waiting.blockUntil(
        (sleeping, half) => this.#writer.ready(sleeping, half) || node.stopRequested,
        () => this.#writer.roomy() || node.stopRequested,
      )
      this.#writer.unwant()
      if (node.stopRequested && !this.#writer.ready(false)) throw new SendInterruptedError(this.id)
    }
  }

  /** Memory for a message, laid out as a finished Arrow stream. */
  loan<T extends ElementArray>(layout: LoanLayout<T>): Loan<T> {
    if (this.#closed) this.#refuse()
    this.large = true
    const form = this.#formOf(layout)
    const { name, elements } = form
    const chunk = this.#writer.isRead ? this.#writer.allocate(form.byteLength) : -1
    if (chunk < 0) return new Loan(this, null, ELEMENT_MAKERS[name](elements) as T)
    this.#writer.writeFrame(chunk, form.template, () => this.#prepareLoan(layout))
    const buffer = this.#writer.lend(chunk, form.byteLength)
    const array = viewElements(form.name, buffer, form.headerLength, elements)
    return new Loan(this, { chunk, form }, array as T)
  }

  #prepareLoan(layout: LoanLayout): Prepared {
    return this.#encoder.prepareLoan(layout.type as LoanType, layout.length)
  }

  /** What loans of one type and length have in common; usually it is that of the loan before. */
  #formOf(layout: LoanLayout): LoanForm {
    const last = this.#form
    if (last !== null && last.type === layout.type && last.length === layout.length) return last
    const prepared = this.#prepareLoan(layout)
    const { byteLength, headerLength, template } = prepared
    const { array, length: elements } = prepared.elements!
    const name = array.name as ElementName
    const { type, length } = layout
    const written = { byteLength, headerLength, template, flat: null, write: () => {} }
    this.#form = { ...written, type, length, name, elements }
    return this.#form
  }

  /** @internal Finds what is wrong with a send while the loan is still its owner's. */
  prepareSend(parameters: Parameters | undefined): Uint8Array | null {
    if (this.#closed) this.#refuse()
    return encode(parameters)
  }

  /** @internal */
  sendLoan(chunk: number, payload: Payload, extra: Uint8Array | null): Promise<void> {
    if (this.#queue.length === 0 && this.#writer.ready(false)) {
      this.#writer.publishChunk(chunk, payload, extra)
      return SENT
    }
    return this.#enqueue(payload, chunk, extra)
  }

  /** @internal */
  dropLoan(chunk: number): void {
    this.#writer.giveBack(chunk)
  }

  /** @internal */
  detachLoan(chunk: number, buffer: ArrayBuffer): void {
    this.#writer.detach(chunk, buffer)
  }

  /** Ends the output after everything that waits has been sent. */
  async close(): Promise<void> {
    const last = this.#queue.at(-1)
    if (last) await new Promise<void>((resolve) => this.#afterLast(last, resolve))
    this.#end()
  }

  /** The process ends; what still waits for room is not sent. @param last  nobody takes over: the output ends */
  abort(last = true): void {
    const error = new SendInterruptedError(this.id)
    for (const pending of this.#queue.splice(0)) pending.reject(error)
    if (last) this.#end()
  }

  #end(): void {
    this.#closed = true
    this.#writer.close()
  }

  attempt(): boolean {
    while (this.#queue.length > 0 && this.#writer.ready(false)) {
      const { payload, chunk, parameters, resolve, reject } = this.#queue[0]!
      try {
        if (chunk >= 0) this.#writer.publishChunk(chunk, payload, parameters)
        else if (!this.#publish(payload, parameters)) break
        resolve()
      } catch (error) {
        reject(error as Error)
      }
      this.#queue.shift()
    }
    if (this.#queue.length > 0) return false
    this.#writer.unwant()
    return true
  }

  pending(): boolean {
    return this.#writer.ready(true)
  }

  warm(): number {
    return this.#writer.warm()
  }

  #refuse(): never {
    const Mistake = this.#writer.printed ? PrintedOutputError : OutputClosedError
    throw new Mistake(this.#node, this.id)
  }

  /** Publishes a measured message; false: it has to wait until a consumer makes room in a queue, or gives memory back. */
  #publish(payload: Payload, parameters: Uint8Array | null): boolean {
    const writer = this.#writer
    if (!writer.ready(false)) return false
    if (!writer.isRead) return true
    const total = ((payload.byteLength + 7) & ~7) + (parameters?.byteLength ?? 0)
    if (total <= writer.inlineBytes) {
      writer.publishInline(payload, parameters)
      return true
    }
    return this.#publishLarge(payload, parameters, total)
  }

  #publishLarge(payload: Payload, parameters: Uint8Array | null, total: number): boolean {
    const writer = this.#writer
    this.large = true
    const chunk = writer.allocate(total)
    if (chunk < 0) return false
    writer.write(chunk, payload)
    writer.publishChunk(chunk, payload, parameters)
    return true
  }

  /** Keeps a message of its own copy until there is room: the caller may change its data after the call. */
  #defer(payload: Payload, parameters: Uint8Array | null): Promise<void> {
    if (this.full) {
      return Promise.reject(new TooManyPendingSendsError(this.id, MAX_PENDING_SENDS))
    }
    const { byteLength, headerLength } = payload
    const total = ((byteLength + 7) & ~7) + (parameters?.byteLength ?? 0)
    const chunk = total <= this.#writer.inlineBytes ? -1 : this.#writer.allocate(total)
    if (chunk >= 0) {
      this.#writer.write(chunk, payload)
      const written = { byteLength, headerLength, template: 0, flat: null, write: () => {} }
      return this.#enqueue(written, chunk, parameters)
    }
    const bytes = new Uint8Array(byteLength)
    payload.write(bytes, 0)
    const write = (target: Uint8Array, at: number) => target.set(bytes, at)
    return this.#enqueue(
      { byteLength, headerLength, template: 0, flat: null, write },
      -1,
      parameters,
    )
  }

  #enqueue(payload: Payload, chunk: number, parameters: Uint8Array | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ payload, chunk, parameters, resolve, reject })
      if (this.#queue.length === 1) this.#waiting.add(this)
    })
  }

  #afterLast(last: Pending, done: () => void): void {
    const { resolve, reject } = last
    last.resolve = () => {
      resolve()
      done()
    }
    last.reject = (error) => {
      reject(error)
      done()
    }
  }
}

function encode(parameters: Parameters | undefined): Uint8Array | null {
  if (parameters === undefined) return null
  let any = false
  for (const _ in parameters) {
    any = true
    break
  }
  if (!any) return null
  const bytes = encodeParameters(parameters)
  if (bytes.byteLength > MAX_PARAMETER_BYTES) {
    throw new ParameterError(
      "*",
      `all parameters together have ${bytes.byteLength} bytes, the limit is ${MAX_PARAMETER_BYTES}`,
    )
  }
  return bytes
}
