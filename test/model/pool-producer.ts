// The producer's end of the pool model: find a free chunk, write it, publish it on each edge; death and successor.
import type { Go } from "./mc.ts"
import { BAD, Chunks, type EdgeState, P, type PoolOptions, type PoolState } from "./pool-state.ts"

type Step = Go<PoolState>

/** Offers the steps of the producer, and those of the daemon when it is dead. */
export class PoolProducer {
  readonly #o: PoolOptions
  readonly #chunks: Chunks

  constructor(options: PoolOptions) {
    this.#o = options
    this.#chunks = new Chunks(options)
  }

  steps(now: PoolState, go: Step) {
    this.#live(now, go)
    this.#recover(now, go)
    if (now.producerDeaths && now.producer.at < P.done) {
      go("P dies", (next) => this.#die(now, next))
    }
  }

  #live(now: PoolState, go: Step) {
    switch (now.producer.at) {
      case P.next:
        return this.#next(now, go)
      case P.scanTail:
        return this.#scanFirst(now, go)
      case P.scanLine:
        return this.#scanSecond(now, go)
      case P.choose:
        return this.#choose(now, go)
      case P.write:
        return this.#write(now, go)
      case P.room:
        return this.#lookForRoom(now, go)
      case P.notice:
        return this.#notice(now, go)
      case P.drop:
        return this.#dropOldest(now, go)
      case P.clearHeld:
        return this.#clearHeld(now, go)
      case P.setHeld:
        return this.#setHeld(now, go)
      case P.writeSlot:
        return this.#writeSlot(now, go)
      case P.publish:
        return this.#publish(now, go)
    }
  }

  #next(now: PoolState, go: Step) {
    const done = now.producer.message === this.#o.messages
    const { spare, generation } = now.producer
    if (!done && spare) {
      const lowest = lowestOf(spare)
      return go(`P remembers that chunk ${lowest} is free`, (next) => {
        const code = this.#chunks.code(generation, lowest)
        Object.assign(next.producer, { at: P.write, edge: 0, code, spare: spare & ~(1 << lowest) })
      })
    }
    go(done ? "P has sent all" : "P has a message", (next) => {
      next.producer.at = done ? P.done : P.scanTail
      next.producer.edge = next.producer.code = 0
      if (!done) next.producer.busy = 0
    })
  }

  #scanFirst(now: PoolState, go: Step) {
    const { edge, generation } = now.producer
    if (this.#o.first) {
      return go(`P looks at what edge ${edge} holds`, (next) => {
        next.producer.busy = now.producer.busy | now.edges[edge]!.held[generation]!
        if (edge + 1 < this.#o.edges) next.producer.edge++
        else next.producer.at = P.choose
      })
    }
    if (this.#o.borrowBeforeTail) this.#scanLine(now, P.scanLine, go)
    else this.#scanTail(now, P.scanLine, go)
  }

  #scanSecond(now: PoolState, go: Step) {
    if (this.#o.borrowBeforeTail) this.#scanTail(now, P.scanTail, go)
    else this.#scanLine(now, P.scanTail, go)
  }

  /** Looks at the queue of the current edge. */
  #scanTail(now: PoolState, at: number, go: Step) {
    const { edge: number, generation } = now.producer
    const edge = now.edges[number]!
    go(`P loads the tail of edge ${number}`, (next) => {
      next.edges[number]!.cachedTail = edge.tail
      if (!this.#skips(edge)) {
        const queued = this.#chunks.queued(edge, edge.tail, edge.ownHead, generation)
        next.producer.busy = now.producer.busy | queued
      }
      this.#scanOn(next, at)
    })
  }

  /** Looks at what the consumer of the current edge has borrowed. */
  #scanLine(now: PoolState, at: number, go: Step) {
    const { edge: number, generation } = now.producer
    const line = now.edges[number]!.borrowed[this.#chunks.line(generation)]!
    go(`P loads the borrow line of edge ${number}`, (next) => {
      next.producer.busy = now.producer.busy | line
      this.#scanOn(next, at)
    })
  }

  /** On to the second half of an edge, or to the next edge, or to the choice. */
  #scanOn(next: PoolState, at: number) {
    const { producer } = next
    if (at === P.scanLine) producer.at = P.scanLine
    else if (producer.edge + 1 === this.#o.edges) producer.at = P.choose
    else {
      producer.edge++
      producer.at = P.scanTail
    }
  }

  #skips(edge: EdgeState): boolean {
    return (this.#o.noticeLate ? edge.gone : edge.abandoned) === 1
  }

  #choose(now: PoolState, go: Step) {
    const { generation, busy } = now.producer
    const free = this.#chunks.all & ~busy
    if (!free) {
      const left = now.edges.findIndex((edge) => this.#o.noticeLate && edge.abandoned && !edge.gone)
      if (left >= 0) {
        return go(`P finds no chunk and notices that edge ${left} is abandoned`, (next) => {
          next.edges[left]!.gone = 1
          Object.assign(next.producer, { at: P.scanTail, edge: 0, busy: 0 })
        })
      }
      return go("P finds no chunk and looks again", (next) => {
        Object.assign(next.producer, { at: P.scanTail, edge: 0, busy: 0 })
      })
    }
    const lowest = lowestOf(free)
    let rest = this.#o.remembersUsed ? free : free & ~(1 << lowest)
    let spare = 0
    for (let left = this.#o.remembers; left > 0 && rest; left--) {
      spare |= rest & -rest
      rest &= rest - 1
    }
    go(`P chooses chunk ${lowest}`, (next) => {
      const code = this.#chunks.code(generation, lowest)
      Object.assign(next.producer, { at: P.write, edge: 0, busy: 0, code, spare })
    })
  }

  #write(now: PoolState, go: Step) {
    const { generation, code } = now.producer
    const bit = this.#chunks.bit(code)
    go(`P writes chunk ${this.#chunks.chunk(code)} of pool ${generation}`, (next) => {
      next.producer.at = P.room
      for (const edge of now.edges) {
        const queued = this.#chunks.queued(edge, edge.tail, edge.head, generation)
        if (!edge.abandoned && queued & bit) next.bad = BAD.queued
        if (this.#chunks.claimed(edge, generation) & bit) next.bad = BAD.read
      }
    })
  }

  #lookForRoom(now: PoolState, go: Step) {
    const number = now.producer.edge
    const edge = now.edges[number]!
    const write = this.#o.first ? P.setHeld : P.writeSlot
    if (this.#skips(edge)) {
      return go(`P skips the abandoned edge ${number}`, (next) => this.#nextEdge(next))
    }
    const hasRoom = (at: EdgeState) => at.ownHead - at.cachedTail < this.#o.queueSize
    if (hasRoom(edge))
      return go(`P sees room on edge ${number}`, (next) => void (next.producer.at = write))
    go(`P loads the tail of edge ${number}`, (next) => {
      next.edges[number]!.cachedTail = edge.tail
      const full = this.#o.noticeLate ? P.notice : P.drop
      next.producer.at = hasRoom(next.edges[number]!) ? write : full
    })
  }

  #notice(now: PoolState, go: Step) {
    const number = now.producer.edge
    const { abandoned } = now.edges[number]!
    go(`P looks whether edge ${number} is abandoned: ${abandoned}`, (next) => {
      if (!abandoned) next.producer.at = P.drop
      else {
        next.edges[number]!.gone = 1
        this.#nextEdge(next)
      }
    })
  }

  #nextEdge(next: PoolState) {
    const { producer } = next
    if (producer.edge + 1 < this.#o.edges) {
      producer.edge++
      producer.at = P.room
      return
    }
    producer.at = P.next
    producer.message++
    producer.edge = 0
  }

  #dropOldest(now: PoolState, go: Step) {
    const number = now.producer.edge
    const { tail, cachedTail, slots } = now.edges[number]!
    if (tail !== cachedTail) {
      return go("P loses the swap of tail", (next) => {
        next.edges[number]!.cachedTail = tail
        next.producer.at = P.room
      })
    }
    go(`P drops ${tail} on edge ${number}`, (next) => {
      next.edges[number]!.tail++
      next.edges[number]!.cachedTail++
      next.producer.at = this.#o.first ? P.clearHeld : P.writeSlot
      if (this.#o.first) next.producer.dropped = 1 + slots[tail % this.#o.queueSize]!
    })
  }

  #clearHeld(now: PoolState, go: Step) {
    const { edge, dropped } = now.producer
    go("P clears the held bit of the dropped", (next) => {
      const generation = this.#chunks.generation(dropped - 1)
      next.edges[edge]!.held[generation]! &= ~this.#chunks.bit(dropped - 1)
      next.producer.dropped = 0
      next.producer.at = P.setHeld
    })
  }

  #setHeld(now: PoolState, go: Step) {
    const { edge, generation, code } = now.producer
    go(`P sets the held bit of chunk ${this.#chunks.chunk(code)} on edge ${edge}`, (next) => {
      next.edges[edge]!.held[generation]! |= this.#chunks.bit(code)
      next.producer.at = P.writeSlot
    })
  }

  #writeSlot(now: PoolState, go: Step) {
    const { edge: number, generation, code } = now.producer
    const edge = now.edges[number]!
    const slot = edge.ownHead % this.#o.queueSize
    const chunk = this.#chunks.chunk(code)
    if (this.#o.twoWords && edge.chunkWords[slot] !== chunk) {
      return go(
        "P writes the chunk word",
        (next) => void (next.edges[number]!.chunkWords[slot] = chunk),
      )
    }
    go(`P writes the slot of edge ${number}`, (next) => {
      if (this.#o.twoWords) next.edges[number]!.generationWords[slot] = generation
      next.edges[number]!.slots[slot] = code
      next.producer.at = P.publish
    })
  }

  #publish(now: PoolState, go: Step) {
    const { edge: number, code } = now.producer
    const { ownHead } = now.edges[number]!
    const chunk = this.#chunks.chunk(code)
    go(`P publishes ${ownHead} on edge ${number}: chunk ${chunk}`, (next) => {
      next.edges[number]!.head = next.edges[number]!.ownHead = ownHead + 1
      this.#nextEdge(next)
    })
  }

  #die(now: PoolState, next: PoolState) {
    const { at, message } = now.producer
    const sending = at >= P.room && at <= P.publish
    next.producerDeaths--
    Object.assign(next.producer, { at: P.dead, busy: 0, code: 0, edge: 0, dropped: 0, spare: 0 })
    if (sending && message < this.#o.messages) next.producer.message++
    for (const edge of next.edges) edge.ownHead = edge.cachedTail = edge.gone = 0
  }

  #recover(now: PoolState, go: Step) {
    const { at, edge: number, generation, swept } = now.producer
    if (at === P.successor) {
      const edge = now.edges[number]!
      return go(`P' loads head and tail of edge ${number}`, (next) => {
        next.edges[number]!.ownHead = edge.head
        next.edges[number]!.cachedTail = edge.tail
        if (number + 1 < this.#o.edges) next.producer.edge++
        else Object.assign(next.producer, { at: P.next, edge: 0 })
      })
    }
    if (at !== P.dead) return
    if (this.#o.first && !swept) {
      return go("D sweeps the dead producer's pool", (next) => this.#sweep(now, next))
    }
    const restart = generation + 1 < this.#o.generations
    go(restart ? "D starts a successor of P with a new pool" : "D gives P up", (next) => {
      if (restart) next.producer.generation++
      Object.assign(next.producer, { at: restart ? P.successor : P.done, edge: 0, swept: 0 })
    })
  }

  /** The queue and then the borrowed mask, all at once: generous to the first design. */
  #sweep(now: PoolState, next: PoolState) {
    const { generation } = now.producer
    now.edges.forEach((edge, number) => {
      const queued = this.#chunks.queued(edge, edge.tail, edge.head, generation)
      const borrowed = edge.borrowed[this.#chunks.line(generation)]!
      next.edges[number]!.held[generation]! &= queued | borrowed
    })
    next.producer.swept = 1
  }
}

/** The lowest bit's number. */
function lowestOf(mask: number): number {
  return 31 - Math.clz32(mask & -mask)
}
