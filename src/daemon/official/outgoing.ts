import { Borrow, type ConsumerPool } from "../../shm/consumer-pool.ts"
import { addressOf } from "../../shm/shared.ts"
import type { Writer } from "../../wire/postcard.ts"
import { CURRENT, type Form } from "./form.ts"
import type { Stalled } from "./lane.ts"
import { send, sendParts } from "./sockets.ts"

/** A buffer that one reply made larger than this is not kept for the next. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024

/**
 * One `NextEvents` reply on its way: events in one buffer, and between them large messages that are written from where
 * they lie.
 *
 * @example out.begin(); out.writer.raw(event); out.finish(1); while (!out.flush(fd)) await writable
 */
export class Outgoing {
  /** The generation of dora that the peer is of. */
  form: Form = CURRENT
  writer: Writer = this.form.writer()
  /** Bytes of large messages in this reply. */
  largeBytes = 0
  #cuts: { at: number; address: number; length: number }[] = []
  #borrows: Borrow[] = []
  /** Pairs of address and length that are not written yet. */
  #parts: number[] = []
  #next = 0

  /** Something waits to be written. */
  get pending(): boolean {
    return this.#next < this.#parts.length
  }

  /** Bytes of this reply so far. */
  get byteLength(): number {
    return this.writer.length + this.largeBytes
  }

  /** The peer turned out to be of another generation. */
  speak(form: Form): void {
    this.form = form
    this.writer = form.writer()
  }

  /** Starts a reply. */
  begin(): void {
    if (this.writer.length > MOST_KEPT_BYTES) this.writer = this.form.writer()
    this.writer.reset()
    for (let i = 0; i < this.form.room; i++) this.writer.byte(0)
    this.largeBytes = 0
    this.#cuts.length = 0
  }

  /** Here follow bytes of a large message, all unless it says which; it is given back when they are written. */
  splice(borrow: Borrow, from = 0, length = borrow.length): void {
    this.#cuts.push({ at: this.writer.length, address: borrow.address + from, length })
    this.#borrows.push(borrow)
    this.largeBytes += length
  }

  /** The reply has all its events. */
  finish(events: number): void {
    const bytes = this.writer.bytes
    let from = this.form.frame(bytes, events, this.largeBytes)
    const base = addressOf(bytes)
    this.#parts.length = 0
    this.#next = 0
    for (const { at, address, length } of this.#cuts) {
      this.#parts.push(base + from, at - from, address, length)
      from = at
    }
    this.#parts.push(base + from, bytes.byteLength - from)
  }

  /**
   * Takes over a reply of which a part is written.
   *
   * @param buffer  bytes that are there only now, if parts lie in it
   * @param poolOf  by the number of an input
   */
  adopt({ parts, loans }: Stalled, buffer: Uint8Array, poolOf: (input: number) => ConsumerPool) {
    const { writer } = this
    writer.reset()
    const from = addressOf(buffer)
    const kept: { part: number; at: number }[] = []
    for (let i = 0; i < parts.length; i += 2) {
      const at = parts[i]! - from
      if (at < 0 || at >= buffer.byteLength) continue
      kept.push({ part: i, at: writer.length })
      writer.raw(buffer.subarray(at, at + parts[i + 1]!))
    }
    // The writer's memory has moved as it grew.
    const base = addressOf(writer.bytes)
    for (const { part, at } of kept) parts[part] = base + at
    this.#parts = [...parts]
    this.#next = 0
    for (let i = 0; i < loans.length; i += 2) {
      this.#borrows.push(new Borrow(poolOf(loans[i]!), loans[i + 1]!, 0, 0))
    }
  }

  /** Writes what there is room for. @returns true when nothing is left */
  flush(fd: number): boolean {
    const parts = this.#parts
    while (this.#next < parts.length) {
      const at = this.#next
      const single = parts.length - at === 2
      const written = single ? send(fd, parts[at]!, parts[at + 1]!) : sendParts(fd, parts, at)
      if (written <= 0) return false
      this.#advance(written)
    }
    this.#release()
    return true
  }

  /** The peer is gone: what is borrowed goes back. */
  drop(): void {
    this.#parts = []
    this.#next = 0
    this.#release()
  }

  #advance(written: number): void {
    const parts = this.#parts
    let left = written
    while (left > 0) {
      const length = parts[this.#next + 1]!
      if (left < length) {
        parts[this.#next]! += left
        parts[this.#next + 1] = length - left
        return
      }
      left -= length
      this.#next += 2
    }
  }

  #release(): void {
    for (const borrow of this.#borrows) borrow.release()
    this.#borrows.length = 0
  }
}
