// The relay with clients that speak the protocol of dora 0.4 or 0.5, and some that only begin to.
import { afterEach, describe, expect, test } from "bun:test"
import { closeSync, existsSync, openSync, writeSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { Random } from "../../../../test/faults/random.ts"
import { readLayout, vectorOf } from "../../../arrow/decoder.ts"
import { Encoder } from "../../../arrow/encoder.ts"
import { Inbox } from "../../../shm/segment.ts"
import { PassingOutput } from "../../../shm/passing.ts"
import { inTime } from "../../../../test/support/in-time.ts"
import { Stage, until } from "../../../testing/stage.ts"
import { BincodeReader, BincodeWriter } from "../../../wire/bincode/codec.ts"
import { Deframer, frame } from "../../../wire/frame.ts"
import { encodeEvent } from "../../../wire/events.ts"
import { writeUuid } from "../../../wire/identifiers.ts"
import { encodeParameters } from "../../../wire/metadata.ts"

const LIMIT_MS = 5000
const ID = new Uint8Array(16).map((_, i) => i + 1)
const STAMP = Uint8Array.fromHex("0000008000000001").reverse()
const OK = new Uint8Array(8)

/** A connection that sends and receives bodies. */
class OldClient {
  readonly closed: Promise<unknown>
  readonly #socket: Socket
  readonly #replies: Uint8Array[] = []
  #arrived = () => {}

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true })
    this.closed = new Promise((resolve) => this.#socket.on("close", resolve))
    const deframer = new Deframer((body) => {
      this.#replies.push(body.slice())
      this.#arrived()
    })
    this.#socket.on("data", (chunk: Uint8Array) => deframer.push(chunk))
    this.#socket.on("error", () => {})
  }

  /** Sends a request: its variant, what follows, and the stamp that ends it. */
  send(variant: number, fields: (writer: BincodeWriter) => void = () => {}): void {
    const writer = new BincodeWriter().variant(variant)
    fields(writer)
    this.bytes(frame(writer.raw(STAMP).raw(ID).bytes))
  }

  bytes(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  async reply(): Promise<Uint8Array> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#arrived = resolve
    if (this.#replies.length === 0) await inTime(promise, LIMIT_MS, () => "a reply")
    return this.#replies.shift()!
  }

  /** @param more  goes out behind it, together with it */
  register(dataflow: string, version: string, node = "source", more = new Uint8Array(0)): void {
    const writer = new BincodeWriter().variant(0)
    writeUuid(writer, dataflow)
    writer.text(node).text(version).raw(STAMP).raw(ID)
    this.bytes(Buffer.concat([frame(writer.bytes), more]))
  }

  close(): void {
    this.#socket.destroy()
  }
}

let stage: Stage | null = null
const clients: OldClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await stage?.[Symbol.asyncDispose]()
  stage = null
})

async function registered(version = "0.8.0"): Promise<OldClient> {
  const client = new OldClient(stage!.port)
  clients.push(client)
  client.register(stage!.dataflow, version)
  expect(await client.reply()).toEqual(OK)
  return client
}

/** The four connections of such a node that was let past the barrier. */
async function joined(version?: string) {
  const events = await registered(version)
  events.send(1)
  expect(await events.reply()).toEqual(OK)
  const drops = await registered(version)
  drops.send(7)
  expect(await drops.reply()).toEqual(OK)
  return { events, drops, control: await registered(version) }
}

/** Metadata of bytes; then come the data. */
function bytesHead(writer: BincodeWriter, count: number, output = "out"): BincodeWriter {
  writer.text(output).u16(0).raw(STAMP).raw(ID)
  writer.variant(6).varint(count).varint(0).bool(false).varint(0)
  writer.varint(1).varint(0).varint(count).varint(0)
  return writer.varint(1).text("n").variant(1).signed(count)
}

function sendBytes(client: OldClient, data: Uint8Array, output = "out"): void {
  client.send(2, (writer) => {
    bytesHead(writer, data.byteLength, output).bool(true).variant(0).blob(data)
  })
}

function sendShared(client: OldClient, id: string, length: number, token: Uint8Array): void {
  client.send(2, (writer) => {
    bytesHead(writer, length).bool(true).variant(1).text(id).varint(length).blob(token)
  })
}

async function taken(): Promise<Uint8Array> {
  const { borrow, stream } = await stage!.take()
  const bytes = borrow ? new Uint8Array(borrow.buffer).slice() : stream!
  borrow?.release()
  return Uint8Array.from(vectorOf(readLayout(bytes), bytes).toArray())
}

/** Sends on the edge to the node. */
function toNode(bytes: Uint8Array, parameters: Uint8Array | null = null): void {
  const { pid, epoch, outputs } = stage!.memory.nodePlan("sink")
  const output = new PassingOutput(
    outputs[0]!,
    pid,
    epoch,
    ({ inbox, wakeFd }) => new Inbox(pid, inbox, wakeFd),
  )
  const stamp = { seconds: 1, fraction: 2, id: ID }
  expect(output.publish({ stamp, parameters }, bytes)).toBe(true)
  const { inbox, wakeFd } = outputs[0]!.edges[0]!
  new Inbox(pid, inbox, wakeFd).wake()
}

function encoded(data: Uint8Array): Uint8Array {
  const prepared = new Encoder().prepare(data)
  const bytes = new Uint8Array(prepared.byteLength)
  prepared.write(bytes, 0)
  return bytes
}

describe("a node of dora 0.x", () => {
  test("sends small messages in frames, of any size if it wants to", async () => {
    stage = await new Stage("backpressure").open()
    const { control } = await joined()
    for (const size of [0, 1, 4000, 70_000, 3_000_000, 5]) {
      const data = new Uint8Array(size).map((_, i) => i + size)
      sendBytes(control, data)
      expect(await taken()).toEqual(data)
    }
    expect(stage.warnings).toEqual([])
  })

  test("gets back the memory of its large messages when they are copied, and also when nobody wants them", async () => {
    stage = await new Stage("backpressure").open()
    const { drops, control } = await joined()
    const name = `shmem_${process.pid.toString(16).toUpperCase()}`
    const fd = openSync(`/dev/shm/${name}`, "w")
    const data = new Uint8Array(1_000_000).map((_, i) => i * 3)
    writeSync(fd, data)
    drops.send(8)
    sendShared(control, `/${name}`, data.byteLength, ID)
    expect(await taken()).toEqual(data)
    const told = new BincodeReader(await drops.reply())
    expect([told.variant(), told.varint(), told.variant()]).toEqual([3, 1, 0])
    expect(told.blob()).toEqual(ID)
    drops.send(8)
    sendShared(control, "/shmem_0", 10, ID.toReversed())
    const lost = new BincodeReader(await drops.reply())
    expect([lost.variant(), lost.varint(), lost.variant()]).toEqual([3, 1, 0])
    expect(lost.blob()).toEqual(ID.toReversed())
    await until(() => stage!.warnings.length > 0, "a warning")
    expect(stage.warnings[0]).toContain(
      "node source, output `out`: a message is left out: shared memory",
    )
    // It takes its leave: nothing more to be told.
    drops.send(8)
    control.send(4)
    expect(await control.reply()).toEqual(OK)
    expect(await drops.reply()).toEqual(Uint8Array.fromHex("030000000000000000000000"))
    closeSync(fd)
    // Nobody has it open, and its owner has said goodbye: it is removed when all is over.
    await stage[Symbol.asyncDispose]()
    stage = null
    expect(existsSync(`/dev/shm/${name}`)).toBe(false)
  })

  test("waits on its socket while a queue under backpressure is full", async () => {
    stage = await new Stage("backpressure").open()
    const { control } = await joined()
    const count = 100
    for (let i = 0; i < count; i++) sendBytes(control, Uint8Array.of(i, 1, 2))
    control.send(4)
    const done = control.reply()
    await until(
      () => stage!.memory.edges().find(({ to }) => to === "sink/in")!.queued === 4,
      "a full queue",
    )
    expect(await Promise.race([done, "waiting"])).toBe("waiting")
    for (let i = 0; i < count; i++) expect(await taken()).toEqual(Uint8Array.of(i, 1, 2))
    expect(await done).toEqual(OK)
  })

  test("gets messages as the golden vector has them, and large ones from where they lie", async () => {
    stage = await new Stage("backpressure").open()
    const { events } = await joined()
    for (const size of [3, 100_000]) {
      const data = new Uint8Array(size).map((_, i) => i + 1)
      events.send(5, (writer) => writer.varint(0))
      toNode(encoded(data), encodeParameters({ open_telemetry_context: "" }))
      const writer = new BincodeWriter().variant(2).varint(1).variant(2).text("in").u16(0)
      writer.varint64(1, 2).raw(ID)
      writer.variant(6).varint(size).varint(0).bool(false).varint(0)
      writer.varint(1).varint(0).varint(size).varint(0)
      writer.varint(1).text("open_telemetry_context").variant(2).text("")
      const reply = new BincodeReader(await events.reply())
      expect(reply.raw(writer.length)).toEqual(writer.bytes)
      expect([reply.bool(), reply.variant()]).toEqual([true, 0])
      expect(reply.blob().subarray(0, size)).toEqual(data)
      expect(reply.varint64()).toEqual({ high: 1, low: 2 })
      expect(reply.raw(16)).toEqual(ID)
      reply.end()
    }
  })

  test("is told only what it knows", async () => {
    stage = await new Stage().open()
    const { events } = await joined("0.7.0")
    const stamp = { seconds: 1, fraction: 2, id: ID }
    const failed = { type: "NodeFailed", inputs: ["in"], error: "e", source: "sink" } as const
    events.send(5, (writer) => writer.varint(0))
    const told = [
      { ...failed, inputs: ["in"] },
      { type: "NodeRestarted", node: "sink" },
      { type: "Stop" },
    ]
    for (const event of told) stage.relay.push("source", encodeEvent(event as never, stamp))
    const reply = new BincodeReader(await events.reply())
    expect([reply.variant(), reply.varint(), reply.variant()]).toEqual([2, 1, 0])
    stage.relay.endEvents("source")
    events.send(5, (writer) => writer.varint(0))
    expect(await events.reply()).toEqual(Uint8Array.fromHex("020000000000000000000000"))
  })

  test("of another release is refused by name", async () => {
    stage = await new Stage().open()
    for (const version of ["0.2.1", "0.6.0", "1.0.0-rc.4"]) {
      const client = new OldClient(stage.port)
      clients.push(client)
      client.register(stage.dataflow, version)
      await client.closed
      expect(stage.warnings.slice(-2)).toEqual([
        `source is of ${version}`,
        `connection of an unknown process closed: it speaks the protocol of an older dora (${version})`,
      ])
    }
  })
})

describe("what is sent as dora 0.x", () => {
  test("does no harm whatever its bytes are", async () => {
    stage = await new Stage().open(200)
    const { control, drops } = await joined()
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = new Random(seed)
    for (let i = 0; i < 150; i++) {
      const client = i % 3 > 0 ? await registered() : new OldClient(stage.port)
      clients.push(client)
      const writer = new BincodeWriter().variant(i % 3 > 0 ? 2 : 0)
      bytesHead(writer, 40)
        .bool(true)
        .variant(random.below(2))
        .blob(new Uint8Array(40))
        .raw(STAMP)
        .raw(ID)
      const bytes = frame(writer.bytes)
      const from = i % 3 > 0 ? 12 : 0
      for (let n = random.below(6); n >= 0; n--)
        bytes[from + random.below(bytes.length - from)] = random.below(256)
      client.bytes(bytes)
      await Promise.race([client.closed, Bun.sleep(5)])
      client.close()
    }
    drops.send(8)
    sendBytes(control, new Uint8Array(33).fill(77))
    let last = new Uint8Array(0)
    while (last.length !== 33 || last[0] !== 77) {
      const { borrow, stream } = await stage.take()
      const bytes = borrow ? new Uint8Array(borrow.buffer).slice() : stream!
      borrow?.release()
      if (bytes.byteLength === 0) continue
      last = Uint8Array.from(vectorOf(readLayout(bytes), bytes).toArray())
    }
    expect(last, `seed ${seed}`).toEqual(new Uint8Array(33).fill(77))
  }, 20_000)

  test("may be large only from a node that was let past the barrier", async () => {
    stage = await new Stage().open()
    const client = await registered()
    client.bytes(Uint8Array.of(0, 0, 0, 3, 0, 0, 0, 0, 2))
    await inTime(client.closed, LIMIT_MS, () => "the end of the connection")
    expect(stage.warnings.join()).toContain("a frame of 50331648 bytes before Subscribe")
  })

  test("may follow the first frame at once, more than a buffer of it", async () => {
    stage = await new Stage().open()
    const client = new OldClient(stage.port)
    clients.push(client)
    const large = new Uint8Array(100_000)
    large.set([0, 0, 0, 3])
    client.register(stage.dataflow, "0.8.0", "source", large)
    await inTime(client.closed, LIMIT_MS, () => "the end of the connection")
    expect(stage.warnings.join()).toContain("a frame of 50331648 bytes before Subscribe")
  })

  test("ends its connection when it can't be, and no other", async () => {
    stage = await new Stage().open(100)
    const { events, control } = await joined()
    const cases: ((client: OldClient) => void)[] = [
      (client) => client.bytes(Uint8Array.of(1, 0, 0, 4, 0, 0, 0, 0)),
      (client) => client.bytes(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0)),
      (client) => client.send(99),
      (client) => sendShared(client, "../../etc/passwd", 10, ID),
      (client) => sendShared(client, "/shmem_1", 10, ID.subarray(1)),
      (client) => client.bytes(frame(Uint8Array.of(2, 0, 0))),
    ]
    for (const harm of cases) {
      const client = await registered()
      harm(client)
      await inTime(client.closed, LIMIT_MS, () => `the end of ${harm}`)
    }
    expect(stage.warnings).toHaveLength(cases.length)
    events.send(5, (writer) => writer.varint(0))
    sendBytes(control, Uint8Array.of(7))
    expect(await taken()).toEqual(Uint8Array.of(7))
  })
})
