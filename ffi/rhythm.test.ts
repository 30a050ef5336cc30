// When the relay is awake for a sender, in time that is made up.
import { expect } from "bun:test"
import { dlopen } from "bun:ffi"
import { Random } from "../test/faults/random.ts"
import { buildPeer, LIBRARY, withCc } from "../test/support/peer.ts"

const SEED = 20_261_129
const SYMBOLS = {
  rp_open: { args: ["f64"], returns: "void" },
  rp_hear: { args: ["f64", "f64"], returns: "void" },
  rp_sleep: { args: ["f64"], returns: "void" },
  rp_expect: { args: ["f64", "buffer"], returns: "f64" },
  rp_poll: { args: ["f64"], returns: "void" },
  rp_late: { args: [], returns: "f64" },
} as const
/** In microseconds: how late sleeps are, how long a message is under way, a second. */
const LATE = 20
const WAY = 10
const SECOND = 1e6
/** Of the thread's time, in relay_rhythm.h; and what can be saved up. */
const SHARE = 0.04
const SAVED = 2000

let peer: ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"]

buildPeer("rhythm_peer", LIBRARY, (path) => {
  peer = dlopen(path, SYMBOLS).symbols
})

/** A sender at a time of its own, in microseconds. */
class Sender {
  now = 10 * SECOND
  readonly #until = new Float64Array(1)

  constructor() {
    peer.rp_open(LATE * 1000)
  }

  /** Sends after each of these pauses. */
  send(...pauses: number[]): this {
    for (const pause of pauses) {
      this.now += pause
      peer.rp_hear((this.now - WAY) * 1000, this.now * 1000)
    }
    return this
  }

  /** When to be awake, counted from now; null: not at all. */
  get expected(): { from: number; until: number } | null {
    const from = peer.rp_expect(this.now * 1000, this.#until)
    if (from < 0) return null
    return { from: from / 1000 - this.now, until: this.#until[0]! / 1000 - this.now }
  }
}

const times = (count: number, pause: number) => Array<number>(count).fill(pause)

withCc("who sends every millisecond is awaited for as long as a sleep may be late", () => {
  const sender = new Sender()
  expect(sender.send(...times(5, 1000)).expected).toBeNull()
  const { from, until } = sender.send(...times(40, 1000)).expected!
  expect(from).toBeCloseTo(1000 - LATE, -1)
  expect(until).toBeCloseTo(1000 + 10, -1)
})

withCc("nobody is awaited whose messages come closer together, or whose time is over", () => {
  const sender = new Sender()
  expect(sender.send(...times(40, 300)).expected).toBeNull()
  sender.send(...times(40, 1000)).now += 1500
  expect(sender.expected).toBeNull()
})

withCc("a message that is late changes nothing, three make another rhythm", () => {
  const sender = new Sender().send(...times(40, 1000), 3000)
  expect(sender.expected!.from).toBeCloseTo(1000 - LATE, -1)
  sender.send(...times(20, 3000))
  expect(sender.expected!.from).toBeCloseTo(3000 - LATE, -1)
})

withCc("sleeps that last longer are begun earlier, and few last longer than that", () => {
  new Sender()
  const random = new Random(SEED)
  for (let i = 0; i < 2000; i++) peer.rp_sleep(random.below(100) * 1000)
  expect(peer.rp_late()).toBeGreaterThan(60_000)
  expect(peer.rp_late()).toBeLessThan(110_000)
})

withCc("no more than its share of the time is polled away, whatever comes", () => {
  for (const jitter of [0, 50, 200, 600, 5000]) {
    const random = new Random(SEED + jitter)
    const sender = new Sender()
    const begun = sender.now
    let polled = 0
    while (sender.now < begun + 20 * SECOND) {
      sender.send(500 + random.below(jitter + 1))
      const { expected } = sender
      if (!expected) continue
      polled += expected.until - expected.from
      peer.rp_poll((expected.until - expected.from) * 1000)
    }
    expect(polled, `seed ${SEED}, jitter ${jitter}`).toBeLessThan(
      SHARE * (sender.now - begun) + SAVED,
    )
  }
})

withCc("stamps that lie are not believed for long", () => {
  const random = new Random(SEED)
  const sender = new Sender()
  for (let i = 0; i < 10_000; i++) {
    sender.now += 1000
    const stamp = [0, -1e18, 1e18, sender.now * 1000, random.below(2 ** 31) * 1e6][random.below(5)]!
    peer.rp_hear(stamp, sender.now * 1000)
    const { expected } = sender
    if (expected) expect(expected.until - expected.from).toBeLessThanOrEqual(SAVED)
  }
  const { from } = sender.send(...times(60, 1000)).expected!
  expect(from).toBeCloseTo(1000 - LATE, -1)
})
