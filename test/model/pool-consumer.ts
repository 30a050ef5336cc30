// A consumer's end of the pool model: mark, claim, keep or copy, release; death, successor, abandoned edge.
import type { Go } from "./mc.ts"
import { BAD, C, Chunks, type PoolOptions, type PoolState } from "./pool-state.ts"

type Step = Go<PoolState>

/** Offers the steps of the consumer of one edge, and those of the daemon when it is dead. */
export class PoolConsumer {
  readonly #o: PoolOptions
  readonly #chunks: Chunks
  readonly #edge: number
  readonly #name: string

  constructor(options: PoolOptions, edge: number) {
    this.#o = options
    this.#chunks = new Chunks(options)
    this.#edge = edge
    this.#name = `C${edge}`
  }

  steps(now: PoolState, go: Step) {
    this.#live(now, go)
    if (this.#o.first) this.#recoverFirst(now, go)
    else this.#recover(now, go)
    const { at } = now.edges[this.#edge]!.consumer
    if (at >= C.stopped) return
    if (now.consumerDeaths) go(`${this.#name} dies`, (next) => this.#die(next))
    if (!now.stops) return
    go(`${this.#name} is stopped for ever`, (next) => {
      next.stops--
      this.#my(next).at = C.stopped
    })
  }

  #my(state: PoolState) {
    return state.edges[this.#edge]!.consumer
  }

  #live(now: PoolState, go: Step) {
    switch (this.#my(now).at) {
      case C.look:
        this.#look(now, go)
        return this.#beginRelease(now, go)
      case C.readSlot:
        return this.#readSlot(now, go)
      case C.readGeneration:
        return this.#readGeneration(now, go)
      case C.mark:
        return this.#mark(now, go)
      case C.claim:
        return this.#claim(now, go)
      case C.unmark:
        return this.#unmark(now, go)
      case C.claimed:
        return this.#keepOrCopy(now, go)
      case C.release:
        return this.#o.first ? this.#releaseFirst(now, go) : this.#release(now, go)
      case C.releaseRest:
        return this.#releaseRest(now, go)
    }
  }

  #look(now: PoolState, go: Step) {
    const { head, abandoned, consumer } = now.edges[this.#edge]!
    if (head === consumer.tail || abandoned) return
    go(`${this.#name} sees a message`, (next) => void (this.#my(next).at = C.readSlot))
  }

  #beginRelease(now: PoolState, go: Step) {
    this.#my(now).kept.forEach((held, place) => {
      if (!held) return
      go(`${this.#name} begins to release chunk ${this.#chunks.chunk(held - 1)}`, (next) => {
        this.#my(next).current = held
        this.#my(next).kept[place] = 0
        this.#my(next).at = C.release
      })
    })
  }

  #readSlot(now: PoolState, go: Step) {
    const edge = now.edges[this.#edge]!
    const slot = edge.consumer.tail % this.#o.queueSize
    if (this.#o.twoWords) {
      return go(`${this.#name} reads the chunk word`, (next) => {
        this.#my(next).read = edge.chunkWords[slot]!
        this.#my(next).at = C.readGeneration
      })
    }
    const code = edge.slots[slot]!
    go(
      `${this.#name} reads slot ${edge.consumer.tail}: chunk ${this.#chunks.chunk(code)}`,
      (next) => {
        this.#my(next).read = code
        this.#my(next).at = this.#o.markAfterClaim ? C.claim : C.mark
      },
    )
  }

  #readGeneration(now: PoolState, go: Step) {
    const { consumer, generationWords } = now.edges[this.#edge]!
    const generation = generationWords[consumer.tail % this.#o.queueSize]!
    go(`${this.#name} reads the generation word`, (next) => {
      this.#my(next).read = this.#chunks.code(generation, consumer.read)
      this.#my(next).at = C.mark
    })
  }

  #mark(now: PoolState, go: Step) {
    const { read } = this.#my(now)
    const line = this.#chunks.line(this.#chunks.generation(read))
    const bit = this.#chunks.bit(read)
    const before = now.edges[this.#edge]!.borrowed[line]!
    go(`${this.#name} marks chunk ${this.#chunks.chunk(read)}`, (next) => {
      if (!this.#o.first && !this.#o.oneLine && before & bit) next.bad = BAD.ownBit
      next.edges[this.#edge]!.borrowed[line] = before | bit
      this.#my(next).at = this.#o.markAfterClaim ? C.claimed : C.claim
    })
  }

  #claim(now: PoolState, go: Step) {
    const { tail, consumer } = now.edges[this.#edge]!
    if (tail !== consumer.tail) {
      return go(`${this.#name} loses ${consumer.tail}`, (next) => {
        this.#my(next).tail = tail
        this.#my(next).at = this.#o.markAfterClaim ? C.look : C.unmark
        if (this.#o.markAfterClaim) this.#my(next).read = 0
      })
    }
    go(`${this.#name} claims ${tail}`, (next) => {
      next.edges[this.#edge]!.tail = this.#my(next).tail = tail + 1
      this.#my(next).current = consumer.read + 1
      this.#my(next).at = this.#o.markAfterClaim ? C.mark : C.claimed
    })
  }

  #unmark(now: PoolState, go: Step) {
    const { read } = this.#my(now)
    go(`${this.#name} takes the mark of chunk ${this.#chunks.chunk(read)} back`, (next) => {
      this.#clearBorrowed(next, read)
      this.#my(next).read = 0
      this.#my(next).at = C.look
    })
  }

  #keepOrCopy(now: PoolState, go: Step) {
    const { kept, current } = this.#my(now)
    const place = kept.indexOf(0)
    if (place < 0) {
      return go(`${this.#name} copies it out`, (next) => {
        this.#my(next).read = 0
        this.#my(next).at = C.release
      })
    }
    go(`${this.#name} keeps it`, (next) => {
      this.#my(next).kept[place] = current
      this.#my(next).current = this.#my(next).read = 0
      this.#my(next).at = C.look
    })
  }

  #release(now: PoolState, go: Step) {
    const code = this.#my(now).current - 1
    go(`${this.#name} clears the mark of chunk ${this.#chunks.chunk(code)}`, (next) => {
      this.#clearBorrowed(next, code)
      this.#my(next).current = 0
      this.#my(next).at = C.look
    })
  }

  #releaseFirst(now: PoolState, go: Step) {
    const code = this.#my(now).current - 1
    go(`${this.#name} releases, first half`, (next) => {
      if (this.#o.heldLast) this.#clearBorrowed(next, code)
      else this.#clearHeld(next, code)
      this.#my(next).at = C.releaseRest
    })
  }

  #releaseRest(now: PoolState, go: Step) {
    const code = this.#my(now).current - 1
    go(`${this.#name} releases, second half`, (next) => {
      if (this.#o.heldLast) this.#clearHeld(next, code)
      else this.#clearBorrowed(next, code)
      this.#my(next).current = 0
      this.#my(next).at = C.look
    })
  }

  #clearBorrowed(next: PoolState, code: number) {
    const line = this.#chunks.line(this.#chunks.generation(code))
    next.edges[this.#edge]!.borrowed[line]! &= ~this.#chunks.bit(code)
  }

  #clearHeld(next: PoolState, code: number) {
    next.edges[this.#edge]!.held[this.#chunks.generation(code)]! &= ~this.#chunks.bit(code)
  }

  #die(next: PoolState) {
    next.consumerDeaths--
    const { kept } = this.#my(next)
    for (let place = 0; place < kept.length; place++) kept[place] = 0
    Object.assign(this.#my(next), { at: C.dead, current: 0, read: 0, tail: 0 })
  }

  #recover(now: PoolState, go: Step) {
    if (this.#my(now).at === C.dead) {
      go(`D zeroes the borrow lines of ${this.#name}`, (next) => {
        next.edges[this.#edge]!.borrowed.forEach((_, line, lines) => void (lines[line] = 0))
        this.#my(next).at = C.recovered
      })
    }
    this.#succeed(now, go)
  }

  #succeed(now: PoolState, go: Step) {
    if (this.#my(now).at !== C.recovered) return
    go(`D starts a successor of ${this.#name}`, (next) => {
      this.#my(next).tail = now.edges[this.#edge]!.tail
      this.#my(next).at = C.look
    })
    if (!this.#o.mayAbandon) return
    go(`D abandons edge ${this.#edge}`, (next) => {
      next.edges[this.#edge]!.abandoned = 1
      this.#my(next).tail = 0
      this.#my(next).at = C.stopped
    })
  }

  /** The first design: what the dead one borrowed is cleared from the held mask, but for the slot at the tail. */
  #recoverFirst(now: PoolState, go: Step) {
    const edge = now.edges[this.#edge]!
    const { at, recovered } = edge.consumer
    if (at === C.dead) {
      go(`D reads what ${this.#name} had borrowed`, (next) => {
        this.#my(next).recovered = edge.borrowed[0]!
        this.#my(next).at = C.recoverSlot
      })
    } else if (at === C.recoverSlot) {
      go(`D reads the slot at the tail of edge ${this.#edge}`, (next) => {
        const code = edge.slots[edge.tail % this.#o.queueSize]!
        if (edge.tail !== edge.head) this.#my(next).recovered = recovered & ~this.#chunks.bit(code)
        this.#my(next).at = C.recoverHeld
      })
    } else if (at === C.recoverHeld) {
      go("D clears the held bits of the borrowed", (next) => {
        const { held, borrowed } = next.edges[this.#edge]!
        for (let generation = 0; generation < held.length; generation++)
          held[generation]! &= ~recovered
        borrowed[0] = 0
        this.#my(next).recovered = 0
        this.#my(next).at = this.#o.sweep ? C.recoverSweep : C.recovered
      })
    } else if (at === C.recoverSweep) {
      go(`D clears what edge ${this.#edge} neither queues nor borrows`, (next) => {
        const { held } = next.edges[this.#edge]!
        for (let generation = 0; generation < held.length; generation++) {
          const queued = this.#chunks.queued(edge, edge.tail, edge.head, generation)
          held[generation]! &= queued | edge.borrowed[this.#chunks.line(generation)]!
        }
        this.#my(next).at = C.recovered
      })
    }
    this.#succeed(now, go)
  }
}
