// One edge: one producer, one consumer. Layout: docs/layout.md. Protocol and its model: docs/adr/0002-ring.md,
// test/model/ring.ts. Steps are numbered as there.
import { MAX_RING_SLOTS } from "../core/limits.ts"
import {
  ABANDONED_WORD,
  CLOSED_WORD,
  HEAD_WORD,
  INLINE_BYTES_WORD,
  LENT_BYTES_FLOAT,
  POLICY_WORD,
  QUEUE_SIZE_WORD,
  RING_HEADER_BYTES,
  SENT_BYTES_FLOAT,
  SEQ_WORD,
  SLOT_HEADER_BYTES,
  SLOTS_WORD,
  slotBytes,
  TAIL_WORD,
  TAKEN_WORD,
  WAITED_WORD,
  WANT_HALF,
  WANT_ROOM,
  WANT_WORD,
} from "./layout.ts"
import { SharedMemoryError } from "./libc.ts"
import type { Inbox } from "./segment.ts"

const IS_X64 = process.arch === "x64"
/**
 * Of this process alone. A store there makes the compiler read words of shared memory anew, as an atomic load does; but that is
 * a locked instruction, which takes the line from the producer that is about to write it, and lets nothing overtake.
 */
const apart = new Int32Array(32)

/** What both ends of a ring know: where it lies, and its geometry, which never changes. */
class RingEnd {
  readonly inbox: Inbox
  readonly words: Int32Array
  /** Word index of the ring header. */
  readonly base: number
  readonly queueSize: number
  readonly inlineBytes: number
  readonly backpressure: boolean
  protected readonly mask: number
  protected readonly firstSlot: number
  protected readonly slotWords: number
  /** Index of the next message at this end … */
  protected next = 0
  /** … and word index of its slot. A producer's is only valid while there is room. */
  slot = 0

  constructor(inbox: Inbox, offset: number) {
    this.inbox = inbox
    this.words = inbox.words
    this.base = offset >> 2
    this.queueSize = this.words[this.base + QUEUE_SIZE_WORD]!
    this.inlineBytes = this.words[this.base + INLINE_BYTES_WORD]!
    this.backpressure = this.words[this.base + POLICY_WORD] === 1
    const slots = this.words[this.base + SLOTS_WORD]!
    this.mask = slots - 1
    this.firstSlot = (offset + RING_HEADER_BYTES) >> 2
    this.slotWords = slotBytes(this.inlineBytes) / 4
    this.#check(slots)
  }

  /** Geometry is read once, and held to what the daemon makes. */
  #check(slots: number): void {
    const { queueSize, inlineBytes } = this
    const isPower = slots > 0 && slots <= MAX_RING_SLOTS && (slots & this.mask) === 0
    const fits = this.firstSlot + slots * this.slotWords <= this.words.length
    if (isPower && fits && queueSize > 0 && queueSize <= slots && inlineBytes > 0) return
    throw new SharedMemoryError(
      `the ring at ${this.base << 2} of an inbox is damaged: ${slots} slots of ${inlineBytes} bytes, queue ${queueSize}`,
      "a process that has this memory mapped wrote where it must not",
    )
  }

  /** Where its header lies, for C code of this thread. */
  get address(): number {
    return this.inbox.address + this.base * 4
  }

  /** Goes on with the message of this index. */
  protected goTo(index: number): void {
    this.next = index
    this.slot = this.firstSlot + (index & this.mask) * this.slotWords
  }
}

/** The producer's end. Publishing is {@link hasRoom} (or {@link dropOldest}), fill the slot, {@link commit}. */
export class ProducerRing extends RingEnd {
  /** Oldest index that the consumer may still have to take, as last seen. */
  tail: number
  #wanted = 0

  constructor(inbox: Inbox, offset: number) {
    super(inbox, offset)
    this.#recoverHead()
    this.tail = Atomics.load(this.words, this.base + TAIL_WORD)
  }

  /** Index of the next message. */
  get head(): number {
    return this.next
  }

  /** Predecessors may have died between commit and hint, more than one: what was published must not be rewritten. */
  #recoverHead(): void {
    const { words, base } = this
    this.goTo(Atomics.load(words, base + HEAD_WORD))
    if (this.mask < 0) return
    for (;;) {
      const next = (this.next + 1) | 0
      if (Atomics.load(words, this.slot + SEQ_WORD) !== next) break
      this.goTo(next)
    }
    words[base + HEAD_WORD] = this.next
  }

  /** C code of this thread may have published in the meantime: to the one producer HEAD_WORD is exact. */
  follow(): void {
    const head = this.words[this.base + HEAD_WORD]!
    if (head === this.head) return
    this.goTo(head)
    this.refreshTail()
  }

  /** Step 1: is there room for one more message? Looks at the consumer only when the last look says no. */
  hasRoom(): boolean {
    if (((this.head - this.tail) | 0) < this.queueSize) return true
    this.tail = Atomics.load(this.words, this.base + TAIL_WORD)
    return ((this.head - this.tail) | 0) < this.queueSize
  }

  /** Is at least half of the queue free, and room for one message? */
  isRoomy(): boolean {
    this.tail = Atomics.load(this.words, this.base + TAIL_WORD)
    const queued = (this.head - this.tail) | 0
    return queued <= this.queueSize >> 1 && queued < this.queueSize
  }

  /** Looks at the consumer's progress; what lies before `tail` is out of the queue for good. */
  refreshTail(): void {
    this.tail = Atomics.load(this.words, this.base + TAIL_WORD)
  }

  /** Step 2: the oldest message gives way; false when the consumer was faster. */
  dropOldest(): boolean {
    const oldest = this.tail
    const next = (oldest + 1) | 0
    const seen = Atomics.compareExchange(this.words, this.base + TAIL_WORD, oldest, next)
    this.tail = seen === oldest ? next : seen
    return seen === oldest
  }

  /**
   * Step 3 for the counters, step 4: makes the filled slot visible, then wakes. A death before this store sends nothing.
   *
   * @param bytes  size of the body, for the counters
   */
  commit(bytes: number): void {
    const words = this.words
    const { slot } = this
    const next = (this.next + 1) | 0
    // On x64 every store is a release, and what wakes begins with a locked instruction. A locked store here would wait for
    // the slot's lines while a polling consumer takes them away again: 64 B cross in 0.2 instead of 0.3 µs.
    if (IS_X64) words[slot + SEQ_WORD] = next
    else Atomics.store(words, slot + SEQ_WORD, next)
    this.goTo(next)
    this.inbox.wake()
    // A hint and statistics: after the message is on its way. The next publish orders the hint.
    words[this.base + HEAD_WORD] = next
    this.inbox.floats[(this.base >> 1) + SENT_BYTES_FLOAT]! += bytes
  }

  /** Counts bytes of a committed message that nobody has copied. */
  countLent(bytes: number): void {
    this.inbox.floats[(this.base >> 1) + LENT_BYTES_FLOAT]! += bytes
  }

  /** The consumer has left for good: its messages need not be written. */
  get abandoned(): boolean {
    return Atomics.load(this.words, this.base + ABANDONED_WORD) === 1
  }

  /** Asks the consumer to wake us: {@link WANT_ROOM}, {@link WANT_HALF}; 0 takes that back. */
  want(room: number): void {
    if (this.#wanted === room) return
    if (this.#wanted === 0) this.words[this.base + WAITED_WORD]!++
    this.#wanted = room
    Atomics.store(this.words, this.base + WANT_WORD, room)
  }

  /** Has the edge been ended already? */
  get closed(): boolean {
    return Atomics.load(this.words, this.base + CLOSED_WORD) === 1
  }

  /** Ends the edge: the consumer sees it after the last message. */
  close(): void {
    Atomics.store(this.words, this.base + CLOSED_WORD, 1)
    this.inbox.wake()
  }
}

/** The consumer's end. Taking is {@link ready}, read the slot, {@link claim}; only then is what was read true. */
export class ConsumerRing extends RingEnd {
  /** The edge has ended: closed, and nothing is left. */
  ended = false
  /** A word of the slot that is read beside `seq`: its line is then under way together with that one, not after it. */
  bodyWord = SLOT_HEADER_BYTES >> 2

  constructor(inbox: Inbox, offset: number) {
    super(inbox, offset)
    this.tail = Atomics.load(this.words, this.base + TAIL_WORD)
  }

  /** Index of the next message. */
  get tail(): number {
    return this.next
  }

  set tail(index: number) {
    this.goTo(index)
  }

  /** Quick look of a poller: has the next message arrived? Does not notice that it was dropped. */
  arrived(): boolean {
    return this.#seq() === ((this.next + 1) | 0)
  }

  /** On x64 a load is never before an earlier one, nor before a locked instruction: what the compiler keeps in order is in order. */
  #seq(): number {
    const slot = this.slot
    if (!IS_X64) return Atomics.load(this.words, slot + SEQ_WORD)
    apart[0] = this.words[slot + this.bodyWord]!
    return this.words[slot + SEQ_WORD]!
  }

  /** Step 1: is there a message? Follows the producer when it has dropped ours. */
  ready(): boolean {
    for (;;) {
      const tail = this.next
      if (this.#seq() === ((tail + 1) | 0)) return true
      const seen = Atomics.load(this.words, this.base + TAIL_WORD)
      if (seen === tail) return false
      this.tail = seen
    }
  }

  /** Has the producer dropped the message that we were reading? Then its fields need not be true. */
  moved(): boolean {
    const seen = Atomics.load(this.words, this.base + TAIL_WORD)
    if (seen === this.tail) return false
    this.tail = seen
    return true
  }

  /** C code of this thread has taken something. */
  follow(): void {
    this.tail = Atomics.load(this.words, this.base + TAIL_WORD)
  }

  /** Slots of the ring. */
  get slotCount(): number {
    return this.mask + 1
  }

  /** Index in the ring of the slot of the next message: 0 … slots − 1. */
  slotNumber(): number {
    return this.tail & this.mask
  }

  /** Step 4: true when what was read since {@link ready} is this message; false: read again from {@link ready}. */
  claim(): boolean {
    const tail = this.next
    const next = (tail + 1) | 0
    const seen = Atomics.compareExchange(this.words, this.base + TAIL_WORD, tail, next)
    this.tail = seen === tail ? next : seen
    return seen === tail
  }

  /** Step 5: counts the delivery, and says whether the producer waits for credit. */
  taken(): boolean {
    const words = this.words
    const at = this.base + TAKEN_WORD
    words[at] = (words[at]! + 1) | 0
    if (!this.backpressure) return false
    const want = Atomics.load(words, this.base + WANT_WORD)
    if (want !== WANT_HALF) return want === WANT_ROOM
    // Who waits publishes nothing: the hint is exact, or one behind.
    return ((words[this.base + HEAD_WORD]! - this.tail) | 0) <= this.queueSize >> 1
  }

  /** After a claim: how many messages were queued just before it. A hint for statistics, read without an order. */
  depth(): number {
    return (this.words[this.base + HEAD_WORD]! - this.tail + 1) | 0
  }

  /** For an empty ring: has the edge ended? Looks at the ring once more after it saw the closing word. */
  checkEnd(): boolean {
    if (this.ended) return true
    if (Atomics.load(this.words, this.base + CLOSED_WORD) === 0) return false
    this.ended = !this.ready()
    return this.ended
  }
}
