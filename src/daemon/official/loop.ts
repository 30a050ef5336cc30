// The relay: one thread that sleeps until a socket or a ring has something, and passes it on.
import { HybridClock } from "../../core/clock.ts"
import { FlowClock } from "../../shm/clock.ts"
import type { SegmentRef } from "../../shm/plan.ts"
import { Inbox } from "../../shm/segment.ts"
import { Health } from "../health.ts"
import type { SessionHost } from "../session.ts"
import { Connection, type ConnectionAround } from "./connection.ts"
import { Doors } from "./doors.ts"
import { watched } from "./health.ts"
import { Leftovers } from "./era/leftovers.ts"
import { CURRENT } from "./form.ts"
import { Lane } from "./lane.ts"
import type { RelayCommand, RelayPlan, RelayReport } from "./messages.ts"
import { RelayNode } from "./node.ts"
import { emptyPipe, PollSet, READABLE } from "./sockets.ts"

/** How long to sleep when there is room in a queue and yet no memory for a large message. */
const STUCK_NS = 1e6
/** The sockets of a dead process are read to their end; a child of it may hold them open. */
const DRAIN_NS = 5e8

/** The first places of the poll set: commands, and two listeners. */
const OWN = 3

/** How long nodes that outlive their dataflow may take to say goodbye. */
const FAREWELL_NS = 2e9

/** Serves every official node of one dataflow. */
export class RelayLoop {
  readonly #plan: RelayPlan
  readonly #report: (report: RelayReport) => void
  readonly #nextCommand: () => RelayCommand | null
  readonly #clock = new HybridClock()
  readonly #flowClock: FlowClock
  readonly #inboxes = new Map<number, Inbox>()
  readonly #nodes = new Map<string, RelayNode>()
  readonly #nodeList: readonly RelayNode[]
  /** Nodes whose process is dead, and how long their sockets may stay open. */
  readonly #dying = new Map<RelayNode, number>()
  #connections: Connection[] = []
  readonly #health: Health<RelayNode>
  readonly #poll = new PollSet()
  readonly #doors: Doors
  readonly #connectionAround: ConnectionAround
  /** Null: everything is done here. */
  readonly #lane: Lane | null
  /** Connections by their places in the lane. */
  readonly #places: Connection[] = []
  #stuck = false
  #running = true
  readonly #leftovers = new Leftovers()
  #endNs = Number.POSITIVE_INFINITY

  /** @throws PortError */
  constructor(
    plan: RelayPlan,
    report: (report: RelayReport) => void,
    nextCommand: () => RelayCommand | null,
  ) {
    this.#plan = plan
    this.#report = report
    this.#nextCommand = nextCommand
    this.#flowClock = new FlowClock(plan.nodes[0]!.plan.epoch)
    this.#lane = Lane.open(plan, OWN)
    const around = {
      clock: this.#clock,
      lane: this.#lane,
      flowClock: this.#flowClock,
      inboxOf: (ref: SegmentRef, wakeFd: number) => this.#inboxOf(ref, wakeFd),
      report,
      catchUp: () => this.#commands(),
    }
    plan.nodes.forEach((node, i) => {
      this.#nodes.set(node.plan.node, new RelayNode(node, around, i))
    })
    this.#nodeList = [...this.#nodes.values()]
    const watch = watched(this.#nodeList, () => this.#connections)
    this.#health = new Health(watch, plan.healthCheckNs, this.#flowClock.nowNs())
    const host: SessionHost = {
      dataflow: plan.dataflow,
      clock: this.#clock,
      node: (id) => this.#nodes.get(id) ?? null,
      configuration: (id) => this.#configuration(id),
      warn: (message) => report({ type: "warn", message }),
      era: (node, version) => report({ type: "era", node, version }),
    }
    const { frameTimeoutMs } = plan
    const nowNs = () => this.#flowClock.nowNs()
    this.#connectionAround = { host, nowNs, frameTimeoutMs, lane: this.#lane }
    this.#doors = new Doors(plan.dynamicPort, report)
    report({ type: "listening", port: this.#doors.port })
  }

  /** Serves until the daemon says `end`. */
  run(): void {
    for (;;) {
      this.#work()
      const over = this.#connections.length === 0 || this.#flowClock.nowNs() >= this.#endNs
      if (!this.#running && over) break
      this.#sleep()
    }
    for (const connection of this.#connections) connection.close()
    for (const node of this.#nodes.values()) this.#forget(node)
    this.#leftovers.finish()
    for (const inbox of this.#inboxes.values()) inbox.close()
    this.#doors.close()
    this.#lane?.close()
  }

  /** What a node that was started by hand is told, in the form and the words of the official daemon. */
  #configuration(id: string): unknown {
    const node = this.#nodes.get(id)
    if (!node) return { Err: `no running dataflow contains a node with id \`${id}\`` }
    if (!node.configuration) return { Err: `node with ID \`${id}\` is not dynamic` }
    const socket_addr = `127.0.0.1:${this.#doors.port}`
    return { Ok: { ...node.configuration, daemon_communication: { Tcp: { socket_addr } } } }
  }

  #work(): void {
    this.#stuck = false
    for (const connection of this.#connections) {
      if (!connection.blocked || !connection.hasRoom(false)) continue
      connection.unblock()
      this.#stuck ||= connection.blocked
    }
    for (const node of this.#nodeList) node.serve()
    if (this.#connections.some(isGone)) {
      for (const connection of this.#connections) {
        if (connection.gone) this.#leftovers.read(connection)
      }
      this.#connections = this.#connections.filter(({ gone }) => !gone)
      for (const node of this.#nodes.values()) this.#missDynamic(node)
    }
    if (this.#dying.size > 0) this.#bury()
    if (this.#health.dueNs !== Number.POSITIVE_INFINITY) this.#lookForHung()
  }

  #lookForHung(): void {
    for (const { node, ns } of this.#health.look(this.#flowClock.nowNs())) {
      this.#report({ type: "hangs", node: node.id, ns })
    }
  }

  /** The process of a node that was started by hand is nobody's child: it is gone when its connections are. */
  #missDynamic(node: RelayNode): void {
    if (!node.configuration || node.absent) return
    if (this.#connections.some((connection) => connection.node === node)) return
    this.#forget(node)
    this.#report({ type: "left", node: node.id })
  }

  /** The process of a node is dead, and all that it has sent is read. */
  #forget(node: RelayNode): void {
    const { sinceMs } = node.drops
    if (sinceMs !== null) {
      const others = this.#connections.filter(({ gone, out }) => !gone && out.form !== CURRENT)
      this.#leftovers.died(sinceMs, node.drops.ended, others)
    }
    node.reset()
  }

  #sleep(): void {
    const poll = this.#poll
    const connections = this.#connections
    const nodes = this.#nodeList
    poll.clear()
    poll.add(this.#plan.commandFd, READABLE)
    poll.add(this.#doors.fd, READABLE)
    poll.add(this.#doors.dynamicFd, READABLE)
    // A node that has mapped its memory reads its pipe itself: a byte taken from it would leave it asleep.
    for (const { plan, relayed } of nodes) poll.add(relayed ? plan.wakeFd : -1, READABLE)
    connections.forEach((connection, i) => {
      const { interest } = connection
      poll.add(interest === 0 ? -1 : connection.fd, interest)
      this.#lane?.order(i, connection.place)
    })
    // Those that are accepted meanwhile have no place in the set.
    const { length } = connections
    const happened = this.#wait()
    const now = this.#flowClock.nowNs()
    if (happened > 0) {
      if (poll.happened(0)) this.#commands()
      if (poll.happened(1)) this.#accept(this.#doors.fd)
      if (poll.happened(2)) this.#accept(this.#doors.dynamicFd)
      for (let i = 0; i < nodes.length; i++) {
        if (poll.happened(OWN + i)) emptyPipe(nodes[i]!.plan.wakeFd)
      }
    }
    const first = OWN + nodes.length
    for (let i = 0; i < length; i++) {
      const connection = connections[i]!
      const what = happened > 0 ? poll.happened(first + i) : 0
      // A wait that was interrupted says nothing.
      if (this.#leftovers.any && !what && happened >= 0 && connection.interest === READABLE) {
        this.#leftovers.read(connection)
      }
      connection.takeBack()
      if (what && !connection.gone) connection.serve(what)
      if (connection.deadlineNs <= now && !connection.gone) connection.expire()
    }
  }

  /** Sleeps until something happens. @returns how many descriptors have something */
  #wait(): number {
    if (this.#lane && this.#lend()) return this.#run(this.#lane)
    for (const node of this.#nodeList) node.arm()
    const now = this.#flowClock.nowNs()
    let until = this.#dueNs(now)
    for (const node of this.#nodeList) until = Math.min(until, node.pending(now) ? now : node.dueNs)
    const happened = this.#poll.wait(Math.max(0, until - now))
    for (const node of this.#nodeList) node.disarm()
    return happened
  }

  /** Is there anything that the lane may do? */
  #lend(): boolean {
    let found = false
    for (const connection of this.#connections) if (connection.lend()) found = true
    if (found) for (const node of this.#nodeList) node.lend()
    return found
  }

  /** Leaves the common case to the lane, and sleeps there. */
  #run(lane: Lane): number {
    // Who waits for room may be told so only after we are armed, and it is looked for here.
    const isHeld = this.#connections.some(({ blocked }) => blocked)
    if (isHeld) for (const node of this.#nodeList) node.arm()
    const dueNs = this.#dueNs(this.#flowClock.nowNs())
    const happened = lane.run(this.#poll, dueNs, isHeld || this.#leftovers.any)
    for (const node of this.#nodeList) node.takeBack((place) => this.#places[place] ?? null)
    const { seen, stalled } = lane
    if (seen.seconds > 0) this.#clock.merge(seen)
    if (stalled) this.#places[stalled.place]!.adopt(stalled, lane.reply)
    return happened
  }

  /** After everybody is armed: when something of ours needs us that no descriptor tells, in monotonic nanoseconds. */
  #dueNs(now: number): number {
    let until = Number.POSITIVE_INFINITY
    for (const connection of this.#connections) {
      until = Math.min(until, connection.deadlineNs)
      if (!connection.blocked || !connection.hasRoom(true)) continue
      if (!this.#stuck) return now
      until = Math.min(until, now + STUCK_NS)
    }
    for (const deadline of this.#dying.values()) until = Math.min(until, deadline)
    return Math.min(until, this.#endNs, this.#health.dueNs)
  }

  #accept(listener: number): void {
    const { maxSockets } = this.#plan
    const isFull = () => this.#connections.length >= maxSockets
    this.#doors.accept(listener, isFull, maxSockets, (fd) => {
      const connection = new Connection(fd, this.#connectionAround)
      this.#connections.push(connection)
      if (this.#lane) this.#places[connection.place.index] = connection
    })
  }

  #commands(): void {
    emptyPipe(this.#plan.commandFd)
    for (let next = this.#nextCommand(); next; next = this.#nextCommand()) this.#command(next)
  }

  #command(command: RelayCommand): void {
    if (command.type === "end") return this.#end()
    const node = this.#nodes.get(command.node)
    if (!node) return
    switch (command.type) {
      case "answer":
        return node.answer(command.error)
      case "event":
        return void node.mailbox.push(command.bytes)
      case "endEvents":
        return node.mailbox.end()
      case "mayRestart":
        node.mayRestart = command.value
        return
      case "exited":
        node.exited = true
        this.#dying.set(node, this.#flowClock.nowNs() + DRAIN_NS)
    }
  }

  /** Who is still here gets the last events, and some time to take leave. */
  #end(): void {
    this.#running = false
    this.#endNs = this.#flowClock.nowNs() + FAREWELL_NS
    for (const node of this.#nodes.values()) {
      node.mailbox.end()
      node.drops.end()
    }
  }

  /** A dead node is gone when all that it has sent is where it belongs. */
  #bury(): void {
    const now = this.#flowClock.nowNs()
    for (const [node, deadline] of this.#dying) {
      const left = this.#connections.filter((connection) => connection.node === node)
      if (left.some(({ blocked }) => blocked)) continue
      if (left.length > 0 && now < deadline) continue
      for (const connection of left) connection.close()
      this.#dying.delete(node)
      this.#forget(node)
      this.#report({ type: "drained", node: node.id })
    }
  }

  #inboxOf(ref: SegmentRef, wakeFd: number): Inbox {
    const known = this.#inboxes.get(ref.fd)
    if (known) return known
    const inbox = new Inbox(process.pid, ref, wakeFd)
    this.#inboxes.set(ref.fd, inbox)
    return inbox
  }
}

const isGone = ({ gone }: Connection) => gone
