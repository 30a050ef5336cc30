import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { MAX_FRAME_BYTES } from "../core/limits.ts"
import { HybridClock } from "../core/clock.ts"
import { Client } from "../testing/client.ts"
import { DATAFLOW, fakeDaemon } from "../testing/daemon.ts"
import { encodeEvent } from "../wire/events.ts"
import { frame } from "../wire/frame.ts"
import { encodeRequest } from "../wire/messages.ts"
import { encodeMessage, encodeParameters } from "../wire/metadata.ts"
import { Session } from "./session.ts"

const CAMERA = { dataflow_id: DATAFLOW, node_id: "camera" }
const OK = { type: "Result", error: null } as const
const error = (text: string) => ({ type: "Result", error: text }) as const

const clock = new HybridClock()
let daemon: ReturnType<typeof fakeDaemon>
let clients: Client[]

beforeEach(() => {
  daemon = fakeDaemon()
  clients = []
})
afterEach(() => {
  for (const client of clients) client.close()
  daemon.listener[Symbol.dispose]()
})

async function connected(): Promise<Client> {
  const port = Number(daemon.listener.address.split(":")[1])
  const client = await Client.connect({ hostname: "127.0.0.1", port })
  clients.push(client)
  return client
}

async function registered(): Promise<Client> {
  const client = await connected()
  expect(await client.register(CAMERA)).toEqual(OK)
  return client
}

async function subscribed(): Promise<Client> {
  const client = await registered()
  client.send({ type: "Subscribe" })
  await until(() => daemon.parked.length > 0)
  daemon.parked.shift()!(null)
  expect(await client.reply()).toEqual(OK)
  return client
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > end) throw new Error("waited in vain")
    await Bun.sleep(1)
  }
}

describe("Register", () => {
  const register = {
    type: "Register",
    dataflow: DATAFLOW,
    node: "camera",
    version: "1.1.0",
    metadataVersion: 2,
  } as const

  test("comes first on every connection", async () => {
    const client = await connected()
    expect(await client.request({ type: "Subscribe" })).toEqual(
      error("must send register message first"),
    )
    await client.closed
  })

  test("comes once", async () => {
    const client = await registered()
    expect(await client.register(CAMERA)).toEqual(error("unexpected register message"))
    expect(await client.request({ type: "NodeConfig", node: "camera" })).toEqual(
      error("unexpected node config message"),
    )
  })

  test("of a foreign dataflow, an unknown node or another wire format is refused with the reason", async () => {
    const other = "0198c000-0000-7000-8000-000000000000"
    const refusals = [
      [{ ...register, dataflow: other }, `no running dataflow with ID \`${other}\``],
      [{ ...register, node: "plot" }, "no node with ID `plot`"],
      [
        { ...register, metadataVersion: 1 },
        "message wire-format mismatch: node camera (dora 1.1.0) has metadata version 1, this daemon 2",
      ],
    ] as const
    for (const [request, reason] of refusals) {
      const client = await connected()
      expect(await client.request(request)).toEqual(error(reason))
      await client.closed
      expect(daemon.warnings.at(-1)).toContain(reason)
    }
  })

  test("of dora 0.x is recognised", async () => {
    const client = await connected()
    const id = "060000000000000063616d657261"
    const version = "0500000000000000302e382e30"
    const uuid = `1000000000000000${"22".repeat(16)}`
    client.sendBytes(frame(Uint8Array.fromHex(`00000000${uuid}${id}${version}${"11".repeat(24)}`)))
    await client.closed
    expect(daemon.warnings).toEqual([
      "camera is of 0.8.0",
      "connection of an unknown process closed: it speaks the protocol of an older dora (0.8.0)",
    ])
  })
})

describe("a session", () => {
  test("parks Subscribe until the barrier answers", async () => {
    const client = await registered()
    const reply = client.request({ type: "Subscribe" })
    await until(() => daemon.parked.length === 1)
    expect(await Promise.race([reply, Bun.sleep(30)])).toBeUndefined()
    daemon.parked[0]!("Node b exited")
    expect(await reply).toEqual(error("Node b exited"))
  })

  test("tells the barrier when a parked node hangs up", async () => {
    const client = await registered()
    client.send({ type: "Subscribe" })
    await until(() => daemon.parked.length === 1)
    client.close()
    await until(() => daemon.hungUp.length === 1)
  })

  test("answers NextEvent at once with what is queued, else with the next event, and in the end with none", async () => {
    const client = await subscribed()
    const event = (id: string) => encodeEvent({ type: "InputClosed", id }, clock.stamp())
    daemon.mailbox.push(event("a"))
    daemon.mailbox.push(event("b"))
    const ids = async () => {
      const reply = await client.request({ type: "NextEvent" })
      return reply.type === "NextEvents"
        ? reply.events.map((e) => (e.event as { id?: string }).id)
        : reply
    }
    expect(await ids()).toEqual(["a", "b"])
    const late = ids()
    await Bun.sleep(10)
    daemon.mailbox.push(event("c"))
    expect(await late).toEqual(["c"])
    const last = ids()
    expect(await (await registered()).request({ type: "EventStreamDropped" })).toEqual(OK)
    expect(await last).toEqual([])
    expect(await ids()).toEqual([])
  })

  test("gives no events before Subscribe, and to one asker at a time", async () => {
    const early = await registered()
    expect(await early.request({ type: "NextEvent" })).toEqual(error("NextEvent before Subscribe"))
    const first = await subscribed()
    first.send({ type: "NextEvent" })
    const second = await subscribed()
    expect(await second.request({ type: "NextEvent" })).toEqual(
      error("another connection is waiting for events"),
    )
    first.close()
    daemon.mailbox.end()
    expect(await second.request({ type: "NextEvent" })).toEqual({ type: "NextEvents", events: [] })
  })

  test("closes outputs by name, all of them at OutputsDone, no unknown one", async () => {
    const client = await registered()
    expect(await client.request({ type: "CloseOutputs", outputs: ["depth"] })).toEqual(OK)
    expect(daemon.closed).toEqual(["depth"])
    expect(await client.request({ type: "CloseOutputs", outputs: ["sound"] })).toEqual(
      error("node camera has no output sound"),
    )
    expect(await client.request({ type: "OutputsDone" })).toEqual(OK)
    expect(daemon.closed).toEqual(["depth", "image", "depth"])
  })

  test("answers what it does not offer, and nothing where no reply is expected", async () => {
    const client = await registered()
    const bytes = encodeMessage(clock.stamp(), encodeParameters({}), null)
    client.send({ type: "SendMessage", output: "image", message: { bytes } })
    const load = { type: "ExtensionLoad", namespace: "n", key: "k", remove: false } as const
    expect(await client.request(load)).toEqual(
      error("ExtensionLoad is not supported by this daemon"),
    )
    expect(daemon.warnings).toEqual(["node camera sends over TCP; its message is dropped"])
  })

  test("warns of a clock that is far ahead", async () => {
    const client = await registered()
    const ahead = { ...clock.stamp(), seconds: Math.floor(Date.now() / 1000) + 60 }
    client.sendBytes(frame(encodeRequest({ type: "OutputsDone" }, ahead)))
    expect(await client.reply()).toEqual(OK)
    expect(daemon.warnings).toEqual(["the clock of node camera is more than 500 ms ahead"])
  })
})

describe("hostile peers", () => {
  test("a frame beyond the limit closes the connection", async () => {
    const client = await connected()
    const header = new Uint8Array(8)
    new DataView(header.buffer).setBigUint64(0, BigInt(MAX_FRAME_BYTES + 1), true)
    client.sendBytes(header)
    await client.closed
    expect(daemon.warnings[0]).toContain("larger than")
  })

  test("undecodable bytes close the connection, and only that one", async () => {
    const good = await registered()
    const bad = await registered()
    bad.sendBytes(frame(Uint8Array.of(200, 200, 1)))
    await bad.closed
    expect(daemon.warnings[0]).toContain("connection of node camera closed")
    expect(await good.request({ type: "OutputsDone" })).toEqual(OK)
  })

  test("a request while another one is pending closes the connection", async () => {
    const client = await registered()
    client.send({ type: "Subscribe" })
    client.send({ type: "NextEvent" })
    await client.closed
    expect(daemon.warnings[0]).toContain("NextEvent while another request is pending")
  })

  test("more connections than a dataflow may have are turned away", async () => {
    for (let i = 0; i < 4; i++) await registered()
    const fifth = await connected()
    await fifth.closed
    expect(daemon.warnings).toEqual(["more than 4 connections; a new one is closed"])
  })

  test("a peer that sends without reading its replies is not read from for ever, and loses none", async () => {
    const client = await registered()
    const request = frame(
      encodeRequest({ type: "ExtensionDrop", namespace: "n".repeat(200), key: "k" }, clock.stamp()),
    )
    const count = 50_000
    client.pause()
    for (let i = 0; i < count; i++) client.sendBytes(request)
    await Bun.sleep(200)
    client.resume()
    for (let i = 0; i < count; i++) {
      expect((await client.reply()).type).toBe("Result")
    }
    expect(daemon.warnings).toEqual([])
  })

  test("a frame that is begun must be completed in time, silence between frames is fine", async () => {
    let ended = 0
    const socket = { write: () => 0, pause() {}, resume() {}, end: () => void ended++ }
    const warnings: string[] = []
    const host = {
      dataflow: DATAFLOW,
      clock,
      node: () => null,
      warn: (text: string) => void warnings.push(text),
      era: () => {},
    }
    const silent = new Session(host, socket, 20)
    const stalled = new Session(host, socket, 20)
    stalled.receive(Uint8Array.of(1, 0, 0))
    await until(() => ended > 0)
    await Bun.sleep(40)
    expect(warnings).toEqual([
      "connection of an unknown process closed: a frame was not completed in time",
    ])
    silent.closed()
  })

  test("closing the listener ends every connection", async () => {
    const client = await subscribed()
    client.send({ type: "NextEvent" })
    daemon.listener[Symbol.dispose]()
    await client.closed
  })
})
