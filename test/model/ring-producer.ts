// The producer's end of the ring model: publish step by step, death, successor.
import type { Go } from "./mc.ts"
import { CLOSE, P, type RingOptions, type RingState, Turn } from "./ring-state.ts"

type Step = Go<RingState>

/** Offers the steps of the producer, and those of the daemon when it is dead. */
export class RingProducer {
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
    const { producer } = now
    const slot = producer.head % this.#o.slots
    const closing = producer.message > this.#o.messages
    const payload = closing ? CLOSE : producer.message
    switch (producer.at) {
      case P.look:
        return this.#lookForRoom(now, closing, go)
      case P.drop:
        return this.#dropOldest(now, go)
      case P.count:
        return go("P counts the drop", (next) => {
          next.dropCounter++
          next.producer.at = P.writeA
        })
      case P.writeA:
        return go(`P writes ${payload} into slot ${slot}, first word`, (next) => {
          next.a[slot] = payload
          next.producer.at = P.writeB
        })
      case P.writeB:
        return go(`P writes ${payload} into slot ${slot}, second word`, (next) => {
          next.b[slot] = payload
          next.producer.at = P.publish
        })
      case P.publish:
        return this.#publish(now, closing, go)
      case P.hint:
        return go("P stores the head hint", (next) => {
          next.head = next.producer.head = this.#turn.after(producer.head)
          next.producer.at = P.look
        })
      case P.close:
        return go("P stores closed", (next) => {
          next.closed = 1
          next.producer.at = P.done
        })
    }
  }

  #lookForRoom(now: RingState, closing: boolean, go: Step) {
    const { producer, truth } = now
    if (closing && !this.#o.closeInSlot) {
      return go("P has sent all", (next) => void (next.producer.at = P.close))
    }
    if (closing && truth.closePublished) {
      return go("P has sent all", (next) => void (next.producer.at = P.done))
    }
    if (!this.#full(producer)) {
      return go("P sees room", (next) => void (next.producer.at = P.writeA))
    }
    go(`P loads tail: ${now.tail}`, (next) => {
      next.producer.tail = now.tail
      if (!this.#full(next.producer)) next.producer.at = P.writeA
      else next.producer.at = this.#o.dropOldest ? P.drop : P.look
    })
  }

  #dropOldest(now: RingState, go: Step) {
    if (now.tail !== now.producer.tail) {
      return go("P loses the swap of tail", (next) => {
        next.producer.tail = now.tail
        next.producer.at = P.look
      })
    }
    go(`P drops ${now.tail}`, (next) => {
      next.tail = next.producer.tail = this.#turn.after(now.tail)
      next.truth.dropped++
      next.producer.at = P.count
    })
  }

  #publish(now: RingState, closing: boolean, go: Step) {
    const index = now.producer.head
    go(`P publishes ${index}`, (next) => {
      if (this.#o.publishBy === "seq") {
        next.seq[index % this.#o.slots] = this.#turn.after(index)
        next.producer.at = P.hint
      } else {
        next.head = next.producer.head = this.#turn.after(index)
        next.producer.at = P.look
      }
      if (closing) next.truth.closePublished = 1
      else {
        next.truth.published++
        next.producer.message++
      }
    })
  }

  #dieAndRecover(now: RingState, go: Step) {
    const { producer, truth } = now
    if (producer.deaths && producer.at <= P.close) {
      go("P dies", (next) => {
        next.producer.deaths--
        next.producer.at = P.dead
      })
    }
    if (producer.at === P.dead) {
      go("D starts a successor of P", (next) => void (next.producer.at = P.successorHead))
      if (!this.#o.mayStayDead) return
      go("D closes the edge for P", (next) => {
        next.closed = 1
        next.producer.at = P.done
        next.producer.message = this.#o.messages + 1
      })
    } else if (producer.at === P.successorHead) {
      const looksAtSlot = this.#o.publishBy === "seq" && !this.#o.trustHead
      go("P' loads head and tail", (next) => {
        next.producer.head = now.head
        next.producer.tail = now.tail
        next.producer.message = truth.published + 1
        next.producer.at = looksAtSlot ? P.successorSlot : P.look
      })
    } else if (producer.at === P.successorSlot) {
      const { head } = producer
      const published = now.seq[head % this.#o.slots] === this.#turn.after(head)
      go(`P' finds ${head} ${published ? "published" : "free"}`, (next) => {
        if (published) next.producer.head = this.#turn.after(head)
        if (!published || this.#o.lookOnce) next.producer.at = P.look
      })
    }
  }

  #full(producer: RingState["producer"]): boolean {
    return this.#turn.distance(producer.head, producer.tail) >= this.#o.queueSize
  }
}
