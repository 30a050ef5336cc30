// The session with the daemon: dora's official node protocol, two connections. One carries the long poll for events, the
// other requests. Neither keeps the program alive.
import { HybridClock } from "../core/clock.ts"
import { Deframer, frame } from "../wire/frame.ts"
import {
  type DaemonReply,
  type DaemonRequest,
  decodeReply,
  encodeRequest,
} from "../wire/messages.ts"
import { METADATA_VERSION } from "../wire/metadata.ts"
import type { ReceivedEvent } from "../wire/events.ts"
import { DaemonConnectionError } from "./errors.ts"
import type { Event } from "./event.ts"

/** Accepted by every 1.x daemon. */
const PROTOCOL_VERSION = "1.0.0"

/** Whom to talk to, and as whom. */
export type SessionAddress = { hostname: string; port: number; dataflow: string; node: string }

/** One connection: requests are answered in order. */
class Connection {
  readonly #clock: HybridClock
  readonly #waiting: { resolve: (reply: DaemonReply) => void; reject: (error: Error) => void }[] =
    []
  #socket: Bun.Socket | null = null
  #unsent: Uint8Array[] = []
  #broken: Error | null = null

  constructor(clock: HybridClock) {
    this.#clock = clock
  }

  async open(address: SessionAddress): Promise<void> {
    const deframer = new Deframer((body) => {
      // Read first: who waits for something unreadable must still be there to be told.
      const reply = decodeReply(body)
      this.#waiting.shift()?.resolve(reply)
    })
    const fail = (why: string, cause?: unknown) => this.#fail(why, cause)
    try {
      this.#socket = await Bun.connect({
        hostname: address.hostname,
        port: address.port,
        socket: {
          data(_, bytes) {
            try {
              deframer.push(bytes)
            } catch (error) {
              fail("the daemon sent something unreadable", error)
            }
          },
          drain: () => this.#flush(),
          close: () => fail("the connection to the daemon was closed"),
          error: (_, error) => fail("the connection to the daemon broke", error),
        },
      })
    } catch (cause) {
      throw new DaemonConnectionError(`no daemon at ${address.hostname}:${address.port}`, cause)
    }
    this.#socket.setNoDelay(true)
    this.#socket.unref()
    const { dataflow, node } = address
    const version = PROTOCOL_VERSION
    const metadataVersion = METADATA_VERSION
    await this.request({ type: "Register", dataflow, node, version, metadataVersion })
  }

  /** Sends a request that has an answer. @throws DaemonConnectionError  also when the daemon answers with an error */
  async request(request: DaemonRequest): Promise<DaemonReply> {
    if (this.#broken) throw this.#broken
    const reply = await new Promise<DaemonReply>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.post(request)
    })
    if (reply.type === "Result" && reply.error !== null)
      throw new DaemonConnectionError(reply.error)
    return reply
  }

  /** Sends a request without an answer. */
  post(request: DaemonRequest): void {
    this.#unsent.push(frame(encodeRequest(request, this.#clock.stamp())))
    this.#flush()
  }

  /** Keeps the program alive, or not. */
  hold(alive: boolean): void {
    if (alive) this.#socket?.ref()
    else this.#socket?.unref()
  }

  end(): void {
    this.#socket?.end()
  }

  #flush(): void {
    while (this.#socket && this.#unsent.length > 0) {
      const next = this.#unsent[0]!
      const written = this.#socket.write(next)
      if (written < 0) return
      if (written < next.byteLength) {
        this.#unsent[0] = next.subarray(written)
        return
      }
      this.#unsent.shift()
    }
  }

  #fail(why: string, cause?: unknown): void {
    if (this.#broken) return
    this.#broken = new DaemonConnectionError(why, cause)
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
    this.#socket?.end()
  }
}

/** What the session brings: events in the daemon's order, and the end of the connection. */
export interface SessionListener {
  event(event: ReceivedEvent): void
  broken(error: Error): void
}

/** A node's session with its daemon. */
export class Session {
  readonly #clock = new HybridClock()
  readonly #events = new Connection(this.#clock)
  readonly #requests = new Connection(this.#clock)
  #closed = false

  /** Connects, and subscribes: resolves when the start barrier is released. @throws DaemonConnectionError */
  async start(address: SessionAddress, listener: SessionListener): Promise<void> {
    this.#events.hold(true)
    await this.#events.open(address)
    // Somebody waits for the barrier: until then the program must not end.
    this.#events.hold(true)
    await this.#events.request({ type: "Subscribe" })
    await this.#requests.open(address)
    this.#events.hold(false)
    void this.#listen(listener)
  }

  async #listen(listener: SessionListener): Promise<void> {
    try {
      for (;;) {
        const reply = await this.#events.request({ type: "NextEvent" })
        if (reply.type !== "NextEvents") continue
        if (reply.events.length === 0) return
        for (const { event, stamp } of reply.events) {
          this.#clock.merge(stamp)
          listener.event(event)
        }
      }
    } catch (error) {
      if (!this.#closed) listener.broken(error as Error)
    }
  }

  /** Tells the daemon that outputs have ended. */
  async closeOutputs(outputs: string[]): Promise<void> {
    await this.#requests.request({ type: "CloseOutputs", outputs })
  }

  /** Says goodbye; nothing is awaited, so that a program can end at once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#requests.post({ type: "OutputsDone" })
    this.#requests.end()
    this.#events.end()
  }
}

/** What a node is told of an event of the session; null for what it learns from shared memory. */
export function eventOf(received: ReceivedEvent): Event | null {
  switch (received.type) {
    case "Reload":
      return { type: "RELOAD", operator: received.operator }
    case "InputRecovered":
      return { type: "INPUT_RECOVERED", id: received.id }
    case "NodeRestarted":
      return { type: "NODE_RESTARTED", id: received.node }
    case "NodeFailed": {
      const { source, inputs, error } = received
      return { type: "NODE_FAILED", id: source, inputs, error }
    }
    case "ParamUpdate": {
      const value: unknown = JSON.parse(new TextDecoder().decode(received.json))
      return { type: "PARAM_UPDATE", key: received.key, value }
    }
    case "ParamDeleted":
      return { type: "PARAM_DELETED", key: received.key }
    default:
      return null
  }
}
