// A client of the official node protocol and nothing more, for tests of the daemon: no memory, no queues, no clock drift.
import { connect, type Socket } from "node:net"
import { HybridClock } from "../core/clock.ts"
import { ATTACHED_WORD } from "../shm/layout.ts"
import { type NodePlan, PLAN_VARIABLE } from "../shm/plan.ts"
import {
  CONFIG_VARIABLE,
  daemonAddress,
  decodeNodeConfig,
  type NodeConfig,
} from "../wire/config.ts"
import type { ReceivedEvent } from "../wire/events.ts"
import { Deframer, frame } from "../wire/frame.ts"
import {
  type DaemonReply,
  type DaemonRequest,
  decodeReply,
  encodeRequest,
} from "../wire/messages.ts"
import { METADATA_VERSION } from "../wire/metadata.ts"

/**
 * One connection to a daemon.
 *
 * @example const client = await Client.connect({ hostname: "127.0.0.1", port }); await client.request({ type: "Subscribe" })
 */
export class Client {
  /** Resolves when the daemon has hung up. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #clock = new HybridClock()
  readonly #replies: DaemonReply[] = []
  readonly #waiting: ((reply: DaemonReply) => void)[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    const deframer = new Deframer((body) => {
      const reply = decodeReply(body.slice())
      const waiting = this.#waiting.shift()
      if (waiting) waiting(reply)
      else this.#replies.push(reply)
    })
    socket.on("data", (chunk: Uint8Array) => deframer.push(chunk))
    socket.on("error", () => {})
    this.closed = new Promise((resolve) => {
      socket.on("close", () => resolve())
    })
  }

  /** Opens a connection. */
  static connect(address: { hostname: string; port: number }): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address.hostname, port: address.port, noDelay: true })
      socket.once("error", reject)
      socket.once("connect", () => {
        socket.off("error", reject)
        resolve(new Client(socket))
      })
    })
  }

  /** Sends a request and waits for its reply. */
  request(request: DaemonRequest): Promise<DaemonReply> {
    this.send(request)
    return this.reply()
  }

  /** The next reply. */
  reply(): Promise<DaemonReply> {
    const reply = this.#replies.shift()
    if (reply) return Promise.resolve(reply)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** Sends a request. */
  send(request: DaemonRequest): void {
    this.sendBytes(frame(encodeRequest(request, this.#clock.stamp())))
  }

  /** Sends any bytes. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Introduces itself as a node. */
  register(config: Pick<NodeConfig, "dataflow_id" | "node_id">): Promise<DaemonReply> {
    return this.request({
      type: "Register",
      dataflow: config.dataflow_id,
      node: config.node_id,
      version: "1.1.0",
      metadataVersion: METADATA_VERSION,
    })
  }

  /** Stops reading, so that the daemon's replies pile up. */
  pause(): void {
    this.#socket.pause()
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume()
  }

  /** Hangs up. */
  close(): void {
    this.#socket.destroy()
  }
}

/**
 * A node that keeps to the official order of connections and requests; see section 2.3 of the protocol reference.
 *
 * @example const node = await WireNode.start(); for (const event of await node.next()) … ; await node.finish()
 */
export class WireNode {
  readonly config: NodeConfig
  readonly #events: Client
  readonly #closing: Client
  readonly #control: Client

  private constructor(config: NodeConfig, events: Client, closing: Client, control: Client) {
    this.config = config
    this.#events = events
    this.#closing = closing
    this.#control = control
  }

  /**
   * Starts from the environment and returns when the start barrier is open.
   *
   * @param attach  maps the shared memory of its plan, as a node of ours does
   */
  static async start(attach = true): Promise<WireNode> {
    const config = await decodeNodeConfig(process.env[CONFIG_VARIABLE] ?? "")
    const address = daemonAddress(config)
    if (!address) throw new Error("no daemon")
    const events = await Client.connect(address)
    const closing = await Client.connect(address)
    expectOk(await events.register(config))
    if (attach) attachToInbox()
    expectOk(await events.request({ type: "Subscribe" }))
    expectOk(await closing.register(config))
    const control = await Client.connect(address)
    expectOk(await control.register(config))
    return new WireNode(config, events, closing, control)
  }

  /** The next events; none when the stream has ended. */
  async next(): Promise<ReceivedEvent[]> {
    const reply = await this.#events.request({ type: "NextEvent" })
    if (reply.type !== "NextEvents") throw new Error(JSON.stringify(reply))
    return reply.events.map(({ event }) => event)
  }

  /** Closes some outputs. */
  async closeOutputs(outputs: string[]): Promise<void> {
    expectOk(await this.#control.request({ type: "CloseOutputs", outputs }))
  }

  /** Takes leave as official nodes do. */
  async finish(): Promise<void> {
    expectOk(await this.#closing.request({ type: "EventStreamDropped" }))
    expectOk(
      await this.#control.request({
        type: "CloseOutputs",
        outputs: this.config.run_config.outputs,
      }),
    )
    expectOk(await this.#control.request({ type: "OutputsDone" }))
    for (const client of [this.#events, this.#closing, this.#control]) client.close()
  }
}

function attachToInbox(): void {
  const plan = JSON.parse(process.env[PLAN_VARIABLE] ?? "") as NodePlan
  const bytes = Bun.mmap(`/proc/${plan.pid}/fd/${plan.inbox.fd}`, { shared: true })
  Atomics.store(new Int32Array(bytes.buffer, 0, 16), ATTACHED_WORD, process.pid)
}

function expectOk(reply: DaemonReply): void {
  if (reply.type !== "Result" || reply.error !== null) throw new Error(JSON.stringify(reply))
}
