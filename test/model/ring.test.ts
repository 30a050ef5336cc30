import { describe, test } from "bun:test"
import { ring } from "./ring.ts"
import { fails, holds, judge, type Verdict } from "./verdict.ts"

const TIMEOUT_MS = 120_000

const flaws: Verdict[] = [
  fails(
    "seq, slots start with 0 while the index starts near the wrap",
    "order: 0 after 0",
    ring({ zeroSeq: true, signedReady: true }),
  ),
  fails(
    "head, judging a slot before the claim",
    "poisoned the edge",
    ring({ publishBy: "head", judgeEarly: true }),
  ),
  fails("seq, judging a slot before the claim", "poisoned the edge", ring({ judgeEarly: true })),
  fails(
    "head, cached head kept after a lost claim (stopped consumer, lapped by half the counter)",
    "ended with messages still queued",
    ring({ publishBy: "head", modulus: 8, startIndex: 0, messages: 8, keepHead: true }),
  ),
  fails(
    "seq, ready by signed difference (stopped consumer, lapped by half the counter)",
    "ended with messages still queued",
    ring({ modulus: 8, startIndex: 0, messages: 7, signedReady: true }),
  ),
  fails(
    "ABA: a consumer stopped inside one claim for a whole turn of the counter",
    "a torn message was accepted",
    ring({ modulus: 4, startIndex: 0, messages: 7 }),
  ),
  fails(
    "drops counted by the producer, producer dies",
    "is not taken",
    ring({ publishBy: "head", producerDeaths: 1, countDrops: true }),
  ),
  fails(
    "drops counted by the producer, consumer dies",
    "is not taken",
    ring({ publishBy: "head", consumerDeaths: 1, countDrops: true }),
  ),
  fails(
    "closing mark in a slot, drop_oldest",
    "closing dropped a message",
    ring({ publishBy: "head", messages: 2, closeInSlot: true }),
  ),
  fails(
    "closing word believed without a second look",
    "ended with messages still queued",
    ring({ noRecheck: true }),
  ),
  fails(
    "seq, successor of the producer believes the head hint",
    "a torn message was accepted",
    ring({ producerDeaths: 1, trustHead: true }),
  ),
  fails(
    "seq, a successor's successor looks past the head hint only once",
    "tail beyond head",
    ring({ producerDeaths: 2, lookOnce: true }),
  ),
]

const corrected: Verdict[] = (["head", "seq"] as const).flatMap((publishBy) =>
  [true, false].flatMap((dropOldest) => {
    const how = { publishBy, dropOldest }
    const name = `${publishBy}, ${dropOldest ? "drop_oldest" : "backpressure"}`
    const deaths = (count: number) =>
      ({ producerDeaths: count, consumerDeaths: count, mayStayDead: true }) as const
    return [
      holds(
        `${name}, 2 slots, 5 messages across the wrap, one death of each end`,
        ring({ ...how, ...deaths(1) }),
      ),
      holds(
        `${name}, 2 slots, 8 messages on a counter of 8 values (sign, wrap, lapped by more than half)`,
        ring({ ...how, messages: 8, modulus: 8, startIndex: 1 }),
      ),
      holds(
        `${name}, 4 slots, queue_size 3, 7 messages, one death of each end`,
        ring({ ...how, slots: 4, queueSize: 3, messages: 7, ...deaths(1) }),
      ),
      holds(
        `${name}, 1 slot, 7 messages, one death of each end`,
        ring({ ...how, slots: 1, queueSize: 1, messages: 7, ...deaths(1) }),
      ),
      holds(
        `${name}, 2 slots, queue_size 1, 5 messages, two deaths of each end`,
        ring({ ...how, queueSize: 1, ...deaths(2) }),
      ),
    ]
  }),
)

describe("a wrong ring fails:", () => {
  for (const verdict of flaws) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("the ring holds:", () => {
  for (const verdict of corrected) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})
