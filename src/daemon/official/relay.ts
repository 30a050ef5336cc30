// The daemon's handle on its relay thread.
import { MessageChannel, Worker } from "node:worker_threads"
import { closeFd, createPipe, writeByte } from "../../shm/libc.ts"
import { FRAME_TIMEOUT_MS } from "../../core/limits.ts"
import { LANE_COUNTS } from "./lane.ts"
import type { RelayCommand, RelayPlan, RelayReport } from "./messages.ts"

/** Which nodes a relay serves, and within which limits. */
export type RelayOptions = Omit<
  RelayPlan,
  "commandFd" | "frameTimeoutMs" | "dynamicPort" | "healthCheckNs" | "counts"
> & {
  healthCheckNs?: number
  frameTimeoutMs?: number
  dynamicPort?: number | null
}

const defaults = { frameTimeoutMs: FRAME_TIMEOUT_MS, dynamicPort: null, healthCheckNs: 5e9 }

/** What the relay needs of the daemon. */
export interface RelayHost {
  subscribe(node: string, relayed: boolean, reply: (error: string | null) => void): () => void
  closeOutputs(node: string, outputs: string[]): void
  /** A node that was started by hand has gone. */
  left(node: string): void
  /** A peer of an older protocol was turned away. */
  era(node: string, version: string): void
  /** A node hangs. */
  hangs(node: string, ms: number): void
  warn(message: string): void
  /** The thread has died, and every node that it served with it. */
  crashed(error: unknown): void
}

/** Serves the official nodes of one dataflow in a thread of its own. */
export class Relay implements AsyncDisposable {
  /** `host:port` at which these nodes find their daemon. */
  readonly address: string
  readonly #thread: Thread

  /** Starts the thread; resolves when it listens. */
  static async start(plan: RelayOptions, host: RelayHost): Promise<Relay> {
    const thread = new Thread(plan, host)
    try {
      return new Relay(thread, `127.0.0.1:${await thread.listening}`)
    } catch (error) {
      await thread.end()
      throw error
    }
  }

  private constructor(thread: Thread, address: string) {
    this.#thread = thread
    this.address = address
  }

  /** Messages that the fast lane has passed, from sockets into memory and into replies, and how often it was awake for one. */
  get lane(): { in: number; out: number; awake: number } {
    const { counts } = this.#thread
    const { IN, OUT, AWAKE } = LANE_COUNTS
    return { in: counts[IN]!, out: counts[OUT]!, awake: counts[AWAKE]! }
  }

  /** Adds an encoded event to what a node is told. */
  push(node: string, bytes: Uint8Array): void {
    this.#thread.send({ type: "event", node, bytes })
  }

  /** A node is told no more. */
  endEvents(node: string): void {
    this.#thread.send({ type: "endEvents", node })
  }

  /** May a node be started again? Then its wish to end its outputs is not heeded. */
  mayRestart(node: string, value: boolean): void {
    this.#thread.send({ type: "mayRestart", node, value })
  }

  /** The process of a node is dead; resolves when everything that it had sent is with its consumers. */
  drained(node: string): Promise<void> {
    return this.#thread.drained(node)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#thread.end()
  }
}

/** The thread, its port and its pipe. */
class Thread {
  readonly listening: Promise<number>
  readonly counts = new Int32Array(new SharedArrayBuffer(4 * Object.keys(LANE_COUNTS).length))
  readonly #host: RelayHost
  readonly #worker: Worker
  readonly #port: MessageChannel["port1"]
  readonly #pipe: [number, number]
  readonly #ended: Promise<void>
  readonly #draining = new Map<string, () => void>()
  /** What to undo when a node that waits at the barrier hangs up. */
  readonly #parked = new Map<string, () => void>()
  #setListening: (port: number) => void = () => {}
  #setEnded: () => void = () => {}
  #failed = false

  constructor(plan: RelayOptions, host: RelayHost) {
    this.#host = host
    this.#pipe = createPipe()
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#ended = new Promise((resolve) => {
      this.#setEnded = resolve
    })
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: {
        plan: { ...defaults, ...plan, commandFd: this.#pipe[0], counts: this.counts },
        port: port2,
      },
      transferList: [port2],
    })
    this.listening = new Promise((resolve, reject) => {
      this.#setListening = resolve
      this.#worker.on("error", (error) => {
        reject(error)
        this.#crashed(error)
      })
    })
    this.#port.on("message", (report: RelayReport) => this.#report(report))
  }

  send(command: RelayCommand): void {
    if (this.#failed) return
    this.#port.postMessage(command)
    writeByte(this.#pipe[1])
  }

  drained(node: string): Promise<void> {
    if (this.#failed) return Promise.resolve()
    this.#parked.delete(node)
    return new Promise((resolve) => {
      this.#draining.set(node, resolve)
      this.send({ type: "exited", node })
    })
  }

  async end(): Promise<void> {
    this.send({ type: "end" })
    if (!this.#failed) await this.#ended
    this.#failed = true
    this.#port.close()
    await this.#worker.terminate()
    for (const fd of this.#pipe) closeFd(fd)
  }

  #report(report: RelayReport): void {
    switch (report.type) {
      case "listening":
        return this.#setListening(report.port)
      case "subscribe":
        return this.#subscribe(report.node, report.relayed)
      case "hungUp":
        this.#parked.get(report.node)?.()
        this.#parked.delete(report.node)
        return
      case "closeOutputs":
        return this.#host.closeOutputs(report.node, report.outputs)
      case "left":
        return this.#host.left(report.node)
      case "drained":
        this.#draining.get(report.node)?.()
        this.#draining.delete(report.node)
        return
      case "era":
        return this.#host.era(report.node, report.version)
      case "hangs":
        return this.#host.hangs(report.node, Math.round(report.ns / 1e6))
      case "warn":
        return this.#host.warn(report.message)
      case "ended":
        this.#setEnded()
    }
  }

  #subscribe(node: string, relayed: boolean): void {
    let answered = false
    const cancel = this.#host.subscribe(node, relayed, (error) => {
      answered = true
      this.#parked.delete(node)
      this.send({ type: "answer", node, error })
    })
    if (!answered) this.#parked.set(node, cancel)
  }

  #crashed(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#setEnded()
    for (const resolve of this.#draining.values()) resolve()
    this.#draining.clear()
    this.#host.crashed(error)
  }
}
