// What the peers written in TypeScript share; the same as peer.h for those in C. Asynchronous: messages come as callbacks.

/** What the command line asks for. */
export type Work = {
  throughput: boolean
  size: number
  count: number
  warmUp: number
  paceNs: number
  variant: string
}

const STAMP_BYTES = 4
const SHARES = [
  ...[0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95],
  ...[0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 1],
]
const SPIN_NS = 200_000

/** Reads `latency SIZE COUNT PACE_NS [VARIANT]` or `throughput SIZE COUNT [VARIANT]`. */
export function parseWork(words: readonly string[]): Work {
  const throughput = words[0] === "throughput"
  const count = Number(words[2])
  const rest = words.slice(3)
  return {
    throughput,
    size: Number(words[1]),
    count,
    warmUp: Math.max(20, Math.floor(count / 4)),
    paceNs: throughput ? 0 : Number(rest.shift()),
    variant: rest[0] ?? "",
  }
}

/** Messages that may be on their way, where nothing holds the sender back by itself; as deep as our own queues. */
export function windowOf(size: number): number {
  return size <= 1024 ? 256 : size <= 65536 ? 64 : 10
}

/** Writes a number into a message that has room for it. */
export function stamp(bytes: Uint8Array, number: number): void {
  if (bytes.byteLength < STAMP_BYTES) return
  for (let i = 0; i < STAMP_BYTES; i++) bytes[i] = number >>> (8 * i)
}

/** The number in a message; null when it is too small for one. */
export function numberIn(bytes: Uint8Array): number | null {
  if (bytes.byteLength < STAMP_BYTES) return null
  return bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)
}

/** Times round trips: call {@link next} before each send, {@link arrived} when the answer is there. */
export class RoundTrips {
  readonly #work: Work
  readonly #times: Float64Array
  #startNs = 0
  #before = Bun.nanoseconds()
  /** Number of the round trip under way. */
  round = 0

  constructor(work: Work) {
    this.#work = work
    this.#times = new Float64Array(work.count)
  }

  /** Resolves at the moment of the next intended send; null when it is now. */
  next(): Promise<void> | null {
    return this.#plan() ? untilNs(this.#before) : null
  }

  /** The same for a thread that may block: waits until the next intended send. */
  spin(): void {
    if (this.#plan()) while (Bun.nanoseconds() < this.#before);
  }

  /** When the next send is intended; false when it is now. The pace begins after the warm-up. */
  #plan(): boolean {
    const { paceNs, warmUp } = this.#work
    if (paceNs === 0 || this.round < warmUp) return false
    if (this.round === warmUp) this.#startNs = this.#before
    this.#before = this.#startNs + (this.round - warmUp) * paceNs
    return true
  }

  /** @returns whether there is a further round */
  arrived(number: number | null): boolean {
    const now = Bun.nanoseconds()
    if (number !== null && number !== this.round) throw new Error("an answer to another message")
    const { warmUp, count } = this.#work
    if (this.round >= warmUp) this.#times[this.round - warmUp] = now - this.#before
    this.#before = now
    return ++this.round < warmUp + count
  }

  /** Prints the half round trips as a LatencyTake. */
  print(): void {
    const times = this.#times.sort()
    const at = (share: number) => times[Math.floor(share * (times.length - 1))]! / 2
    const figures = { p50Ns: at(0.5), p90Ns: at(0.9), p99Ns: at(0.99), p999Ns: at(0.999) }
    const cdf = SHARES.map((share) => [share, at(share)])
    const kind = "half round trip"
    console.log(JSON.stringify({ kind, ...figures, maxNs: at(1), count: times.length, cdf }))
  }
}

/** Sleeps until shortly before, and spins the rest, so that the sender's own timer is not part of the figure. */
async function untilNs(ns: number): Promise<void> {
  const ms = Math.floor((ns - Bun.nanoseconds() - SPIN_NS) / 1e6)
  if (ms > 0) await Bun.sleep(ms)
  while (Bun.nanoseconds() < ns);
}

/** Counts a stream: order, and the time from the first message to the last. */
export class Stream {
  readonly #work: Work
  #received = 0
  #startNs = 0

  constructor(work: Work) {
    this.#work = work
  }

  /** @returns whether more is to come */
  arrived(number: number | null): boolean {
    if (number !== null && number !== this.#received) {
      throw new Error("a message is lost or out of order")
    }
    if (this.#received++ === 0) this.#startNs = Bun.nanoseconds()
    return this.#received < this.#work.count
  }

  /** Prints a ThroughputTake. */
  print(): void {
    const { count, size } = this.#work
    const messagesPerSecond = ((count - 1) * 1e9) / (Bun.nanoseconds() - this.#startNs)
    const bytesPerSecond = messagesPerSecond * size
    const counts = { sent: count, received: this.#received }
    console.log(JSON.stringify({ messagesPerSecond, bytesPerSecond, ...counts }))
  }
}

/** A channel to the other side: sends bytes, or a word that gives the sender of a stream more room. */
export type Channel = { send(bytes: Uint8Array): void; credit(): void }

/**
 * The first side: pings, or receives the stream; prints.
 *
 * @returns what to do with each message; it resolves `done` after the last
 */
export function firstSide(work: Work, channel: Channel, done: () => void) {
  if (work.throughput) {
    const stream = new Stream(work)
    const half = windowOf(work.size) / 2
    let sinceCredit = 0
    return (bytes: Uint8Array) => {
      if (++sinceCredit === half) {
        sinceCredit = 0
        channel.credit()
      }
      if (stream.arrived(numberIn(bytes))) return
      stream.print()
      done()
    }
  }
  const trips = new RoundTrips(work)
  const message = new Uint8Array(work.size).fill(7)
  const send = () => {
    stamp(message, trips.round)
    channel.send(message)
  }
  const ping = () => {
    const pause = trips.next()
    if (pause === null) send()
    else void pause.then(send)
  }
  // The other side may still be starting: the first ping waits in its channel.
  ping()
  return (bytes: Uint8Array) => {
    if (trips.arrived(numberIn(bytes))) return ping()
    trips.print()
    done()
  }
}

/** The other side: answers, or sends the stream within its window. */
export function otherSide(work: Work, channel: Channel) {
  const message = new Uint8Array(work.size).fill(7)
  let sent = 0
  let room = windowOf(work.size)
  const fill = () => {
    for (; room > 0 && sent < work.count; room--) {
      stamp(message, sent++)
      channel.send(message)
    }
  }
  if (work.throughput) fill()
  return {
    message: (bytes: Uint8Array) => channel.send(bytes),
    credit: () => {
      room += windowOf(work.size) / 2
      fill()
    },
  }
}
