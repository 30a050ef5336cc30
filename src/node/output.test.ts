import { describe, expect, test } from "bun:test"
import { Nodes, until } from "../../test/support/nodes.ts"
import { ArrowTypeError, PayloadTooLargeError } from "../arrow/errors.ts"
import {
  INLINE_BYTES,
  MAX_PARAMETER_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_PENDING_SENDS,
} from "../core/limits.ts"
import type { Parameters } from "../core/parameters.ts"
import { PoolExhaustedError } from "../shm/errors.ts"
import { ParameterError } from "../wire/metadata.ts"
import {
  LoanClosedError,
  OutputClosedError,
  SelfDeadlockError,
  SendInterruptedError,
  TooManyPendingSendsError,
} from "./errors.ts"
import type { InputEvent } from "./event.ts"
import type { Output } from "./output.ts"
import type { Receiver } from "./receiver.ts"

const LARGE = INLINE_BYTES + 1

/** One output with one consumer. */
function pair(input: Record<string, unknown> = {}) {
  const nodes = new Nodes([
    { id: "a", outputs: ["out"] },
    { id: "b", inputs: { in: { source: "a/out", ...input } } },
  ])
  const { outputs, receiver: own, waiting } = nodes.attach("a")
  const { receiver } = nodes.attach("b")
  return { nodes, out: outputs.get("out")!, receiver, own, waiting }
}

function take(receiver: Receiver): InputEvent {
  const event = receiver.poll()
  if (event?.type !== "INPUT") throw new Error(`no message but ${event?.type}`)
  return event
}

const held = (queueSize: number) => ({ queue_size: queueSize, queue_policy: "backpressure" })
const sendLarge = (out: Output, value = 0) => out.send(new Uint8Array(LARGE).fill(value), undefined)

describe("a loan", () => {
  const bytes = { type: Uint8Array, length: 3 * LARGE }

  test("is sent without a copy, and empty afterwards", async () => {
    const { nodes, out, receiver } = pair()
    using loan = out.loan(bytes)
    const { array } = loan
    array.fill(7)
    await loan.send({ width: 4 })
    expect(array.length).toBe(0)
    const event = take(receiver)
    expect([event.array.length, event.array.at(-1)]).toEqual([3 * LARGE, 7])
    expect(event.metadata.parameters).toEqual({ width: 4 })
    expect(event.value!.length).toBe(3 * LARGE)
    nodes[Symbol.dispose]()
  })

  test("says when it is used after it was sent or disposed", async () => {
    const { nodes, out } = pair()
    const sent = out.loan(bytes)
    await sent.send()
    const unsent = out.loan(bytes)
    unsent[Symbol.dispose]()
    unsent[Symbol.dispose]()
    for (const loan of [sent, unsent]) {
      expect(() => loan.array).toThrow(LoanClosedError)
      expect(() => loan.send()).toThrow("a loan of output `out` was used after it was sent")
    }
    nodes[Symbol.dispose]()
  })

  test("that nobody sends gives its memory back", () => {
    const { nodes, out, receiver } = pair()
    for (let i = 0; i < 200; i++) {
      using loan = out.loan(bytes)
      loan.array[0] = i
    }
    expect(receiver.poll()).toBeNull()
    nodes[Symbol.dispose]()
  })

  test("that can't be sent gives its memory back", async () => {
    const { nodes, out, receiver } = pair()
    for (let i = 0; i < 200; i++) {
      const loan = out.loan(bytes)
      const bad = { bad: { not: "a parameter" } } as unknown as Parameters
      expect(() => loan.send(bad)).toThrow(ParameterError)
      loan[Symbol.dispose]()
    }
    await sendLarge(out, 3)
    expect(take(receiver).array[0]).toBe(3)
    const late = out.loan(bytes)
    await out.close()
    expect(() => late.send()).toThrow(OutputClosedError)
    nodes[Symbol.dispose]()
  })

  test("of one size after another has the header that belongs to it", async () => {
    const { nodes, out, receiver } = pair()
    for (let round = 0; round < 6; round++) {
      for (const length of [9000, 12_000, 9000]) {
        using loan = out.loan({ type: Float32Array, length })
        loan.array.fill(round)
        await loan.send()
        const event = take(receiver)
        expect([event.array.constructor, event.array.length]).toEqual([Float32Array, length])
        expect([event.value!.length, event.value!.get(length - 1)]).toEqual([length, round])
        await sendLarge(out, round)
        expect(take(receiver).array[LARGE - 1]).toBe(round)
      }
    }
    nodes[Symbol.dispose]()
  })

  test("of an output that nobody consumes is memory like any other", async () => {
    const nodes = new Nodes([{ id: "a", outputs: ["out"] }])
    const loan = nodes.attach("a").outputs.get("out")!.loan({ type: "float64", length: 5 })
    expect(loan.array.length).toBe(5)
    await loan.send()
    expect(() => loan.array).toThrow(LoanClosedError)
    nodes[Symbol.dispose]()
  })

  test("beyond what the memory allows says so, and others are not lost", () => {
    const { nodes, out } = pair()
    const many = () => Array.from({ length: 100 }, () => out.loan(bytes))
    expect(many).toThrow(PoolExhaustedError)
    nodes[Symbol.dispose]()
  })

  test("of 256 MiB arrives, a larger one is refused", async () => {
    const { nodes, out, receiver } = pair()
    const loan = out.loan({ type: Uint8Array, length: MAX_PAYLOAD_BYTES })
    loan.array[MAX_PAYLOAD_BYTES - 1] = 9
    await loan.send({ large: true })
    const event = take(receiver)
    expect([event.array.length, event.array.at(-1)]).toEqual([MAX_PAYLOAD_BYTES, 9])
    expect(event.metadata.parameters).toEqual({ large: true })
    const length = MAX_PAYLOAD_BYTES + 1
    expect(() => out.loan({ type: Uint8Array, length })).toThrow(PayloadTooLargeError)
    nodes[Symbol.dispose]()
  })
})

describe("a send", () => {
  test("of too much, of what Arrow has no type for, or with what is no parameter, says so", async () => {
    const { nodes, out, receiver } = pair()
    const tooLarge = new Uint8Array(MAX_PAYLOAD_BYTES + 1)
    expect(() => out.send(tooLarge, undefined)).toThrow(
      "a message body of 268435457 bytes is over the limit of 268435456 bytes",
    )
    expect(() => out.send((() => 1) as never, undefined)).toThrow(ArrowTypeError)
    expect(() => out.send(1, { when: Symbol("never") as never })).toThrow(ParameterError)
    const long = "x".repeat(MAX_PARAMETER_BYTES)
    expect(() => out.send(1, { long })).toThrow(`the limit is ${MAX_PARAMETER_BYTES}`)
    await out.send(1, {})
    expect(take(receiver).metadata.parameters).toEqual({})
    nodes[Symbol.dispose]()
  })

  test.each([
    ["a small message", 8],
    ["a large one", LARGE],
  ])("that waits keeps its place and what it had when it was made: %s", async (_, size) => {
    const { nodes, out, receiver } = pair(held(2))
    const data = new Uint8Array(size)
    const sends: Promise<void>[] = []
    for (let i = 0; i < 60; i++) sends.push(out.send(data.fill(i), { number: i }))
    data.fill(255)
    for (let i = 0; i < 60; i++) {
      const event = take(receiver)
      expect([event.array[0], event.array[size - 1], event.metadata.parameters.number]).toEqual([
        ...[i, i, i],
      ])
      out.attempt()
    }
    await Promise.all(sends)
    expect(receiver.poll()).toBeNull()
    nodes[Symbol.dispose]()
  })

  test("that nobody awaits is refused when too many wait", async () => {
    const { nodes, out } = pair(held(1))
    await out.send(0, undefined)
    const waiting = Array.from({ length: MAX_PENDING_SENDS }, () => out.send(1, undefined))
    expect(await rejection(out.send(2, undefined))).toBeInstanceOf(TooManyPendingSendsError)
    out.abort()
    for (const send of waiting) expect(await rejection(send)).toBeInstanceOf(SendInterruptedError)
    nodes[Symbol.dispose]()
  })

  test("that waits is sent as soon as there is room, by itself", async () => {
    const { nodes, out, receiver } = pair(held(1))
    await out.send(0, undefined)
    let sent = false
    const second = out.send(1, undefined).then(() => {
      sent = true
    })
    await Bun.sleep(20)
    expect(sent).toBe(false)
    take(receiver)
    await second
    expect(take(receiver).array[0]).toBe(1)
    nodes[Symbol.dispose]()
  })

  test("that waits for memory which never comes is refused, and later ones go on", async () => {
    const { nodes, out, receiver } = pair(held(1))
    await sendLarge(out, 1)
    const loans: { [Symbol.dispose](): void }[] = []
    for (;;) {
      const loan = out.loan({ type: Uint8Array, length: LARGE })
      loans.push(loan)
      // Without memory left it is memory like any other, which is as large as its elements.
      if (loan.array.buffer.byteLength === LARGE) break
    }
    const starved = sendLarge(out, 2)
    take(receiver)
    expect(receiver.poll()).toBeNull()
    loans.push(out.loan({ type: Uint8Array, length: LARGE }))
    expect(await rejection(starved)).toBeInstanceOf(PoolExhaustedError)
    for (const loan of loans) loan[Symbol.dispose]()
    await sendLarge(out, 3)
    expect(take(receiver).array[0]).toBe(3)
    nodes[Symbol.dispose]()
  })

  test("after closing says so; closing waits for what was sent before", async () => {
    const { nodes, out, receiver } = pair(held(1))
    await out.send(1, undefined)
    const second = out.send(2, undefined)
    let closed = false
    const closing = out.close().then(() => {
      closed = true
    })
    expect(closed).toBe(false)
    expect([take(receiver).array[0], await second]).toEqual([1, undefined])
    await closing
    expect(take(receiver).array[0]).toBe(2)
    expect(receiver.poll()).toEqual({ type: "INPUT_CLOSED", id: "in" })
    expect(() => out.send(3, undefined)).toThrow(OutputClosedError)
    await out.close()
    nodes[Symbol.dispose]()
  })

  test("that blocks ends when the node is stopped", async () => {
    const { nodes, out, own } = pair(held(1))
    out.sendSync(1, undefined, own)
    nodes.memory.requestStop("a")
    expect(() => out.sendSync(2, undefined, own)).toThrow(SendInterruptedError)
    nodes[Symbol.dispose]()
  })

  test("that would wait for the node itself says so", async () => {
    const loop = { source: "a/out", ...held(1) }
    const nodes = new Nodes([{ id: "a", inputs: { in: loop }, outputs: ["out"] }])
    const { outputs, receiver } = nodes.attach("a")
    const out = outputs.get("out")!
    out.sendSync(1, undefined, receiver)
    expect(() => out.sendSync(2, undefined, receiver)).toThrow(SelfDeadlockError)
    const second = out.send(2, undefined)
    expect(take(receiver).array[0]).toBe(1)
    await second
    expect(take(receiver).array[0]).toBe(2)
    nodes[Symbol.dispose]()
  })

  test("to a consumer that has died goes on without it", async () => {
    const { nodes, out } = pair(held(1))
    await out.send(1, undefined)
    const waiting = out.send(2, undefined)
    nodes.memory.exited("b")
    await waiting
    for (let i = 0; i < 10; i++) await out.send(i, undefined)
    await until(() => true, "everything was sent")
    nodes[Symbol.dispose]()
  })
})

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let timer: Timer | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve("nothing within 5 s"), 5000)
  })
  const outcome = promise.then(
    () => "fulfilled",
    (error) => error,
  )
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer))
}
