// What an output of an operator writes to: the rings of other processes, and the queues of siblings.
import type { Writer } from "../node/writer.ts"
import type { FlowClock } from "../shm/clock.ts"
import type { Payload } from "../shm/payload.ts"
import type { OutputWriter } from "../shm/writer.ts"
import type { SiblingEdge } from "./sibling.ts"

/** More than a message can have. */
const ANY_BYTES = 0x7fff_ffff

/** Writes every message to both. */
export class FanWriter implements Writer {
  readonly #rings: OutputWriter
  readonly #siblings: readonly SiblingEdge[]
  readonly #clock: FlowClock
  readonly #waits: boolean
  /** Do other processes read it too? */
  readonly #leaves: boolean
  readonly isRead = true
  /** Siblings alone take messages of any size. */
  readonly inlineBytes: number

  constructor(rings: OutputWriter, siblings: readonly SiblingEdge[], clock: FlowClock) {
    this.#rings = rings
    this.#siblings = siblings
    this.#clock = clock
    this.#waits = siblings.some((edge) => edge.backpressure)
    this.#leaves = rings.isRead
    this.inlineBytes = this.#leaves ? rings.inlineBytes : ANY_BYTES
  }

  get id(): string {
    return this.#rings.id
  }

  get closed(): boolean {
    return this.#rings.closed
  }

  get printed(): boolean {
    return this.#rings.printed
  }

  get edges(): OutputWriter["edges"] {
    return this.#rings.edges
  }

  ready(ask: boolean, half = false): boolean {
    const ready = !this.#leaves || this.#rings.ready(ask, half)
    return this.#waits ? this.#hasRoom(ask) && ready : ready
  }

  #hasRoom(ask: boolean): boolean {
    let ready = true
    for (const edge of this.#siblings) {
      if (!edge.backpressure || edge.gone || edge.hasRoom()) continue
      edge.wanted = ask
      ready = false
    }
    return ready
  }

  roomy(): boolean {
    return this.#rings.roomy() && this.ready(false)
  }

  unwant(): void {
    this.#rings.unwant()
  }

  publishInline(payload: Payload, parameters: Uint8Array | null): void {
    if (this.#leaves) this.#rings.publishInline(payload, parameters)
    else this.#clock.stamp()
    this.#push(payload, parameters)
  }

  publishChunk(chunk: number, payload: Payload, parameters: Uint8Array | null): void {
    // Before the rings have it, which take the chunk over. It is written already, whatever `payload` would write.
    const { byteLength, headerLength, template } = payload
    const bytes = this.#rings.view(chunk, byteLength)
    const write = (target: Uint8Array, at: number) => target.set(bytes, at)
    this.#clock.stamp()
    this.#push({ byteLength, headerLength, template, flat: null, write }, parameters)
    this.#rings.publishChunk(chunk, payload, parameters)
  }

  #push(payload: Payload, parameters: Uint8Array | null): void {
    const { seconds, fraction } = this.#clock
    for (let i = 0; i < this.#siblings.length; i++) {
      this.#siblings[i]!.push(payload, parameters, seconds, fraction)
    }
  }

  allocate(bytes: number): number {
    return this.#rings.allocate(bytes)
  }

  giveBack(chunk: number): void {
    this.#rings.giveBack(chunk)
  }

  write(chunk: number, payload: Payload): void {
    this.#rings.write(chunk, payload)
  }

  writeFrame(chunk: number, template: number, payload: () => Payload): void {
    this.#rings.writeFrame(chunk, template, payload)
  }

  lend(chunk: number, length: number): ArrayBuffer {
    return this.#rings.lend(chunk, length)
  }

  detach(chunk: number, buffer: ArrayBuffer): void {
    this.#rings.detach(chunk, buffer)
  }

  /** Siblings have queues of JavaScript. */
  share(): null {
    return null
  }

  wake(): void {
    this.#rings.wake()
  }

  warm(): number {
    return this.#rings.warm()
  }

  close(): void {
    this.#rings.close()
    for (const edge of this.#siblings) edge.end()
  }
}
