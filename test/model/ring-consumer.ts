// The consumer's end of the ring model: take step by step, the end of the edge, death, successor.
import type { Go } from "./mc.ts"
import { BAD, C, CLOSE, type RingOptions, type RingState, Turn } from "./ring-state.ts"

type Step = Go<RingState>

/** Offers the steps of the consumer, and those of the daemon when it is dead. */
export class RingConsumer {
  readonly #o: RingOptions
  readonly #turn: Turn

  constructor(options: RingOptions) {
    this.#o = options
    this.#turn = new Turn(options.modulus)
  }

  steps(now: RingState, go: Step) {
    this.#live(now, go)
    this.#dieAndRecover(now, go)
  }

  #live(now: RingState, go: Step) {
    const { consumer } = now
    const slot = consumer.tail % this.#o.slots
    switch (consumer.at) {
      case C.ready:
        return this.#look(now, C.tail, C.closed, go)
      case C.recheck:
        return this.#look(now, C.recheckTail, C.end, go)
      case C.tail:
        return this.#compareTail(now, C.closed, go)
      case C.recheckTail:
        return this.#compareTail(now, C.end, go)
      case C.readA:
        return go(`C reads slot ${slot}, first word: ${now.a[slot]}`, (next) => {
          next.consumer.a = now.a[slot]!
          next.consumer.at = C.readB
        })
      case C.readB:
        return go(`C reads slot ${slot}, second word: ${now.b[slot]}`, (next) => {
          next.consumer.b = now.b[slot]!
          next.consumer.at = C.claim
          if (this.#o.judgeEarly && consumer.a !== now.b[slot]) next.truth.bad = BAD.poisoned
        })
      case C.claim:
        return this.#claim(now, go)
      case C.count:
        return go("C stores taken", (next) => {
          next.taken++
          next.consumer.at = C.ready
          next.consumer.a = next.consumer.b = 0
        })
      case C.closed:
        return go(`C loads closed: ${now.closed}`, (next) => {
          if (!now.closed) next.consumer.at = C.ready
          else next.consumer.at = this.#o.noRecheck ? C.end : C.recheck
        })
    }
  }

  /** Is there a message? If not, look at the tail, unless a flaw says that the ring counts as empty at once. */
  #look(now: RingState, tail: number, empty: number, go: Step) {
    const { consumer } = now
    if (this.#o.publishBy === "head") return this.#lookAtHead(now, tail, empty, go)
    const seq = now.seq[consumer.tail % this.#o.slots]!
    if (this.#o.signedReady) {
      const ready = this.#turn.signed(seq, consumer.tail) > 0
      return go(`C sees seq ${seq}`, (next) => void (next.consumer.at = ready ? C.readA : empty))
    }
    const ready = seq === this.#turn.after(consumer.tail)
    go(`C sees seq ${seq}`, (next) => void (next.consumer.at = ready ? C.readA : tail))
  }

  #lookAtHead(now: RingState, tail: number, empty: number, go: Step) {
    const { consumer } = now
    if (consumer.at === C.ready && consumer.head !== consumer.tail) {
      return go("C knows of a message", (next) => void (next.consumer.at = C.readA))
    }
    go(`C loads head: ${now.head}`, (next) => {
      next.consumer.head = now.head
      if (now.head !== consumer.tail) next.consumer.at = C.readA
      else next.consumer.at = this.#o.keepHead ? empty : tail
    })
  }

  #compareTail(now: RingState, empty: number, go: Step) {
    go(`C loads tail: ${now.tail}`, (next) => {
      if (now.tail === now.consumer.tail) next.consumer.at = empty
      else this.#fallBehind(now, next)
    })
  }

  /** The producer has dropped what this consumer was about to take: on from the shared tail. */
  #fallBehind(now: RingState, next: RingState) {
    const { consumer } = next
    consumer.tail = now.tail
    consumer.at = C.ready
    if (this.#o.publishBy === "seq") return
    const keep = this.#o.keepHead && this.#turn.signed(consumer.head, now.tail) >= 0
    if (!keep) consumer.head = now.tail
  }

  #claim(now: RingState, go: Step) {
    const { a, b, tail } = now.consumer
    if (now.tail !== tail) return go(`C loses ${tail}`, (next) => this.#fallBehind(now, next))
    go(`C claims ${tail}: ${a}/${b}`, (next) => {
      next.tail = next.consumer.tail = this.#turn.after(tail)
      next.consumer.at = C.count
      if (a !== b) next.truth.bad = BAD.torn
      else if (a === CLOSE) next.consumer.at = C.end
      else if (a <= now.truth.last) next.truth.bad = BAD.order
      else next.truth.last = a
    })
  }

  #dieAndRecover(now: RingState, go: Step) {
    const { consumer } = now
    if (consumer.at === C.dead) {
      go("D starts a successor of C", (next) => {
        next.consumer.tail = now.tail
        if (this.#o.publishBy === "head") next.consumer.head = now.tail
        next.consumer.at = C.ready
      })
    }
    if (!consumer.deaths || consumer.at >= C.end) return
    go("C dies", (next) => {
      if (consumer.at === C.count) next.truth.lost++
      Object.assign(next.consumer, { at: C.dead, head: 0, tail: 0, a: 0, b: 0 })
      next.consumer.deaths--
    })
  }
}
