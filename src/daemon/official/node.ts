// An official node as the relay sees it: on TCP it is a node of the official daemon, in memory an end of rings like any
// other. Its events go straight from the rings into replies.
import type { HybridClock } from "../../core/clock.ts"
import type { FlowClock } from "../../shm/clock.ts"
import { ATTACHED_WORD, START_FLOAT } from "../../shm/layout.ts"
import type { NodePlan, SegmentRef } from "../../shm/plan.ts"
import type { Inbox } from "../../shm/segment.ts"
import { Sleeper } from "../../shm/sleep.ts"
import type { NodeConfig } from "../../wire/config.ts"
import { encodeEvent, type NodeEvent } from "../../wire/events.ts"
import { END_OUTPUT, type SendHead } from "../../wire/relay.ts"
import { Mailbox } from "../mailbox.ts"
import type { SessionNode } from "../session.ts"
import { Complaints } from "./complaints.ts"
import type { Connection } from "./connection.ts"
import { Endings } from "./endings.ts"
import { DropTokens } from "./era/drops.ts"
import { RelayInput } from "./input.ts"
import type { Lane } from "./lane.ts"
import { LaneNode, MODE_OF } from "./lane-node.ts"
import { LongPoll } from "./long-poll.ts"
import type { RelayNodePlan, RelayReport } from "./messages.ts"
import { Silence } from "./silence.ts"
import { Ticks } from "./ticks.ts"
import { Turns } from "./turns.ts"
import type { Outgoing } from "./outgoing.ts"
import type { PassingOutput } from "../../shm/passing.ts"
import { RelayOutputs } from "./outputs.ts"

/** What the nodes of a relay share. */
export type RelayAround = {
  clock: HybridClock
  flowClock: FlowClock
  inboxOf: (ref: SegmentRef, wakeFd: number) => Inbox
  report: (report: RelayReport) => void
  /** Reads the daemon's commands: what it has said before an edge was closed must be told before. */
  catchUp: () => void
  lane: Lane | null
}

/** A node that talks TCP. */
export class RelayNode implements SessionNode {
  readonly id: string
  readonly outputs: readonly string[]
  readonly plan: NodePlan
  mailbox = new Mailbox()
  mayRestart: boolean
  /** Set for a node that is started by hand. */
  readonly configuration: NodeConfig | null
  /** It has no memory of its own: messages go through here. */
  relayed = false
  /** Its process is dead; what it has sent is being read. */
  exited = false
  /** How often something has come from it. */
  requests = 0
  /** How long it may neither ask nor send; null: for ever. */
  readonly unresponsiveAfterNs: number | null
  readonly poll = new LongPoll()
  /** Of a node of dora 0.x: memory of messages that it may use again. */
  drops: DropTokens
  /** What the lane knows of it; null: there is none, or nothing goes through here. */
  lane: LaneNode | null = null
  readonly #index: number
  readonly #around: RelayAround
  readonly #inbox: Inbox
  readonly #sleeper: Sleeper
  readonly #silence: Silence
  readonly #nowNs: () => number
  #answer: ((error: string | null) => void) | null = null
  #inputs: RelayInput[] = []
  readonly #ticks: Ticks
  readonly outputsDone = () => {
    this.closeOutputs(this.outputs)
    this.drops.end()
  }
  #outputs: RelayOutputs | null = null
  readonly #turns: Turns
  readonly #endings: Endings
  readonly complaints: Complaints
  /** It has subscribed, or waits at the barrier. */
  #here = false

  /** @param index  its place among the nodes of the relay */
  constructor(
    { plan, mayRestart, configuration, silentAfterNs, unresponsiveAfterNs }: RelayNodePlan,
    around: RelayAround,
    index: number,
  ) {
    this.id = plan.node
    this.#index = index
    this.plan = plan
    this.mayRestart = mayRestart
    this.configuration = configuration
    this.unresponsiveAfterNs = unresponsiveAfterNs ?? null
    this.#silence = new Silence(silentAfterNs)
    this.#ticks = new Ticks(around.clock, around.flowClock)
    this.#nowNs = () => around.flowClock.nowNs()
    const ends = (plan.operators ?? []).map(({ id }) => END_OUTPUT + id)
    this.outputs = [...plan.outputs.map(({ id }) => id), ...ends]
    this.#around = around
    this.complaints = new Complaints(plan.node, around.report)
    this.#turns = new Turns(this.complaints, (input, out) => this.#heard(input, out))
    this.drops = new DropTokens(around.clock)
    this.#endings = new Endings({
      silence: this.#silence,
      nowNs: this.#nowNs,
      event: (event) => this.#event(event),
      catchUp: around.catchUp,
      before: () => this.mailbox.take(),
    })
    this.#inbox = around.inboxOf(plan.inbox, plan.wakeFd)
    this.#sleeper = new Sleeper(this.#inbox, plan.pid, plan.wakeFd)
    // What it misses before it joins is gone, and must hold nobody up.
    if (configuration) this.#join()
  }

  subscribe(reply: (error: string | null) => void): () => void {
    if (this.#answer) {
      reply("this node has subscribed already")
      return () => {}
    }
    this.#answer = reply
    if (this.configuration && !this.#here) this.#skipMissed()
    this.#here = true
    const attached = Atomics.load(this.#inbox.words, ATTACHED_WORD) !== 0 && !this.relayed
    if (!attached) this.#join()
    this.#around.report({ type: "subscribe", node: this.id, relayed: !attached })
    return () => {
      if (this.#answer !== reply) return
      this.#answer = null
      this.#around.report({ type: "hungUp", node: this.id })
    }
  }

  /** The daemon's answer to a subscription. */
  answer(error: string | null): void {
    const answer = this.#answer
    this.#answer = null
    answer?.(error)
  }

  closeOutputs(outputs: readonly string[]): void {
    // Who may be started again keeps its outputs, unless nothing can come to it any more; by hand until the daemon ends them.
    const deaf = !this.#ticks.any && this.#inputs.every((input) => input.closed)
    if ((this.mayRestart && !deaf) || this.configuration) return
    if (this.relayed) this.#outputs!.close(outputs)
    else this.#around.report({ type: "closeOutputs", node: this.id, outputs: [...outputs] })
  }

  /** The output that a message is for; null when nobody gets it. */
  hears(head: Omit<SendHead, "like">): PassingOutput | null {
    return this.#outputs!.hears(head)
  }

  /** A connection is gone. */
  leave(connection: Connection): void {
    this.poll.leave(connection)
    this.drops.leave(connection)
  }

  /** Is it our turn, so that its silence says nothing? */
  get waits(): boolean {
    if (!this.#here || !this.relayed || this.exited) return true
    return this.#answer !== null || this.poll.expected
  }

  /** A node that was started by hand has gone, or has not come yet. */
  get absent(): boolean {
    return this.configuration !== null && !this.#here
  }

  /** The process is gone, and its successor starts anew. */
  reset(): void {
    this.#here = false
    this.mailbox = new Mailbox()
    this.drops = new DropTokens(this.#around.clock)
    this.poll.reset()
    this.#answer = null
    this.exited = false
    for (const input of this.#inputs) input.closed = false
    this.#endings.reset()
  }

  /** Answers the long poll if there is something to say. */
  serve(): void {
    if (!this.relayed) return
    if (this.#unheard) this.#turns.forget(this.#inputs)
    const { poll } = this
    const now = this.#nowNs()
    poll.expire(now)
    if (!poll.expected || !this.#hasNews(now)) return
    const connection = poll.waiter ?? poll.find()
    if (!connection || connection.out.pending) return
    const { out } = connection
    out.begin()
    const events = this.#collect(out)
    if (events === 0 && !this.mailbox.ended) return
    poll.waiter = null
    out.finish(events)
    connection.flush()
  }

  /** Before a run of the lane. */
  lend(): void {
    const { mailbox } = this
    const isDue = mailbox.ended || mailbox.pending > 0
    const dueNs = isDue ? 0 : Math.min(this.#silence.dueNs, this.#ticks.dueNs)
    const heard = this.#silence.any ? MODE_OF.WATCHED : MODE_OF.HEARD
    this.lane?.lend(this.#unheard ? MODE_OF.UNHEARD : heard, this.poll, dueNs)
  }

  /** After it. */
  takeBack(connectionAt: (place: number) => Connection | null): void {
    this.requests += this.lane?.takeBack(this.poll, connectionAt) ?? 0
  }

  /** We are about to sleep. Look at {@link pending} once more after this. */
  arm(): void {
    if (this.relayed) this.#sleeper.arm("fd")
  }

  disarm(): void {
    if (this.relayed) this.#sleeper.disarm()
  }

  pending(nowNs: number): boolean {
    if (!this.relayed) return false
    if (this.poll.expected && this.#hasNews(nowNs)) return true
    if (!this.#unheard) return false
    return this.#inputs.some(({ reader }) => reader.ring.backpressure && reader.ring.ready())
  }

  /** When the next timer is due for who waits, in monotonic nanoseconds. */
  get dueNs(): number {
    const { poll } = this
    if (!poll.expected || this.mailbox.ended) return poll.restsUntilNs
    return Math.min(poll.restsUntilNs, this.#silence.dueNs, this.#ticks.dueNs)
  }

  /** Is there something to tell who waits? */
  #hasNews(nowNs: number): boolean {
    const { mailbox } = this
    if (mailbox.ended || mailbox.pending > 0) return true
    if (this.#ticks.dueNs <= nowNs || this.#silence.dueNs <= nowNs) return true
    for (const input of this.#inputs) if (input.pending()) return true
    return false
  }

  /** One of several operators has ended: nobody need wait for room in its queues. */
  #endOperator(id: string): void {
    if (this.#endings.endOperator(id, this.#inputs) < this.plan.operators!.length) return
    // Nothing is left to be told: who waits for it is let go. Without the stop an official node would wait on.
    this.mailbox.push(this.#event({ type: "Stop" }))
    this.mailbox.end()
  }

  /** Takes the node's place in memory. */
  #join(): void {
    if (this.relayed) return
    this.relayed = true
    const { plan } = this
    const { inboxOf, flowClock } = this.#around
    for (const input of plan.inputs) {
      // Messages between operators of one node stay in its process.
      if (input.sibling) continue
      if (input.periodNs !== null) {
        this.#ticks.add(this.#inbox, input)
        continue
      }
      const producer = input.producer && inboxOf(input.producer.inbox, input.producer.wakeFd)
      this.#inputs.push(new RelayInput(this.#inbox, input, plan.pid, producer, flowClock))
    }
    this.#outputs = new RelayOutputs(
      plan,
      (edge) => inboxOf(edge.inbox, edge.wakeFd),
      (operator) => this.#endOperator(operator),
      (message) => this.#around.report({ type: "warn", message }),
    )
    const endless = this.#ticks.any || this.#inputs.some((input) => !input.isData)
    this.#endings.endless = endless && !plan.exitWhenNodesFinish
    const { lane } = this.#around
    if (!lane) return
    this.lane = new LaneNode(lane, this.#index, this.#inbox, this.#inputs, this.#outputs.all)
  }

  #collect(out: Outgoing): number {
    if (this.mailbox.ended && this.mailbox.pending === 0) return 0
    let events = this.#turns.take(this.#inputs, out) + this.#ticks.write(out)
    const mayClose = !this.mailbox.ended && this.#endings.has(this.#inputs)
    const closings = mayClose ? this.#endings.take(this.#inputs) : []
    if (this.mailbox.pending === 0 && closings.length === 0) return events
    for (const event of [...this.mailbox.take(), ...closings]) {
      if (out.form.event(out.writer, event)) events++
    }
    return events
  }

  /** A message was taken: its input may have been told as closed. @returns events written */
  #heard(input: RelayInput, out: Outgoing): number {
    if (!this.#silence.heard(input.id, this.#nowNs)) return 0
    const recovered = this.#event({ type: "InputRecovered", id: input.id })
    return out.form.event(out.writer, recovered) ? 1 : 0
  }

  #event(event: NodeEvent): Uint8Array {
    return encodeEvent(event, this.#around.clock.stamp())
  }

  /** Nobody will get what is in the rings now. */
  get #unheard(): boolean {
    return this.absent || (this.mailbox.ended && this.mailbox.pending === 0)
  }

  /** Messages that were sent before it joined a running dataflow are not for it. */
  #skipMissed(): void {
    if (this.#inbox.floats[START_FLOAT] === 0) return
    for (const input of this.#inputs) while (input.discard());
  }
}
