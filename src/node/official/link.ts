// The thread's work: to the official daemon it is the node, to the program it is everybody else.
import { HybridClock } from "../../core/clock.ts"
import { MAX_FRAME_BYTES } from "../../core/limits.ts"
import { ABANDONED_WORD, STOP_WORD } from "../../shm/layout.ts"
import { PassingOutput } from "../../shm/passing.ts"
import type { EdgePlan } from "../../shm/plan.ts"
import type { Inbox } from "../../shm/segment.ts"
import type { ReceivedEvent } from "../../wire/events.ts"
import { type Message, readForeignParameters } from "../../wire/metadata.ts"
import { Reader, WireError } from "../../wire/postcard.ts"
import { frameSendMessage } from "../../wire/relay.ts"
import { Connection } from "../connection.ts"
import type { InputEvent } from "../event.ts"
import { mapPlan, type Mapped } from "../memory-link.ts"
import { Receiver } from "../receiver.ts"
import type { Waiter } from "../waiter.ts"
import { Arrivals } from "./arrivals.ts"
import type { LinkPlan, LinkReport } from "./messages.ts"

/** While more than this waits for room in `backpressure` queues, the daemon is not asked for events. */
const MOST_WAITING = 1000
const MOST_WAITING_BYTES = 64 * 1024 * 1024

const NOTHING = new Uint8Array(0)

/** A node's session with the official daemon, and its rings with the program. */
export class DaemonLink {
  readonly #plan: LinkPlan
  readonly #report: (report: LinkReport) => void
  readonly #clock = new HybridClock()
  readonly #clockId: Uint8Array
  readonly #events = new Connection(this.#clock)
  readonly #requests = new Connection(this.#clock)
  readonly #memory: Mapped
  readonly #node: Inbox
  readonly #receiver: Receiver
  readonly #arrivals = new Map<string, Arrivals>()
  #closing = false
  readonly #closed = Promise.withResolvers<void>()
  #broken = false
  /** Called when messages that waited have found room. */
  #madeRoom = () => {}

  constructor(plan: LinkPlan, report: (report: LinkReport) => void) {
    this.#plan = plan
    this.#report = report
    const { node, link } = plan
    this.#clockId = Uint8Array.fromHex(node.clockId)
    this.#memory = mapPlan(link)
    const { own, inboxOf, clock, waiting } = this.#memory
    this.#node = inboxOf(node.inbox, node.wakeFd)
    this.#receiver = new Receiver(link, own, inboxOf, clock)
    const edgeInbox = (edge: EdgePlan) => inboxOf(edge.inbox, edge.wakeFd)
    for (const output of link.outputs) {
      const passing = new PassingOutput(output, link.pid, link.epoch, edgeInbox)
      this.#arrivals.set(output.id, new Arrivals(passing, waiting, () => this.#madeRoom()))
    }
  }

  /** Resolves when the node has left the dataflow, or the daemon is gone and the node has closed. */
  async run(): Promise<void> {
    try {
      await this.#join()
      void this.#receive().catch((error) => this.#fail(error))
      await this.#send()
      await this.#leave()
    } catch (error) {
      this.#fail(error)
      // The thread watches the parent for as long as the program lives.
      if (!this.#closing) await this.#closed.promise
    }
    this.#events.end()
    this.#requests.end()
    this.#memory.close()
  }

  /** The program has closed the node: what it has sent goes out, then the node leaves. */
  close(): void {
    this.#closing = true
    this.#closed.resolve()
    this.#memory.waiting.interrupt()
  }

  async #join(): Promise<void> {
    await this.#events.open(this.#plan.address)
    this.#events.hold(true)
    await this.#events.request({ type: "Subscribe" })
    await this.#requests.open(this.#plan.address)
    this.#requests.hold(true)
    this.#report({ type: "subscribed" })
  }

  async #send(): Promise<void> {
    const receiver = this.#receiver
    for (;;) {
      const event = receiver.poll()
      if (event?.type === "INPUT") await this.#sendMessage(event)
      else if (event?.type === "INPUT_CLOSED") {
        await this.#requests.request({ type: "CloseOutputs", outputs: [event.id] })
      } else if (event === null) {
        if (this.#closing) return
        await this.#something()
      }
    }
  }

  async #sendMessage(event: InputEvent): Promise<void> {
    const { seconds, fraction } = event.metadata.timestamp
    const stamp = { seconds, fraction, id: this.#clockId }
    const { id, data, encodedParameters: parameters } = event
    let frame: Uint8Array
    try {
      frame = frameSendMessage(id, stamp, parameters, data, this.#clock.stamp())
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      const why = `it has ${data.byteLength} bytes, and a frame of the node protocol ${MAX_FRAME_BYTES} at most`
      return this.#report({ type: "notSent", output: id, why })
    }
    this.#requests.write(frame)
    await this.#requests.taken()
  }

  /** Resolves when the program has sent or closed something. */
  #something(): Promise<void> {
    const here = () => this.#closing || (!this.#receiver.ended && this.#receiver.pending())
    return new Promise((resolve) => {
      const waiter: Waiter = {
        attempt: () => {
          if (!here()) return false
          resolve()
          return true
        },
        pending: here,
      }
      this.#memory.waiting.add(waiter)
    })
  }

  async #leave(): Promise<void> {
    const outputs = this.#plan.node.outputs.map(({ id }) => id)
    await this.#requests.request({ type: "EventStreamDropped" })
    await this.#requests.request({ type: "CloseOutputs", outputs })
    await this.#requests.request({ type: "OutputsDone" })
  }

  async #receive(): Promise<void> {
    for (;;) {
      while (this.#full()) {
        await new Promise<void>((resolve) => {
          this.#madeRoom = resolve
        })
      }
      const reply = await this.#events.request({ type: "NextEvent" })
      if (reply.type !== "NextEvents") continue
      if (reply.events.length === 0) return
      for (const { event, stamp } of reply.events) {
        this.#clock.merge(stamp)
        this.#take(event)
      }
    }
  }

  #full(): boolean {
    let messages = 0
    let bytes = 0
    for (const { waiting, waitingBytes } of this.#arrivals.values()) {
      messages += waiting
      bytes += waitingBytes
    }
    return messages > MOST_WAITING || bytes > MOST_WAITING_BYTES
  }

  #take(event: ReceivedEvent): void {
    switch (event.type) {
      case "Input":
        return this.#arrivals
          .get(event.id)
          ?.take(headOf(event.message), event.message.data ?? NOTHING)
      case "InputClosed":
        // A ring that has ended stays so.
        if (this.#plan.mayRecover.includes(event.id)) return this.#report({ type: "event", event })
        return this.#arrivals.get(event.id)?.end()
      case "AllInputsClosed":
        return this.#endInputs()
      case "Stop":
        // Reaches a program that blocks in `recv()` and sees no message of a thread.
        Atomics.store(this.#node.words, STOP_WORD, 1)
        return this.#node.wakeAlways()
      case "ParamUpdate":
        // The bytes are part of a reply, which would be copied as a whole.
        return this.#report({ type: "event", event: { ...event, json: event.json.slice() } })
      case "ExtensionDropped":
        return
      default:
        return this.#report({ type: "event", event })
    }
  }

  #endInputs(): void {
    for (const arrivals of this.#arrivals.values()) arrivals.end()
  }

  /** Without a daemon nothing comes any more, and what the program sends must not wait for room. */
  #fail(error: unknown): void {
    if (this.#broken || this.#closing) return
    this.#broken = true
    this.#report({ type: "broken", what: (error as Error).message })
    this.#endInputs()
    const { words } = this.#memory.own
    for (const { ring } of this.#plan.link.inputs) {
      Atomics.store(words, (ring >> 2) + ABANDONED_WORD, 1)
    }
    this.#node.wakeAlways()
  }
}

function headOf({ stamp, parameterBytes }: Message) {
  return { stamp, parameters: readForeignParameters(new Reader(parameterBytes)) }
}
