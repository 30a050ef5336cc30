// The model of one edge ring (docs/adr/0002-ring.md): inline slots, drop_oldest or backpressure, deaths of either end at
// every step, successors, the closing word. Indices wrap at `modulus`, so signs and the wrap are met with few messages.
// The payload is two words with the same number: a message whose words differ is torn.
import type { Go, System } from "./mc.ts"
import { RingConsumer } from "./ring-consumer.ts"
import { RingProducer } from "./ring-producer.ts"
import {
  BAD,
  C,
  DEFAULTS,
  initialState,
  P,
  type RingOptions,
  type RingState,
  Turn,
} from "./ring-state.ts"

/**
 * The ring as a system for the checker.
 *
 * @example explore(ring({ producerDeaths: 1, mayStayDead: true }))
 */
export function ring(options: Partial<RingOptions>): System<RingState> {
  return new Ring({ ...DEFAULTS, ...options })
}

class Ring implements System<RingState> {
  readonly initial: RingState
  readonly #o: RingOptions
  readonly #turn: Turn
  readonly #producer: RingProducer
  readonly #consumer: RingConsumer

  constructor(options: RingOptions) {
    this.initial = initialState(options)
    this.#o = options
    this.#turn = new Turn(options.modulus)
    this.#producer = new RingProducer(options)
    this.#consumer = new RingConsumer(options)
  }

  steps(now: RingState, go: Go<RingState>) {
    this.#producer.steps(now, go)
    this.#consumer.steps(now, go)
  }

  good(now: RingState): boolean {
    return now.producer.at === P.done && now.consumer.at === C.end
  }

  wrong(now: RingState): string | null {
    const { truth, consumer } = now
    if (truth.bad === BAD.torn) return "a torn message was accepted"
    if (truth.bad === BAD.poisoned) {
      return "an honest slot that was being overwritten poisoned the edge"
    }
    if (truth.bad === BAD.order) return `order: ${consumer.a} after ${truth.last}`
    const end = this.#turn.plus(this.#o.startIndex, truth.published + truth.closePublished)
    if (!this.#o.closeInSlot && this.#turn.distance(end, now.tail) > this.#o.queueSize) {
      return "queued more than queue_size, or tail beyond head"
    }
    if (!this.#o.dropOldest && truth.dropped) return "dropped under backpressure"
    return consumer.at === C.end ? this.#wrongAtEnd(now) : null
  }

  #wrongAtEnd(now: RingState): string | null {
    const { truth } = now
    const { startIndex, modulus, closeInSlot, countDrops, queueSize } = this.#o
    if (!closeInSlot && now.tail !== this.#turn.plus(startIndex, truth.published)) {
      return "ended with messages still queued"
    }
    if (closeInSlot && truth.dropped > 0 && truth.published <= queueSize) {
      return "closing dropped a message of a queue that was never over-full"
    }
    const passed = this.#turn.distance(now.tail, startIndex) - (closeInSlot ? 1 : 0)
    const dropped = countDrops ? now.dropCounter : (passed - now.taken + 2 * modulus) % modulus
    if ((truth.published - now.taken - dropped) % modulus) {
      return `sent ${truth.published} is not taken ${now.taken} + dropped ${dropped}`
    }
    if (!countDrops && dropped !== (truth.dropped + truth.lost) % modulus) {
      return "derived drops are not the real ones"
    }
    return null
  }
}
