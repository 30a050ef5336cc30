// One connection of a node: requests in, replies out, in order. Rules: section 2.4 of the protocol reference.
import type { HybridClock, Stamp } from "../core/clock.ts"
import { FRAME_TIMEOUT_MS } from "../core/limits.ts"
import { Deframer, frame } from "../wire/frame.ts"
import {
  type DaemonReply,
  decodeRequest,
  encodeNextEvents,
  encodeReply,
  type ReceivedRequest,
} from "../wire/messages.ts"
import { METADATA_VERSION } from "../wire/metadata.ts"
import { readOldRegister } from "../wire/bincode/messages.ts"
import { WireError } from "../wire/postcard.ts"
import type { Mailbox } from "./mailbox.ts"

/** What a session needs to know of the dataflow. */
export interface SessionHost {
  readonly dataflow: string
  readonly clock: HybridClock
  node(id: string): SessionNode | null
  warn(message: string): void
  /** The configuration of a node that is started by hand, as JSON; or why there is none. */
  configuration?(node: string): unknown
  /** A node speaks the protocol of dora 0.x, in which its version was this. */
  era?(node: string, version: string): void
}

/** A node as its sessions see it. */
export interface SessionNode {
  readonly id: string
  readonly outputs: readonly string[]
  readonly mailbox: Mailbox
  /**
   * The node waits at the start barrier.
   *
   * @param reply  called once, with null or the reason why it may not go on
   * @returns      to be called when the node hangs up before that
   */
  subscribe(reply: (error: string | null) => void): () => void
  closeOutputs(outputs: readonly string[]): void
  /** Its process sends nothing more. */
  outputsDone(): void
}

/** How requests and replies of one generation of dora are written. */
export type SessionCodec = {
  decodeRequest(body: Uint8Array): { request: ReceivedRequest; stamp: Stamp }
  encodeReply(reply: Exclude<DaemonReply, { type: "NextEvents" }>): Uint8Array
  /** From events that are encoded for 1.x. */
  encodeNextEvents(events: readonly Uint8Array[]): Uint8Array
}

/** The socket below a session. */
export interface SessionSocket {
  write(bytes: Uint8Array): number
  pause(): void
  resume(): void
  end(): void
}

/** Serves one connection until it closes. */
export class Session {
  readonly #host: SessionHost
  readonly #socket: SessionSocket
  readonly #deframer: Deframer
  readonly #frameTimeoutMs: number
  /** May be set before the first request. */
  codec: SessionCodec = { decodeRequest, encodeReply, encodeNextEvents }
  #node: SessionNode | null = null
  #subscribed = false
  /** What to undo when the node hangs up while it waits for a reply. */
  #parked: (() => void) | null = null
  /** The part of the last replies that the socket did not take yet. */
  #unsent: Uint8Array[] = []
  #frameTimer: Timer | null = null
  #closed = false
  #warned = false

  /** @param frameTimeoutMs  from the first byte of a frame to its last */
  constructor(host: SessionHost, socket: SessionSocket, frameTimeoutMs = FRAME_TIMEOUT_MS) {
    this.#host = host
    this.#frameTimeoutMs = frameTimeoutMs
    this.#socket = socket
    this.#deframer = new Deframer((body) => this.#frame(body))
  }

  /** Who speaks here, once it has registered. */
  get node(): SessionNode | null {
    return this.#node
  }

  /** Its node has been let past the barrier here, and no request waits for an answer. */
  get streaming(): boolean {
    return this.#subscribed && this.#parked === null
  }

  /** A request waits for its answer. */
  get busy(): boolean {
    return this.#parked !== null
  }

  /** Bytes came in. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return
    try {
      this.#deframer.push(chunk)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.refuse(error.message)
      return
    }
    this.#watchFrame()
  }

  /** The socket takes bytes again. */
  drain(): void {
    while (this.#unsent.length > 0) {
      const next = this.#unsent[0]!
      const written = Math.max(this.#socket.write(next), 0)
      if (written < next.byteLength) {
        this.#unsent[0] = next.subarray(written)
        return
      }
      this.#unsent.shift()
    }
    this.#socket.resume()
  }

  /** The connection is gone. */
  closed(): void {
    this.#closed = true
    this.#unsent = []
    this.#parked?.()
    this.#parked = null
    if (this.#frameTimer) clearTimeout(this.#frameTimer)
  }

  /** A frame that began must end in time; between frames a node may be silent for ever. */
  #watchFrame(): void {
    if (this.#frameTimer && !this.#deframer.pending) {
      clearTimeout(this.#frameTimer)
      this.#frameTimer = null
    } else if (!this.#frameTimer && this.#deframer.pending && !this.#closed) {
      this.#frameTimer = setTimeout(
        () => this.refuse("a frame was not completed in time"),
        this.#frameTimeoutMs,
      )
      this.#frameTimer.unref()
    }
  }

  #frame(body: Uint8Array): void {
    if (this.#closed) return
    let decoded: { request: ReceivedRequest; stamp: Stamp }
    try {
      decoded = this.codec.decodeRequest(body)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      const old = readOldRegister(body)
      if (old) this.#host.era?.(old.node, old.version)
      this.refuse(old ? `it speaks the protocol of an older dora (${old.version})` : error.message)
      return
    }
    if (!this.#host.clock.merge(decoded.stamp) && !this.#warned) {
      this.#warned = true
      this.#host.warn(`the clock of ${this.#name()} is more than 500 ms ahead`)
    }
    this.#request(decoded.request)
  }

  #request(request: ReceivedRequest): void {
    // A client that does not wait for its reply has lost count; so would we.
    if (this.#parked) return this.refuse(`${request.type} while another request is pending`)
    const node = this.#node
    if (!node) return this.#register(request)
    switch (request.type) {
      case "Register":
        return this.#result("unexpected register message")
      case "NodeConfig":
        return this.#result("unexpected node config message")
      case "Subscribe":
        return this.#subscribe(node)
      case "NextEvent":
        return this.#nextEvent(node)
      case "CloseOutputs":
        return this.#closeOutputs(node, request.outputs)
      case "OutputsDone":
        node.outputsDone()
        return this.#result(null)
      case "EventStreamDropped":
        node.mailbox.end()
        return this.#result(null)
      case "SendMessage":
      case "OutputSent":
        // Nodes that are let past the barrier send through memory.
        return this.#warnOnce(`node ${node.id} sends over TCP; its message is dropped`)
      default:
        return this.#result(`${request.type} is not supported by this daemon`)
    }
  }

  #register(request: ReceivedRequest): void {
    if (request.type === "NodeConfig" && this.#host.configuration) {
      const result = this.#host.configuration(request.node)
      return this.#reply(new TextEncoder().encode(JSON.stringify({ NodeConfig: { result } })))
    }
    if (request.type !== "Register") return this.#deny("must send register message first")
    const { dataflow, node: id, metadataVersion } = request
    if (metadataVersion !== METADATA_VERSION) {
      return this.#deny(
        `message wire-format mismatch: node ${id} (dora ${request.version}) has metadata version ${metadataVersion}, this daemon ${METADATA_VERSION}`,
      )
    }
    if (dataflow !== this.#host.dataflow)
      return this.#deny(`no running dataflow with ID \`${dataflow}\``)
    const node = this.#host.node(id)
    if (!node) return this.#deny(`no node with ID \`${id}\``)
    this.#node = node
    this.#result(null)
  }

  #subscribe(node: SessionNode): void {
    if (this.#subscribed) return this.#result("this node has subscribed already")
    this.#subscribed = true
    let answered = false
    const cancel = node.subscribe((error) => {
      answered = true
      this.#parked = null
      this.#result(error)
    })
    if (!answered) this.#parked = cancel
  }

  #nextEvent(node: SessionNode): void {
    if (!this.#subscribed) return this.#result("NextEvent before Subscribe")
    let answered = false
    const waiter = (events: Uint8Array[]) => {
      answered = true
      this.#parked = null
      this.#reply(this.codec.encodeNextEvents(events))
    }
    if (!node.mailbox.next(waiter)) return this.#result("another connection is waiting for events")
    if (!answered) this.#parked = () => node.mailbox.forget(waiter)
  }

  #closeOutputs(node: SessionNode, outputs: readonly string[]): void {
    const unknown = outputs.find((output) => !node.outputs.includes(output))
    if (unknown !== undefined) return this.#result(`node ${node.id} has no output ${unknown}`)
    node.closeOutputs(outputs)
    this.#result(null)
  }

  #result(error: string | null): void {
    this.#reply(this.codec.encodeReply({ type: "Result", error }))
  }

  #reply(body: Uint8Array): void {
    if (this.#closed) return
    const bytes = frame(body)
    if (this.#unsent.length > 0) {
      this.#unsent.push(bytes)
      return
    }
    const written = Math.max(this.#socket.write(bytes), 0)
    if (written === bytes.byteLength) return
    // Who does not read gets no more requests read: replies can't pile up.
    this.#unsent.push(bytes.subarray(written))
    this.#socket.pause()
  }

  /** Answers and hangs up. */
  #deny(reason: string): void {
    this.#result(reason)
    this.refuse(reason)
  }

  /** Hangs up on a peer that can't be talked with. */
  refuse(reason: string): void {
    if (this.#closed) return
    this.#host.warn(`connection of ${this.#name()} closed: ${reason}`)
    this.closed()
    this.#socket.end()
  }

  #warnOnce(message: string): void {
    if (!this.#warned) this.#host.warn(message)
    this.#warned = true
  }

  #name(): string {
    return this.#node ? `node ${this.#node.id}` : "an unknown process"
  }
}
