// The fast lane beside the JavaScript that it stands in for: what it takes, what it leaves, and that nobody can tell the difference.
import { afterEach, describe, expect, test } from "bun:test"
import { connect, type Socket } from "node:net"
import { Random } from "../../../test/faults/random.ts"
import type { Parameters } from "../../core/parameters.ts"
import { ABANDONED_WORD, WAKE_PARKED_FUTEX, WAKE_RUNNING, WAKE_WORD } from "../../shm/layout.ts"
import { bucketOf, longestQueue } from "../../shm/histogram.ts"
import { PassingOutput } from "../../shm/passing.ts"
import { Inbox } from "../../shm/segment.ts"
import type { Client } from "../../testing/client.ts"
import { clock, framed, message } from "../../testing/messages.ts"
import { Stage, until } from "../../testing/stage.ts"
import { encodeEvent } from "../../wire/events.ts"
import { Deframer, frame } from "../../wire/frame.ts"
import { type DaemonRequest, decodeReply, encodeRequest } from "../../wire/messages.ts"
import { decodeParameters, encodeParameters } from "../../wire/metadata.ts"
import { laneLibrary } from "./lane-library.ts"

const SEED = Math.floor(Math.random() * 2 ** 31)
const withLane = laneLibrary() === null ? test.skip : test
let stage: Stage | null = null
afterEach(async () => {
  delete process.env.DORA_BUN_RELAY_LANE
  await stage?.[Symbol.asyncDispose]()
  stage = null
})

const dataOf = (size: number, fill: number) => new Uint8Array(size).fill(fill)

async function taken(of: Stage) {
  const { length, borrow, stream, parameters, seconds } = await of.take()
  const data = (borrow ? new Uint8Array(borrow.buffer) : stream!).slice()
  borrow?.release()
  return { length, data, seconds, parameters: parameters ? decodeParameters(parameters) : {} }
}

/** The producer of `sink/back`, which the relay passes on to `source`. */
function producerOf({ memory }: Stage): PassingOutput {
  const { outputs, pid, epoch } = memory.nodePlan("sink")
  const inboxOf = (edge: { inbox: { fd: number; size: number }; wakeFd: number }) =>
    new Inbox(pid, edge.inbox, edge.wakeFd)
  return new PassingOutput(outputs[0]!, pid, epoch, inboxOf)
}

function publish(to: PassingOutput, size: number, fill: number, parameters: Parameters = {}) {
  const encoded = Object.keys(parameters).length > 0 ? encodeParameters(parameters) : null
  to.publish({ stamp: clock.stamp(), parameters: encoded }, dataOf(size, fill & 255))
}

/** The next events, as pairs of first byte and size. */
async function events(of: Client) {
  const reply = await of.request({ type: "NextEvent" })
  if (reply.type !== "NextEvents") throw new Error(JSON.stringify(reply))
  return reply.events.map(({ event }) => {
    if (event.type !== "Input") return event.type
    const { data, parameters } = event.message
    return { size: data?.byteLength ?? 0, fill: data?.[0] ?? 0, parameters }
  })
}

/** Has any consumer of an output a chunk marked? */
const isMarked = ({ writer }: PassingOutput) =>
  writer.pool!.pool.lines.some((_, i, lines) => Atomics.load(lines, i) !== 0)

describe("from a socket into memory", () => {
  for (const way of ["cc", "bun"]) {
    withLane(`C passes whatever has a known head and fits, built by ${way}`, async () => {
      if (way === "bun") process.env.DORA_BUN_RELAY_LANE = way
      stage = await new Stage("backpressure").open()
      const { control } = await stage.joined()
      const parameters = { camera: "left", _framing: "arrow-ipc" }
      for (let i = 0; i < 300; i++) {
        const size = [8, 0, 5000, 5200, 40_000][i % 5]!
        control.send(message(size, i, parameters))
        const { data, ...rest } = await taken(stage)
        expect(rest).toMatchObject({ length: size, parameters: { camera: "left" } })
        expect(data).toEqual(dataOf(size, i & 255))
      }
      // The first of all, and the first that needs a chunk.
      expect(stage.relay.lane.in).toBeGreaterThanOrEqual(290)
      expect(stage.warnings).toEqual([])
    })
  }

  for (const wait of ["adaptive", "park"] as const) {
    withLane(
      `who sends at a pace is awaited: ${wait}`,
      async () => {
        stage = await new Stage("drop_oldest", "drop_oldest", wait).open()
        const { control } = await stage.joined()
        const start = performance.now()
        let i = 0
        const isOver = () => i >= 200 && (wait === "park" || stage!.relay.lane.awake > 0)
        for (; !isOver() && i < 12_000; i++) {
          while (performance.now() < start + 2 * i) await Bun.sleep(0)
          control.send(message(8, i))
          expect((await taken(stage)).data).toEqual(dataOf(8, i & 255))
        }
        expect(stage.relay.lane.awake > 0).toBe(wait === "adaptive")
      },
      30_000,
    )
  }

  test("without it JavaScript does all", async () => {
    process.env.DORA_BUN_RELAY_LANE = "off"
    stage = await new Stage().open()
    const { control } = await stage.joined()
    for (let i = 0; i < 10; i++) {
      control.send(message(8, i))
      expect((await taken(stage)).data).toEqual(dataOf(8, i))
    }
    expect(stage.relay.lane).toEqual({ in: 0, out: 0, awake: 0 })
  })

  withLane(
    "both take turns, and nothing is lost, doubled or out of order",
    async () => {
      stage = await new Stage("backpressure").open()
      const { control } = await stage.joined()
      const random = new Random(SEED)
      const sizes = [0, 3, 900, 5100, 5121, 30_000, 131_000, 300_000]
      const count = 3000
      const sent: { size: number; output: string; parameters: Parameters }[] = []
      let parameters: Parameters = {}
      for (let i = 0; i < count; i++) {
        if (random.below(20) === 0)
          parameters = random.below(2)
            ? {}
            : { a: random.below(3), b: "x".repeat(random.below(400)) }
        const size = sizes[random.below(100) < 4 ? 6 + random.below(2) : random.below(6)]!
        const output = ["out", "out", "out", "unheard", "nothing"][random.below(5)]!
        sent.push({ size, output, parameters })
      }
      const feed = (async () => {
        for (let i = 0; i < count; i++) {
          const { size, output, parameters } = sent[i]!
          const bytes = framed(message(size, i, parameters, output))
          const cut = random.below(5) === 0 ? random.below(bytes.byteLength) : 0
          if (cut > 0) {
            control.sendBytes(bytes.subarray(0, cut))
            await Bun.sleep(0)
          }
          control.sendBytes(bytes.subarray(cut))
          // Who has nothing left to read leaves the next ones to the lane.
          if (random.below(20) === 0) await Bun.sleep(1)
        }
      })()
      for (let i = 0; i < count; i++) {
        const { size, output, parameters } = sent[i]!
        if (output !== "out") continue
        const got = await taken(stage)
        const wanted = { length: size, parameters }
        expect(got, `seed ${SEED}, message ${i}`).toMatchObject(wanted)
        expect(got.data.every((byte) => byte === (i & 255))).toBe(true)
      }
      await feed
      expect(stage.relay.lane.in).toBeGreaterThan(count / 30)
      expect(stage.relay.lane.in).toBeLessThan(count)
      const edge = stage.memory.edges().find(({ to }) => to === "sink/in")!
      expect(edge).toMatchObject({ dropped: 0, queued: 0 })
    },
    30_000,
  )

  withLane("the oldest give way and are counted", async () => {
    stage = await new Stage("drop_oldest").open()
    const { control } = await stage.joined()
    for (let i = 0; i < 500; i++) control.send(message(i % 2 ? 40_000 : 100, i))
    expect(await control.request({ type: "OutputsDone" })).toMatchObject({ error: null })
    const last = []
    while (stage.reader.take()) {
      last.push(stage.reader.length)
      stage.reader.borrow?.release()
    }
    expect(last).toEqual([100, 40_000, 100, 40_000])
    const edge = stage.memory.edges().find(({ to }) => to === "sink/in")!
    expect(edge).toMatchObject({ sent: 500, taken: 4, dropped: 496 })
    expect(stage.relay.lane.in).toBeGreaterThan(400)
  })

  for (const policy of ["backpressure", "drop_oldest"] as const) {
    withLane(`a consumer that has left for good holds nobody up (${policy})`, async () => {
      stage = await new Stage(policy).open()
      const { control } = await stage.joined()
      // What JavaScript finds beside the first message it passes on as well: one after the other.
      for (let i = 0; i < 4; i++) {
        control.send(message(40_000, i))
        await taken(stage)
      }
      expect(stage.relay.lane.in).toBeGreaterThanOrEqual(2)
      const { ring } = stage.reader
      Atomics.store(ring.words, ring.base + ABANDONED_WORD, 1)
      stage.producer.wake()
      for (let i = 0; i < 200; i++) control.send(message(i % 2 ? 40_000 : 10, i))
      expect(await control.request({ type: "OutputsDone" })).toMatchObject({ error: null })
    })
  }

  withLane(
    "what has a known head and is damaged behind it harms its own connection alone",
    async () => {
      stage = await new Stage().open()
      const { control } = await stage.joined()
      const random = new Random(SEED)
      for (let i = 0; i < 150; i++) {
        const hostile = await stage.registered()
        const good = framed(message(50 + random.below(9000), 1, { a: 1 }))
        for (let n = 0; n < 3; n++) hostile.sendBytes(good)
        const bad = good.slice()
        // Behind the kind of the request, which a node may choose.
        for (let n = random.below(4); n >= 0; n--)
          bad[9 + random.below(Math.min(80, bad.length - 9))] = random.below(256)
        if (random.below(3) === 0) bad[bad.length - 1 - random.below(30)] = 255
        const cut = random.below(bad.length)
        hostile.sendBytes(bad.subarray(0, cut))
        if (random.below(2)) await Bun.sleep(0)
        hostile.sendBytes(bad.subarray(cut))
        hostile.sendBytes(good)
        await Bun.sleep(1)
        hostile.close()
      }
      control.send(message(33, 77))
      let last = new Uint8Array(0)
      while (last[0] !== 77 || last.length !== 33) last = (await taken(stage)).data
      expect(last, `seed ${SEED}`).toEqual(dataOf(33, 77))
      expect(stage.warnings.filter((text) => text.startsWith("crashed"))).toEqual([])
    },
    30_000,
  )

  withLane("bytes behind the stamp are no message", async () => {
    stage = await new Stage().open()
    const { control } = await stage.joined()
    for (let i = 0; i < 3; i++) {
      control.send(message(10, i))
      await taken(stage)
    }
    const body = encodeRequest(message(10, 9), clock.stamp())
    control.sendBytes(frame(Uint8Array.of(...body, 0)))
    await control.closed
    expect(stage.reader.take()).toBe(false)
    expect(stage.warnings).toEqual([expect.stringContaining("1 bytes too many")])
  })
})

describe("from memory into replies", () => {
  withLane(
    "C takes what lies in slots and in chunks, with parameters, and JavaScript what is told beside",
    async () => {
      stage = await new Stage().open()
      const { events: node } = await stage.joined()
      const producer = producerOf(stage)
      const sizes = [1, 0, 1001, 4999, 6001, 100_001]
      for (let i = 0; i < 120; i++) {
        const parameters: Parameters = i % 3 ? { i } : {}
        if (i % 40 === 39) {
          stage.relay.push("source", encodeEvent({ type: "ParamDeleted", key: "k" }, clock.stamp()))
          expect(await events(node)).toEqual(["ParamDeleted"])
        }
        const size = sizes[i % sizes.length]!
        publish(producer, size, i, parameters)
        expect(await events(node)).toEqual([{ size, fill: size ? i : 0, parameters }])
      }
      expect(stage.relay.lane.out).toBeGreaterThan(100)
      await until(() => !isMarked(producer), "every chunk back")
    },
  )

  for (const way of ["cc", "off"]) {
    const counts = way === "off" ? test : withLane
    counts(`it counts how long messages were under way, and the queue: ${way}`, async () => {
      process.env.DORA_BUN_RELAY_LANE = way
      stage = await new Stage().open()
      const { events: node } = await stage.joined()
      const producer = producerOf(stage)
      const counters = () => stage!.memory.counters().find(({ from }) => from === "sink/back")!
      publish(producer, 10, 0)
      await events(node)
      for (const age of [-5, 0.001, 1.5, 3, 10, 100, 1e4]) {
        const before = counters()
        const stamp = clock.stamp()
        const now = stamp.seconds + stamp.fraction / 2 ** 32
        const seconds = Math.floor(now - age)
        const fraction = Math.floor((now - age - seconds) * 2 ** 32)
        producer.publish({ stamp: { ...stamp, seconds, fraction }, parameters: null }, dataOf(8, 1))
        await events(node)
        const buckets = counters().latencies.map((count, i) => count - before.latencies[i]!)
        expect(buckets.reduce((sum, count) => sum + count)).toBe(1)
        const bucket = buckets.indexOf(1)
        expect(bucket).toBeGreaterThanOrEqual(bucketOf(age * 1e9 * 0.96))
        // A second for the way, which takes some microseconds.
        expect(bucket).toBeLessThanOrEqual(bucketOf((age + 1) * 1e9))
      }
      const before = counters().depths
      for (let i = 0; i < 3; i++) publish(producer, 10, i)
      let taken = 0
      while (taken < 3) taken += (await events(node)).length
      const depths = counters().depths.map((count, i) => count - before[i]!)
      expect(longestQueue(depths)).toBeGreaterThan(1)
      expect(depths.reduce((sum, count) => sum + count)).toBe(3)
      expect(stage.relay.lane.out > 10).toBe(way === "cc")
    })
  }

  withLane("a closed edge ends after its last message", async () => {
    stage = await new Stage().open()
    const { events: node } = await stage.joined()
    const producer = producerOf(stage)
    for (let i = 0; i < 20; i++) {
      publish(producer, 10, i)
      expect(await events(node)).toHaveLength(1)
    }
    publish(producer, 10, 99)
    producer.writer.close()
    const rest = [...(await events(node))]
    while (!rest.includes("AllInputsClosed")) rest.push(...(await events(node)))
    expect(rest).toEqual([{ size: 10, fill: 99, parameters: {} }, "InputClosed", "AllInputsClosed"])
    expect(stage.relay.lane.out).toBeGreaterThan(15)
  })

  withLane("a producer that waits for room is woken when C has made some", async () => {
    stage = await new Stage("drop_oldest", "backpressure").open()
    const { events: node } = await stage.joined()
    const producer = producerOf(stage)
    for (let i = 0; i < 3; i++) {
      publish(producer, 10, i)
      expect(await events(node)).toHaveLength(1)
    }
    for (let i = 0; i < 4; i++) publish(producer, 10, i)
    const { inbox } = stage.reader.ring
    Atomics.store(inbox.words, WAKE_WORD, WAKE_PARKED_FUTEX)
    expect(producer.writer.ready(true)).toBe(false)
    const before = stage.relay.lane.out
    expect(await events(node)).toHaveLength(4)
    expect(stage.relay.lane.out).toBe(before + 4)
    await until(() => Atomics.load(inbox.words, WAKE_WORD) === WAKE_RUNNING, "the wake-up")
  })

  withLane("who asks twice is refused", async () => {
    stage = await new Stage().open()
    const { events: node } = await stage.joined()
    const producer = producerOf(stage)
    for (let i = 0; i < 3; i++) {
      publish(producer, 10, i)
      expect(await events(node)).toHaveLength(1)
    }
    node.send({ type: "NextEvent" })
    await Bun.sleep(60)
    node.send({ type: "NextEvent" })
    await node.closed
    expect(stage.warnings).toEqual([expect.stringContaining("while another one is pending")])
  })

  /** A connection for events that reads only when it is told to. */
  async function slow(of: Stage): Promise<{ socket: Socket; ask: () => void }> {
    const socket = connect({ host: "127.0.0.1", port: of.port })
    const replies: unknown[] = []
    const deframer = new Deframer((body) => void replies.push(decodeReply(body.slice())))
    const listen = (chunk: Uint8Array) => deframer.push(chunk)
    socket.on("error", () => {})
    socket.on("data", listen)
    const say = (request: DaemonRequest) => socket.write(framed(request))
    const { dataflow } = of
    const who = { node: "source", version: "1.1.0", metadataVersion: 2 }
    say({ type: "Register", dataflow, ...who })
    await until(() => replies.length === 1, "a reply to Register")
    say({ type: "Subscribe" })
    await until(() => replies.length === 2, "a reply to Subscribe")
    socket.off("data", listen)
    return { socket, ask: () => void say({ type: "NextEvent" }) }
  }

  /** Lets the lane learn the pool, then gives it a reply that no socket takes at once. */
  async function stalled(of: Stage) {
    const { socket, ask } = await slow(of)
    const producer = producerOf(of)
    let got = 0
    const count = (chunk: Uint8Array) => {
      got += chunk.byteLength
    }
    socket.on("data", count)
    publish(producer, 100_000, 1)
    ask()
    await until(() => got > 100_000, "the first reply")
    socket.pause()
    await Bun.sleep(10)
    got = 0
    for (let i = 0; i < 3; i++) publish(producer, 16_000_000, 2 + i)
    const before = of.relay.lane.out
    ask()
    await until(() => of.relay.lane.out > before, "the lane to begin the reply")
    expect(isMarked(producer)).toBe(true)
    return { socket, producer, got: () => got, ask }
  }

  withLane(
    "a reply that its socket takes in parts arrives whole, and its memory goes back",
    async () => {
      stage = await new Stage().open()
      const { socket, producer, got, ask } = await stalled(stage)
      socket.resume()
      await until(() => got() > 16_000_000, "the large reply")
      await until(() => !isMarked(producer), "every chunk back")
      ask()
      await until(() => got() > 32_000_000, "the next one")
      ask()
      await until(() => got() > 48_000_000, "the last one")
      await until(() => !isMarked(producer), "every chunk back")
      socket.destroy()
    },
  )

  withLane("one who dies in the middle of a reply leaves no chunk borrowed", async () => {
    stage = await new Stage().open()
    const { socket, producer } = await stalled(stage)
    socket.destroy()
    await until(() => !isMarked(producer), "every chunk back")
  })
})
