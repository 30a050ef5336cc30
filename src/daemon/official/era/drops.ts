// Drop tokens: a node of dora 0.x keeps the memory of a large message until it is told that nobody needs it any more. Section 8.4 of
// the protocol reference.
import type { HybridClock } from "../../../core/clock.ts"
import {
  decodeDropRequest,
  encodeDropEvents,
  encodeOldReply,
  OldRequest,
} from "../../../wire/bincode/messages.ts"
import { WireError } from "../../../wire/postcard.ts"
import type { Connection } from "../connection.ts"
import { requestOf } from "./form.ts"

/** Told at once: replies are small, so that a socket always has room for one. */
const TOLD_AT_ONCE = 256
/** The clock of files may be behind by so much. */
const FILE_CLOCK_MS = 50
/** Of a node that does not ask. */
const MAX_UNTOLD = 65_536

/** The tokens of one node. */
export class DropTokens {
  readonly #clock: HybridClock
  #finished: Uint8Array[] = []
  #waiter: Connection | null = null
  /** The node has taken its leave. */
  ended = false
  /** When the node has come, in Unix time; null: it is none that makes memory. */
  sinceMs: number | null = null

  constructor(clock: HybridClock) {
    this.#clock = clock
  }

  /** Does this connection wait for tokens? */
  awaitedBy(connection: Connection): boolean {
    return this.#waiter === connection
  }

  /** Serves a request if it is one about tokens. @throws WireError */
  serve(connection: Connection, body: Uint8Array): boolean {
    const request = requestOf(body)
    if (request < OldRequest.ReportDropTokens || request > OldRequest.NextFinishedDropTokens) {
      return false
    }
    connection.saw(decodeDropRequest(body))
    this.sinceMs ??= Date.now() - FILE_CLOCK_MS
    if (request === OldRequest.SubscribeDrop) {
      connection.reply(encodeOldReply({ type: "Result", error: null }))
    } else if (request === OldRequest.NextFinishedDropTokens) {
      if (this.#waiter) throw new WireError("two connections wait for drop tokens")
      this.#waiter = connection
      this.#flush()
    }
    return true
  }

  /** The memory of a message is free again. @throws WireError  its owner does not want to know */
  finish(token: Uint8Array): void {
    if (this.#finished.length >= MAX_UNTOLD) {
      throw new WireError(`${MAX_UNTOLD} drop tokens that the node does not ask for`)
    }
    this.#finished.push(token.slice())
    this.#flush()
  }

  /** There will be no more. */
  end(): void {
    this.ended = true
    this.#flush()
  }

  /** A connection is gone. */
  leave(connection: Connection): void {
    if (this.#waiter === connection) this.#waiter = null
  }

  #flush(): void {
    const waiter = this.#waiter
    if (!waiter || (this.#finished.length === 0 && !this.ended)) return
    this.#waiter = null
    const tokens = this.#finished.splice(0, TOLD_AT_ONCE)
    waiter.deliver(encodeDropEvents(tokens, this.#clock.stamp()))
  }
}
