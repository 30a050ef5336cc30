// The session with the daemon: dora's official node protocol, two connections. One carries the long poll for events, the
// other requests. Neither keeps the program alive.
import { HybridClock } from "../core/clock.ts"
import type { ReceivedEvent } from "../wire/events.ts"
import { Connection, type SessionAddress } from "./connection.ts"
import type { Event } from "./event.ts"

/** What the session brings: events in the daemon's order, and the end of the connection. */
export interface SessionListener {
  event(event: ReceivedEvent): void
  broken(error: Error): void
  /** The process ends: what was sent must have left the program when this returns. */
  exiting?(): void
}

/** A node's session with its daemon. */
export interface NodeSession {
  /** Resolves when the start barrier is released. @throws DaemonConnectionError */
  start(address: SessionAddress, listener: SessionListener): Promise<void>
  /** Tells the daemon that outputs have ended. */
  closeOutputs(outputs: string[]): Promise<void>
  /** Says goodbye; nothing is awaited, so that a program can end at once. */
  close(): void
}

/** A session with a daemon that shares memory: messages don't come this way. */
export class Session implements NodeSession {
  readonly #clock = new HybridClock()
  readonly #events = new Connection(this.#clock)
  readonly #requests = new Connection(this.#clock)
  #closed = false

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

  async closeOutputs(outputs: string[]): Promise<void> {
    await this.#requests.request({ type: "CloseOutputs", outputs })
  }

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
    case "InputClosed":
      return { type: "INPUT_CLOSED", id: received.id }
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
