// One connection to the daemon.
import type { HybridClock } from "../core/clock.ts"
import { Deframer, frame } from "../wire/frame.ts"
import {
  type DaemonReply,
  type DaemonRequest,
  decodeReply,
  encodeRequest,
} from "../wire/messages.ts"
import { METADATA_VERSION } from "../wire/metadata.ts"
import { DaemonConnectionError } from "./errors.ts"

/** Accepted by every 1.x daemon. */
const PROTOCOL_VERSION = "1.0.0"

/** Whom to talk to, and as whom. */
export type SessionAddress = { hostname: string; port: number; dataflow: string; node: string }

/** One connection: requests are answered in order. */
export class Connection {
  readonly #clock: HybridClock
  readonly #waiting: { resolve: (reply: DaemonReply) => void; reject: (error: Error) => void }[] =
    []
  #socket: Bun.Socket | null = null
  #unsent: Uint8Array[] = []
  #broken: Error | null = null
  readonly #takers: (() => void)[] = []

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
    this.write(frame(encodeRequest(request, this.#clock.stamp())))
  }

  /** Sends a frame; `framed` is not copied. */
  write(framed: Uint8Array): void {
    if (this.#broken) return
    this.#unsent.push(framed)
    this.#flush()
  }

  /** Resolves when the system has taken everything. @throws DaemonConnectionError */
  async taken(): Promise<void> {
    while (this.#unsent.length > 0 && !this.#broken) {
      await new Promise<void>((resolve) => {
        this.#takers.push(resolve)
      })
    }
    if (this.#broken) throw this.#broken
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
    for (const resolve of this.#takers.splice(0)) resolve()
  }

  #fail(why: string, cause?: unknown): void {
    if (this.#broken) return
    this.#broken = new DaemonConnectionError(why, cause)
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken)
    for (const resolve of this.#takers.splice(0)) resolve()
    this.#socket?.end()
  }
}
