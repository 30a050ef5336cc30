// Large messages in the fast lane: from the first byte to the last there, or begun there and ended by JavaScript.
import { afterEach, expect, test } from "bun:test"
import { Random } from "../../../test/faults/random.ts"
import type { Client } from "../../testing/client.ts"
import { clock, framed, message } from "../../testing/messages.ts"
import { Stage, until } from "../../testing/stage.ts"
import { encodeEvent } from "../../wire/events.ts"
import { laneLibrary } from "./lane-library.ts"
import { STAGING_BYTES } from "./staging.ts"

const SEED = Math.floor(Math.random() * 2 ** 31)
const withLane = laneLibrary() === null ? test.skip : test
const LARGE = 300_000
/** What fills messages that are no good. */
const DAMAGED = 200
let stage: Stage | null = null
afterEach(async () => {
  await stage?.[Symbol.asyncDispose]()
  stage = null
})

const bytesOf = (size: number, fill: number) =>
  framed(message(size, fill === DAMAGED ? fill : fill & 127, { camera: "left" }))

/** Takes a message, which is this one or a damaged one. @returns was it this one? */
async function isNext(size: number, fill: number, hint: string) {
  const { borrow, length } = await stage!.take()
  const data = new Uint8Array(borrow!.buffer)
  const isDamaged = data[0] === DAMAGED
  if (!isDamaged) {
    expect(length, hint).toBe(size)
    expect(
      data.every((byte) => byte === (fill & 127)),
      hint,
    ).toBe(true)
  }
  borrow!.release()
  return !isDamaged
}

async function expectTaken(size: number, fill: number, hint = "") {
  expect(await isNext(size, fill, hint), hint).toBe(true)
}

/** Messages until the lane knows what they look like. Before them may come what is damaged and a message all the same. */
async function warm(of: Client, hint = "") {
  for (let i = 0; i < 3; i++) {
    of.sendBytes(bytesOf(LARGE, i))
    while (!(await isNext(LARGE, i, hint)));
  }
}

withLane("C passes on what has a known head, whatever its size and however it is cut", async () => {
  stage = await new Stage("backpressure").open()
  const { control } = await stage.joined()
  await warm(control)
  const random = new Random(SEED)
  const before = stage.relay.lane.in
  const count = 120
  for (let i = 0; i < count; i++) {
    const size = [STAGING_BYTES - random.below(300), STAGING_BYTES + random.below(300), LARGE][
      i % 3
    ]!
    const bytes = bytesOf(size, i)
    const cuts = [random.below(200), random.below(bytes.length), bytes.length - random.below(60)]
    let from = 0
    for (const cut of cuts.slice(random.below(4)).sort((a, b) => a - b)) {
      control.sendBytes(bytes.subarray(from, cut))
      from = cut
      await Bun.sleep(random.below(2))
    }
    control.sendBytes(bytes.subarray(from))
    await expectTaken(size, i, `seed ${SEED}, message ${i}`)
  }
  expect(stage.relay.lane.in - before).toBeGreaterThan(count / 2)
  expect(stage.warnings).toEqual([])
})

withLane("JavaScript ends what C has begun when it is called in between", async () => {
  stage = await new Stage("backpressure").open()
  const { control, events } = await stage.joined()
  await warm(control)
  for (let i = 0; i < 40; i++) {
    const bytes = bytesOf(LARGE, i)
    // Somewhere in the head, the data, or the stamp behind them.
    const cut = [20, 90, 140_000, bytes.length - 30, bytes.length - 8][i % 5]!
    control.sendBytes(bytes.subarray(0, cut))
    const told = events.request({ type: "NextEvent" })
    await Bun.sleep(1)
    stage.relay.push("source", encodeEvent({ type: "ParamDeleted", key: "k" }, clock.stamp()))
    expect(await told).toMatchObject({ events: [{ event: { type: "ParamDeleted" } }] })
    control.sendBytes(bytes.subarray(cut))
    await expectTaken(LARGE, i, `message ${i}`)
  }
  expect(stage.warnings).toEqual([])
})

withLane("a queue under backpressure that is full holds it up, and nothing is lost", async () => {
  stage = await new Stage("backpressure").open()
  const { control } = await stage.joined()
  await warm(control)
  const count = 100
  for (let i = 0; i < count; i++) control.sendBytes(bytesOf(LARGE + i, i))
  const edge = () => stage!.memory.edges().find(({ to }) => to === "sink/in")!
  await until(() => edge().queued === 4, "a full queue")
  for (let i = 0; i < count; i++) await expectTaken(LARGE + i, i)
  expect(edge()).toMatchObject({ dropped: 0, queued: 0 })
})

withLane("a connection that ends or errs in its middle gives the memory back", async () => {
  stage = await new Stage("backpressure").open()
  const { control } = await stage.joined()
  const random = new Random(SEED)
  for (let i = 0; i < 60; i++) {
    const hostile = await stage.registered()
    await warm(hostile, `seed ${SEED}, connection ${i}`)
    const bytes = bytesOf(LARGE, DAMAGED)
    const end = bytes.length - 1
    if (i % 3 === 1) bytes[end - random.below(20)]! ^= 0x80
    // The length of the data says too much, or too little: what is left is no stamp.
    if (i % 3 === 2) bytes[bytes.indexOf(0xe0, 60)]! ^= 1 + random.below(100)
    hostile.sendBytes(bytes.subarray(0, i % 3 === 0 ? random.below(end) : end + 1))
    await Bun.sleep(1)
    hostile.close()
  }
  await warm(control, `seed ${SEED}`)
  expect(stage.warnings.filter((text) => text.startsWith("crashed"))).toEqual([])
})

withLane("what does not go on in time ends its connection", async () => {
  stage = await new Stage("backpressure", "drop_oldest").open(100)
  const { control } = await stage.joined()
  for (const cut of [100, 150_000, 300_020]) {
    const slow = await stage.registered()
    await warm(slow)
    slow.sendBytes(bytesOf(LARGE, 1).subarray(0, cut))
    await slow.closed
  }
  await warm(control)
  const late = "connection of node source closed: a frame was not completed in time"
  expect(stage.warnings).toEqual([late, late, late])
})
