import { describe, test } from "bun:test"
import { fails, holds, judge, type Verdict } from "./verdict.ts"
import { chain, cycle, twoProducers, wake } from "./wake.ts"

const TIMEOUT_MS = 120_000
/** So much capacity that a sender never waits. */
const ROOM = 9
const STUCK = "stuck: nobody can run and the work isn't done"

const flaws: Verdict[] = [
  ...(["pipe", "futex"] as const).map((sleep) =>
    fails(
      `${sleep}: a producer dies between exchange and wake; daemon follows the word`,
      STUCK,
      wake({
        ...twoProducers(1, ROOM),
        sleep,
        deaths: 1,
        mayGiveUp: true,
        mayRestart: true,
        noDeathWake: true,
        mortal: [0],
      }),
    ),
  ),
  fails(
    "credit: the consumer dies between claim and wake",
    STUCK,
    wake({ ...twoProducers(2, 1), deaths: 1, mayGiveUp: true, noDeathWake: true, mortal: [2] }),
  ),
  fails(
    "publication by a plain store",
    STUCK,
    wake({ ...twoProducers(1, ROOM), open: true, plainPublish: true }),
  ),
  fails("re-check, then arm", STUCK, wake({ ...twoProducers(1, ROOM), checkThenArm: true })),
  fails(
    "credit isn't part of the re-check",
    STUCK,
    wake({ ...twoProducers(2, 1), sleep: "pipe", noCreditCheck: true }),
  ),
  fails(
    "pipe: a callback that blocked leaves the loop asleep and its word at running",
    STUCK,
    wake({ ...twoProducers(1, ROOM), sleep: "pipe", open: true, callbacks: 1, noInterrupt: true }),
  ),
  fails(
    "pipe: sleeping again without arming",
    STUCK,
    wake({ ...twoProducers(2, ROOM), sleep: "pipe", noRearm: true }),
  ),
]

const anyFate = { mayGiveUp: true, mayRestart: true } as const

const half: Verdict[] = [
  holds(
    "two producers, room for 3, never closed",
    wake({ ...twoProducers(4, 3), half: true, open: true }),
  ),
  holds(
    "two producers, room for 3, death of the consumer, successor or none",
    wake({ ...twoProducers(4, 3), half: true, deaths: 1, mortal: [2], mayRestart: true }),
  ),
  holds(
    "cycle of two, room for 3, never closed, a death anywhere, successor or none",
    wake({ ...cycle(4, 3), half: true, open: true, deaths: 1, ...anyFate }),
  ),
]

const callbacks: Verdict[] = [
  holds(
    "pipe: two producers, always room, never closed, callbacks that block",
    wake({ ...twoProducers(2, ROOM), sleep: "pipe", open: true, callbacks: 2 }),
  ),
  holds(
    "pipe: chain of three, credit 1, never closed, a callback that blocks",
    wake({ ...chain(2, 1), sleep: "pipe", open: true, callbacks: 1 }),
  ),
  holds(
    "pipe: cycle of two, credit 1, a death anywhere, successor or none, a callback that blocks",
    wake({ ...cycle(2, 1), sleep: "pipe", deaths: 1, callbacks: 1, ...anyFate }),
  ),
]

const corrected: Verdict[] = (["futex", "pipe"] as const).flatMap((sleep) => [
  holds(
    `${sleep}: two producers, always room, never closed`,
    wake({ ...twoProducers(2, ROOM), sleep, open: true }),
  ),
  holds(
    `${sleep}: two producers, credit 1, never closed`,
    wake({ ...twoProducers(2, 1), sleep, open: true }),
  ),
  holds(
    `${sleep}: chain of three, credit 1, never closed`,
    wake({ ...chain(2, 1), sleep, open: true }),
  ),
  holds(
    `${sleep}: cycle of two, credit 1, never closed, a death anywhere, successor or none`,
    wake({ ...cycle(2, 1), sleep, deaths: 1, open: true, ...anyFate }),
  ),
  holds(
    `${sleep}: two producers, always room, never closed, a death anywhere`,
    wake({ ...twoProducers(1, ROOM), sleep, deaths: 1, open: true, ...anyFate }),
  ),
  holds(
    `${sleep}: two producers, always room, no death`,
    wake({ ...twoProducers(2, ROOM), sleep }),
  ),
  holds(`${sleep}: two producers, credit 1, no death`, wake({ ...twoProducers(2, 1), sleep })),
  holds(
    `${sleep}: two producers, always room, a death anywhere, successor or none`,
    wake({ ...twoProducers(1, ROOM), sleep, deaths: 1, ...anyFate }),
  ),
  holds(
    `${sleep}: two producers, credit 1, death of the consumer, successor or none`,
    wake({ ...twoProducers(2, 1), sleep, deaths: 1, mortal: [2], ...anyFate }),
  ),
  holds(
    `${sleep}: chain of three, credit 1, death of the middle, successor or none`,
    wake({ ...chain(2, 1), sleep, deaths: 1, mortal: [1], ...anyFate }),
  ),
  holds(
    `${sleep}: cycle of two, credit 1, two deaths anywhere, successor or none`,
    wake({ ...cycle(2, 1), sleep, deaths: 2, ...anyFate }),
  ),
])

describe("a wrong rule of waking fails:", () => {
  for (const verdict of flaws) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("waking holds:", () => {
  for (const verdict of [...corrected, ...callbacks])
    test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("waking a producer at half of its queue holds:", () => {
  for (const verdict of half) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})
