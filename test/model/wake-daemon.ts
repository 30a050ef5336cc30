// The daemon in the waking model: what it does after one node's death, while the others run.
import type { Go } from "./mc.ts"
import {
  AT,
  FATE,
  nameOf,
  type NodeState,
  type Port,
  poke,
  portsOf,
  WORD,
  type WakeOptions,
  type WakeState,
} from "./wake-state.ts"

type Step = Go<WakeState>

/** Offers the death of one node and then the steps of the daemon: decide, settle its edges, wake its neighbours. */
export class WakeDaemon {
  readonly #o: WakeOptions
  readonly #node: number
  readonly #ports: Port[]
  readonly #neighbours: number[]
  readonly #mortal: boolean

  constructor(options: WakeOptions, node: number) {
    this.#o = options
    this.#node = node
    this.#ports = portsOf(options, node)
    const peers = options.edges.flatMap(({ from, to }) =>
      from === node ? [to] : to === node ? [from] : [],
    )
    this.#neighbours = [...new Set(peers)].filter((peer) => peer !== node)
    this.#mortal = options.mortal.length === 0 || options.mortal.includes(node)
  }

  steps(now: WakeState, offer: Step) {
    const go: Step = (label, change) => offer(`${nameOf(this.#node)} ${label}`, change)
    const { at, buffered } = this.#dead(now)
    if (at === AT.dead) this.#decide(go)
    else if (at === AT.settle) this.#settle(now, go)
    else if (at === AT.wakeNeighbours) this.#wakeNeighbours(now, go)
    else if (at === AT.callNeighbour) this.#callNeighbour(now, go)
    if (!now.deaths || at >= AT.done || buffered || !this.#mortal) return
    go("dies", (next) => {
      next.deaths--
      this.#forget(next, AT.dead)
    })
  }

  #dead(state: WakeState): NodeState {
    return state.nodes[this.#node]!
  }

  /** The private registers are gone. */
  #forget(next: WakeState, at: number) {
    Object.assign(this.#dead(next), {
      at,
      port: 0,
      busy: 0,
      ended: 0,
      fate: 0,
      peer: 0,
      call: WORD.running,
      woken: 0,
    })
  }

  #decide(go: Step) {
    const decide = (fate: number) => (next: WakeState) =>
      void Object.assign(this.#dead(next), { word: WORD.running, fate, port: 0, at: AT.settle })
    if (this.#o.mayRestart) go("(daemon) will get a successor", decide(FATE.restart))
    if (this.#o.mayGiveUp) go("(daemon) is given up", decide(FATE.giveUp))
  }

  /** One edge at a time. */
  #settle(now: WakeState, go: Step) {
    const { port: number, fate } = this.#dead(now)
    const port = this.#ports[number]
    if (!port) {
      return go("(daemon) has its edges settled", (next) => {
        Object.assign(this.#dead(next), { at: AT.wakeNeighbours, port: 0 })
      })
    }
    const keeps = fate === FATE.restart
    const what = keeps ? "keeps" : port.incoming ? "abandons" : "closes"
    go(`(daemon) ${what} ${port.edge}`, (next) => {
      this.#dead(next).port++
      if (keeps) return
      const edge = next.edges[port.edge]!
      if (!port.incoming) edge.closed = 1
      else Object.assign(edge, { abandoned: 1, tail: edge.head })
    })
  }

  #wakeNeighbours(now: WakeState, go: Step) {
    const { port, fate } = this.#dead(now)
    const peer = this.#neighbours[port]
    if (peer === undefined) {
      const at = fate === FATE.restart ? AT.drain : AT.gone
      return go("(daemon) is recovered", (next) => this.#forget(next, at))
    }
    if (this.#o.noDeathWake) return this.#wakeParked(now, peer, go)
    go(`(daemon) stores running into the word of ${nameOf(peer)}, whatever it says`, (next) => {
      next.nodes[peer]!.word = WORD.running
      this.#dead(next).at = AT.callNeighbour
    })
  }

  #callNeighbour(now: WakeState, go: Step) {
    const peer = this.#neighbours[this.#dead(now).port]!
    go(`(daemon) wakes ${nameOf(peer)}`, (next) => {
      // It can't know how the node sleeps, so it makes both calls.
      poke(this.#o, next, peer, WORD.parkedFutex)
      if (this.#o.sleep === "pipe") poke(this.#o, next, peer, WORD.parkedPipe)
      this.#dead(next).port++
      this.#dead(next).at = AT.wakeNeighbours
    })
  }

  #wakeParked(now: WakeState, peer: number, go: Step) {
    const { word } = now.nodes[peer]!
    go(`(daemon) wakes ${nameOf(peer)} if it is parked`, (next) => {
      this.#dead(next).port++
      if (word === WORD.running) return
      next.nodes[peer]!.word = WORD.running
      poke(this.#o, next, peer, word)
    })
  }
}
