import { describe, expect, test } from "bun:test"
import { POLICY_WORD, QUEUE_SIZE_WORD, TAKEN_WORD } from "../shm/layout.ts"
import { BatchPolicy } from "./batch-policy.ts"

const RING = 4096

function make({ policy = 1, queue = 256, allowed = true } = {}) {
  const words = new Int32Array(2048)
  words[(RING >> 2) + POLICY_WORD] = policy
  words[(RING >> 2) + QUEUE_SIZE_WORD] = queue
  const asked: boolean[] = []
  const batch = new BatchPolicy(words, [RING], (on) => {
    asked.push(on)
    return allowed
  })
  let now = 1e12
  batch.sleeps(now)
  /** Sleeps so often, with a time and messages before each. */
  const live = (sleeps: number, ns: number, messages: number) => {
    for (let i = 0; i < sleeps; i++) {
      now += ns
      const at = (RING >> 2) + TAKEN_WORD
      words[at] = (words[at]! + messages) | 0
      batch.sleeps(now)
    }
    return asked
  }
  return { batch, live, words }
}

describe("a node is a batch process", () => {
  test("while it is woken again and again for some messages of a flood", () => {
    const { live } = make()
    expect(live(100, 300_000, 40)).toEqual([true])
    expect(live(200, 1_000_000, 256)).toEqual([true])
    expect(live(3, 100_000_000, 5)).toEqual([true, false])
    expect(live(100, 300_000, 40)).toEqual([true, false, true])
  })

  test("not for single messages, however many", () => {
    expect(make().live(1000, 30_000, 1)).toEqual([])
  })

  test("not when it sleeps rarely", () => {
    expect(make().live(1000, 2_000_000, 60)).toEqual([])
  })

  test("not when a wake-up brings a good part of the queue", () => {
    expect(make().live(1000, 300_000, 100)).toEqual([])
    expect(make({ queue: 10 }).live(1000, 30_000, 9)).toEqual([])
  })

  test("not for messages that a late turn would cost", () => {
    const { batch, live } = make({ policy: 0 })
    expect([batch.applies, make().batch.applies]).toEqual([false, true])
    expect(live(1000, 300_000, 40)).toEqual([])
  })

  test("also while the counter of messages starts again", () => {
    const { live, words } = make()
    words[(RING >> 2) + TAKEN_WORD] = 0x7fff_ff00
    live(40, 1_000_000, 1)
    expect(live(100, 300_000, 40)).toEqual([true])
  })

  test("and asks again where it was refused", () => {
    const asked = make({ allowed: false }).live(100, 300_000, 40)
    expect([asked.length > 1, asked.every((on) => on)]).toEqual([true, true])
  })
})
