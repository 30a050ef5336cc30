// One operator at work, with events made by hand.
import { describe, expect, test } from "bun:test"
import type { Event } from "../node/event.ts"
import type { Receiver } from "../node/receiver.ts"
import { inputEvent, streamOf } from "../../test/support/operators.ts"
import type { CallRecord } from "./calls.ts"
import { DoraStatus, type Operator, type OperatorContext, type OperatorEvent } from "./host.ts"
import { Instance, type InstanceOwner } from "./instance.ts"
import { Outputs } from "./outputs.ts"

/** An instance of an operator that answers as told; what happened is in `log`. */
function made(answer: (event: OperatorEvent) => DoraStatus | Promise<DoraStatus>) {
  const log: string[] = []
  const events: Event[] = []
  const receiver = {
    ended: false,
    stopRequested: false,
    poll(): Event | null {
      const event = events.shift() ?? null
      if (event?.type === "STOP") receiver.ended = true
      return event
    },
  }
  const owner: InstanceOwner = {
    ended: (_, all) => log.push(all ? "all end" : "ended"),
    failed: (_, doing, error) => log.push(`failed ${doing}: ${(error as Error).message}`),
    progress: () => {},
  }
  const operator: Operator = {
    onEvent(event) {
      log.push(event.type)
      return answer(event)
    },
    drop() {
      log.push("dropped")
      throw new Error("could not let go")
    },
  }
  const context = {
    plan: { id: "op" },
    log: { warn: (text: string) => log.push(text) },
  } as unknown as OperatorContext
  const calls = { enter: () => {}, leave: () => {} } as unknown as CallRecord
  const outputs = new Outputs("n/op", new Map())
  const parts = {
    index: 0,
    context,
    receiver: receiver as unknown as Receiver,
    outputs,
    calls,
    owner,
  }
  const instance = new Instance(operator, parts)
  const step = async (event: Event) => {
    events.push(event)
    const delivered = instance.free && instance.deliver(instance.next())
    await Bun.sleep(0)
    return delivered
  }
  return { instance, step, log, receiver }
}

const message = () => inputEvent("in", streamOf(1))
const stop: Event = { type: "STOP", cause: "MANUAL" }

describe("an operator", () => {
  test("is told that a message is damaged, instead of being given it", async () => {
    const { step, log } = made((event) => {
      if (event.type === "INPUT_PARSE_ERROR") log.push(event.id, event.error)
      return DoraStatus.CONTINUE
    })
    await step(inputEvent("in", streamOf(1).slice(0, 40)))
    await step(inputEvent("in", null))
    await step(message())
    expect(log[0]).toBe("INPUT_PARSE_ERROR")
    expect(log[1]).toBe("in")
    expect(log[2]).toContain("no valid Arrow IPC stream")
    expect(log.slice(3)).toEqual(["INPUT", "INPUT"])
  })

  test("is not told of what is meant for others", async () => {
    const { step, log } = made(() => DoraStatus.CONTINUE)
    await step({ type: "RELOAD", operator: "op" })
    await step({ type: "EXTERNAL", value: 1 })
    await step({ type: "NODE_RESTARTED", id: "x" })
    expect(log).toEqual(["NODE_RESTARTED"])
  })

  test("gets nothing more while a call lasts, and after its end", async () => {
    const { promise, resolve } = Promise.withResolvers<DoraStatus>()
    const { instance, step, log } = made(() => promise)
    expect(await step(message())).toBe(true)
    expect([instance.busy, await step(message())]).toEqual([true, false])
    resolve(DoraStatus.STOP)
    await Bun.sleep(0)
    expect([instance.over, await step(message())]).toEqual([true, false])
    expect(log).toEqual(["INPUT", "ended"])
  })

  test.each([
    [DoraStatus.STOP, "ended"],
    [DoraStatus.STOP_ALL, "all end"],
  ])("ends by status %p", async (status, expected) => {
    const { step, log } = made(() => status)
    await step(message())
    expect(log).toEqual(["INPUT", expected])
  })

  test("ends after a stop whatever it answers", async () => {
    const { step, log } = made(() => DoraStatus.CONTINUE)
    await step(stop)
    expect(log).toEqual(["STOP", "ended"])
  })

  test("fails by what it throws or rejects with, once", async () => {
    for (const answer of [
      () => {
        throw new Error("no")
      },
      () => Promise.reject(new Error("no")),
    ]) {
      const { step, log } = made(answer)
      await step(message())
      await step(message())
      expect(log).toEqual(["INPUT", "failed in onEvent: no"])
    }
  })

  test("that fails in its drop is told, and no more", async () => {
    const { instance, log } = made(() => DoraStatus.CONTINUE)
    await instance.drop()
    expect(log).toEqual(["dropped", "failed to drop operator op: Error: could not let go"])
  })

  test("is replaced between two events, or stays when there is no successor", async () => {
    const failedDrop = "failed to drop operator op: Error: could not let go"
    const { promise, resolve } = Promise.withResolvers<DoraStatus>()
    const { instance, step, log } = made(() => promise)
    await step(message())
    const failing = instance.replace(() => Promise.reject(new Error("broken")))
    const swapped = failing
      .catch((error: Error) => log.push(error.message))
      .then(() =>
        instance.replace(async () => ({
          onEvent: () => DoraStatus.STOP,
          drop: () => {},
        })),
      )
    resolve(DoraStatus.CONTINUE)
    await swapped.catch((error: Error) => log.push(error.message))
    await step(message())
    expect(log).toEqual(["INPUT", "broken", "dropped", failedDrop, "ended"])
  })
})
