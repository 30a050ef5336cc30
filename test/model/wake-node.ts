// One node of the waking model: drain, publish, wake others, arm, re-check, sleep. Its death is in wake-daemon.ts.
import type { Go } from "./mc.ts"
import {
  AT,
  nameOf,
  type NodeState,
  parkedWord,
  type Port,
  poke,
  portsOf,
  WANT,
  WORD,
  type WakeOptions,
  type WakeState,
} from "./wake-state.ts"

type Step = Go<WakeState>

/** Offers the steps of one living node. */
export class WakeNode {
  readonly #o: WakeOptions
  readonly #node: number
  readonly #ports: Port[]

  constructor(options: WakeOptions, node: number) {
    this.#o = options
    this.#node = node
    this.#ports = portsOf(options, node)
  }

  steps(now: WakeState, offer: Step) {
    const go: Step = (label, change) => offer(`${nameOf(this.#node)} ${label}`, change)
    this.#live(now, this.#ports[this.#me(now).port], go)
    this.#storeVisible(now, go)
  }

  #me(state: WakeState): NodeState {
    return state.nodes[this.#node]!
  }

  #live(now: WakeState, port: Port | undefined, go: Step) {
    switch (this.#me(now).at) {
      case AT.drain:
        if (!port) return this.#roundEnds(now, go)
        return port.incoming ? this.#receive(now, port, go) : this.#send(now, port, go)
      case AT.claim:
        return this.#claim(port!, go)
      case AT.credit:
        return this.#giveCredit(now, port!, go)
      case AT.signal:
        return this.#signal(now, go)
      case AT.exchange:
        return this.#exchange(now, go)
      case AT.call:
        return this.#call(now, go)
      case AT.closed:
        return this.#seeClosed(now, port!, go)
      case AT.lookAgain:
        return this.#lookAgain(now, port!, go)
      case AT.publish:
        return this.#publish(now, port!, go)
      case AT.recheck:
        return this.#recheck(now, port, go)
      case AT.park:
        return this.#park(now, go)
      case AT.asleep:
        return this.#asleep(now, go)
      case AT.nested:
        return this.#callbackEnds(go)
      case AT.awake:
        return this.#awake(now, go)
    }
  }

  /** All ports looked at: done, another round, or to sleep. */
  #roundEnds(now: WakeState, go: Step) {
    const me = this.#me(now)
    const at = (label: string, change: Partial<NodeState>) =>
      go(label, (next) => void Object.assign(this.#me(next), change))
    if (this.#ports.every((port) => this.#finished(now, port))) {
      return at("is done", { at: AT.done, port: 0, busy: 0, ended: 0, woken: 0 })
    }
    if (me.busy) return at("looks again", { busy: 0, port: 0, woken: 0 })
    if (this.#o.noRearm && me.woken) return at("sleeps again", { at: AT.park, port: 0 })
    if (this.#o.checkThenArm) return at("re-checks first", { at: AT.recheck, port: 0 })
    at("arms", { word: parkedWord(this.#o), at: AT.recheck, port: 0 })
  }

  #finished(now: WakeState, port: Port): boolean {
    const edge = now.edges[port.edge]!
    if (port.incoming) {
      const seenClosed = (this.#me(now).ended >> port.edge) & 1
      return seenClosed === 1 || (this.#o.open && edge.tail === port.messages)
    }
    return edge.closed === 1 || (this.#o.open && edge.head === port.messages)
  }

  #receive(now: WakeState, { edge: number }: Port, go: Step) {
    const edge = now.edges[number]!
    if ((this.#me(now).ended >> number) & 1) {
      return go("skips a closed edge", (next) => this.#nextPort(next))
    }
    const at = edge.head === edge.tail ? AT.closed : AT.claim
    const found = at === AT.claim ? "sees a message on" : "finds nothing on"
    go(`${found} ${number}`, (next) => void (this.#me(next).at = at))
  }

  #send(now: WakeState, port: Port, go: Step) {
    const { edge: number, to } = port
    const edge = now.edges[number]!
    const { buffered } = this.#me(now)
    if (edge.closed) return go("skips a finished edge", (next) => this.#nextPort(next))
    if (edge.head + this.#unseen(now, port) >= port.messages) {
      if (buffered) return
      if (this.#o.open) return go(`has sent all on ${number}`, (next) => this.#nextPort(next))
      return go(`closes ${number}`, (next) => {
        next.edges[number]!.closed = 1
        this.#nextPort(next, 1)
        this.#beginSignal(next, to)
      })
    }
    if (this.#hasRoom(now, port)) {
      if (buffered) return
      return go(`has room on ${number}`, (next) => void (this.#me(next).at = AT.publish))
    }
    go(`${edge.want ? "still wants" : "wants"} credit on ${number}`, (next) => {
      next.edges[number]!.want ||= this.#o.half ? WANT.half : WANT.room
      this.#nextPort(next)
    })
  }

  #nextPort(next: WakeState, busy = this.#me(next).busy) {
    const me = this.#me(next)
    me.busy = busy
    me.port++
    me.at = AT.drain
  }

  /** 1 when this node's own last store on the edge isn't visible to others yet. */
  #unseen(now: WakeState, port: Port): number {
    return this.#me(now).buffered === port.edge + 1 ? 1 : 0
  }

  #hasRoom(now: WakeState, port: Port): boolean {
    const { head, tail, abandoned } = now.edges[port.edge]!
    return head + this.#unseen(now, port) - tail < port.capacity || abandoned === 1
  }

  #beginSignal(next: WakeState, peer: number) {
    this.#me(next).peer = peer
    this.#me(next).at = AT.signal
  }

  #claim({ edge }: Port, go: Step) {
    go(`claims from ${edge}`, (next) => {
      next.edges[edge]!.tail++
      this.#me(next).busy = 1
      this.#me(next).at = AT.credit
    })
  }

  #giveCredit(now: WakeState, { edge, from }: Port, go: Step) {
    const { want, head, tail } = now.edges[edge]!
    if (want === WANT.half && head - tail > this.#halfOf(edge))
      return go("sees that half is wanted", (next) => void (this.#me(next).at = AT.drain))
    if (want) return go("sees that credit is wanted", (next) => this.#beginSignal(next, from))
    go("sees no credit wanted", (next) => void (this.#me(next).at = AT.drain))
  }

  #signal(now: WakeState, go: Step) {
    const { peer } = this.#me(now)
    const { word } = now.nodes[peer]!
    go(`loads the wake word of ${nameOf(peer)}: ${word}`, (next) => {
      if (word === WORD.running) this.#signalled(next)
      else Object.assign(this.#me(next), { at: AT.exchange, call: word })
    })
  }

  #signalled(next: WakeState) {
    this.#me(next).at = AT.drain
    this.#me(next).peer = 0
    this.#me(next).call = WORD.running
  }

  #exchange(now: WakeState, go: Step) {
    const { peer, call, buffered } = this.#me(now)
    // A compare-and-swap makes the stores before it visible: it waits for the store buffer.
    if (buffered) return
    if (now.nodes[peer]!.word !== call) {
      return go("finds that somebody else wakes", (next) => this.#signalled(next))
    }
    go(`exchanges the wake word of ${nameOf(peer)}`, (next) => {
      next.nodes[peer]!.word = WORD.running
      this.#me(next).at = AT.call
    })
  }

  #call(now: WakeState, go: Step) {
    const { peer, call } = this.#me(now)
    go(`wakes ${nameOf(peer)}`, (next) => {
      poke(this.#o, next, peer, call)
      this.#signalled(next)
    })
  }

  #seeClosed(now: WakeState, { edge }: Port, go: Step) {
    if (!now.edges[edge]!.closed) return go(`sees ${edge} open`, (next) => this.#nextPort(next))
    go(`sees ${edge} closed`, (next) => void (this.#me(next).at = AT.lookAgain))
  }

  #lookAgain(now: WakeState, { edge: number }: Port, go: Step) {
    const edge = now.edges[number]!
    if (edge.head !== edge.tail) {
      return go(`finds a last message on ${number}`, (next) => void (this.#me(next).at = AT.claim))
    }
    go(`finds ${number} closed and empty`, (next) => {
      this.#me(next).ended |= 1 << number
      this.#nextPort(next, 1)
    })
  }

  #publish(now: WakeState, { edge: number, to }: Port, go: Step) {
    if (this.#o.plainPublish) {
      return go(`stores on ${number}`, (next) => {
        this.#me(next).buffered = number + 1
        this.#me(next).busy = 1
        this.#beginSignal(next, to)
      })
    }
    const edge = now.edges[number]!
    go(`publishes on ${number}`, (next) => {
      next.edges[number]!.head++
      if (edge.abandoned) next.edges[number]!.tail = edge.head + 1
      this.#me(next).busy = 1
      this.#beginSignal(next, to)
    })
  }

  #storeVisible(now: WakeState, go: Step) {
    const { buffered } = this.#me(now)
    if (!buffered) return
    go("has its store become visible", (next) => {
      next.edges[buffered - 1]!.head++
      this.#me(next).buffered = 0
    })
  }

  #recheck(now: WakeState, port: Port | undefined, go: Step) {
    if (!port) {
      return go("found nothing", (next) => {
        if (this.#o.checkThenArm) this.#me(next).word = parkedWord(this.#o)
        Object.assign(this.#me(next), { at: AT.park, port: 0 })
      })
    }
    if (!this.#somethingAt(now, port)) {
      return go(`re-checks ${port.edge}`, (next) => void this.#me(next).port++)
    }
    go(`re-checks and finds something on ${port.edge}`, (next) => {
      Object.assign(this.#me(next), { at: AT.awake, port: 0 })
    })
  }

  #somethingAt(now: WakeState, port: Port): boolean {
    const edge = now.edges[port.edge]!
    if (port.incoming) {
      const seenClosed = (this.#me(now).ended >> port.edge) & 1
      return !seenClosed && (edge.head !== edge.tail || edge.closed === 1)
    }
    const nothingToSend = edge.closed === 1 || (this.#o.open && edge.head >= port.messages)
    return !nothingToSend && !this.#o.noCreditCheck && this.#hasRoom(now, port)
  }

  #park(now: WakeState, go: Step) {
    if (this.#o.sleep === "futex" && this.#me(now).word === WORD.running) {
      return go("has its futex return at once", (next) => void (this.#me(next).at = AT.awake))
    }
    go("sleeps", (next) => void (this.#me(next).at = AT.asleep))
  }

  #halfOf(edge: number): number {
    return this.#o.edges[edge]!.capacity >> 1
  }

  /** Time passes: any room will do. */
  #tires(now: WakeState, go: Step) {
    const halves = this.#ports.filter(
      (port) => !port.incoming && now.edges[port.edge]!.want === WANT.half,
    )
    if (halves.length === 0) return
    go("is tired of waiting for half", (next) => {
      for (const { edge } of halves) next.edges[edge]!.want = WANT.room
      this.#me(next).at = AT.awake
    })
  }

  #asleep(now: WakeState, go: Step) {
    if (this.#o.half) this.#tires(now, go)
    if (this.#o.sleep === "futex") return
    if (this.#me(now).pipe) {
      go("is woken, empties the pipe", (next) => {
        Object.assign(this.#me(next), { pipe: 0, at: AT.awake })
      })
    }
    if (!now.callbacks) return
    go("runs a callback, which parks on the futex", (next) => {
      next.callbacks--
      Object.assign(this.#me(next), { word: WORD.parkedFutex, at: AT.nested })
    })
  }

  #callbackEnds(go: Step) {
    go("ends the callback", (next) => {
      this.#me(next).word = WORD.running
      this.#me(next).at = this.#o.noInterrupt ? AT.asleep : AT.awake
    })
  }

  #awake(now: WakeState, go: Step) {
    const keepsWord = this.#o.noRearm && this.#me(now).word !== WORD.running
    go("runs again", (next) => {
      if (!keepsWord) this.#me(next).word = WORD.running
      const woken = this.#o.noRearm ? 1 : 0
      Object.assign(this.#me(next), { at: AT.drain, port: 0, busy: 0, woken })
    })
  }
}
