// The relay thread with real memory and real sockets, and clients that keep to no rules.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { connect } from "node:net"
import { Random } from "../../../test/faults/random.ts"
import { clock, framed, message } from "../../testing/messages.ts"
import { Stage, until } from "../../testing/stage.ts"
import { encodeEvent } from "../../wire/events.ts"
import { frame } from "../../wire/frame.ts"
import { decodeParameters } from "../../wire/metadata.ts"

const OK = { type: "Result", error: null } as const

let stage: Stage | null = null
afterEach(async () => {
  delete process.env.DORA_BUN_RELAY_LANE
  await stage?.[Symbol.asyncDispose]()
  stage = null
})

// The fast lane does not change what anybody sees.
for (const lane of ["on", "off"]) {
  describe(`with the lane ${lane}`, () => {
    beforeEach(() => {
      process.env.DORA_BUN_RELAY_LANE = lane
    })

    describe("a message of an official node", () => {
      test("lies in memory as it came, whatever its size and however it is cut", async () => {
        stage = await new Stage("backpressure").open()
        const { control } = await stage.joined()
        for (const size of [
          0, 1, 5000, 5200, 65_536, 130_600, 130_950, 131_072, 140_000, 1_000_000,
        ]) {
          const parameters = { size, _framing: "arrow-ipc" }
          const bytes = framed(message(size, size & 255, parameters))
          for (const cut of [1, 9, 40, 4000, bytes.byteLength]) {
            for (let at = 0; at < bytes.byteLength; at += Math.max(cut, bytes.byteLength >> 4)) {
              control.sendBytes(bytes.subarray(at, at + Math.max(cut, bytes.byteLength >> 4)))
              await Bun.sleep(0)
            }
            const taken = await stage.take()
            expect(taken.length).toBe(size)
            const data = taken.borrow ? new Uint8Array(taken.borrow.buffer) : taken.stream!
            expect(data.byteLength === size && data.every((byte) => byte === (size & 255))).toBe(
              true,
            )
            expect(decodeParameters(taken.parameters!)).toEqual({ size })
            taken.borrow?.release()
          }
        }
        expect(stage.warnings).toEqual([])
      })

      test("waits on its socket while a queue under backpressure is full", async () => {
        stage = await new Stage("backpressure").open()
        const { control } = await stage.joined()
        const count = 200
        for (let i = 0; i < count; i++) control.send(message(i % 3 === 0 ? 200_000 : 10, i))
        const done = control.request({ type: "OutputsDone" })
        await Bun.sleep(50)
        expect(stage.memory.edges().find(({ to }) => to === "sink/in")!.queued).toBe(4)
        expect(await Promise.race([done, "waiting"])).toBe("waiting")
        for (let i = 0; i < count; i++) {
          const taken = await stage.take()
          const data = taken.borrow ? new Uint8Array(taken.borrow.buffer) : taken.stream!
          expect([data.byteLength, data[0]]).toEqual([i % 3 === 0 ? 200_000 : 10, i])
          taken.borrow?.release()
        }
        expect(await done).toEqual(OK)
        await until(() => stage!.reader.ring.checkEnd(), "the end of the edge")
      })

      test("goes nowhere when nobody listens, and what its sender has not declared is told once", async () => {
        stage = await new Stage().open()
        const { control } = await stage.joined()
        control.send(message(10, 1, {}, "unheard"))
        control.send(message(1_000_000, 1, {}, "unheard"))
        control.send(message(10, 1, {}, "nothing"))
        control.send(message(1_000_000, 1, {}, "nothing"))
        control.send(message(10, 7))
        expect((await stage.take()).stream).toEqual(new Uint8Array(10).fill(7))
        await until(() => stage!.warnings.length > 0, "a warning")
        expect(stage.warnings).toEqual([
          "node source sends on `nothing`, which is none of its outputs",
        ])
      })
    })

    test("a node without operators can't end one", async () => {
      stage = await new Stage().open()
      const { control } = await stage.joined()
      control.send(message(10, 1, {}, "dora/end/op"))
      control.send(message(10, 7))
      expect((await stage.take()).stream).toEqual(new Uint8Array(10).fill(7))
      await until(() => stage!.warnings.length > 0, "a warning")
      const [warning] = stage.warnings
      expect(warning).toBe("node source sends on `dora/end/op`, which is none of its outputs")
    })

    describe("a connection", () => {
      test("is for the dataflow and a node that it was made for", async () => {
        stage = await new Stage().open()
        const client = await stage.client()
        const other = crypto.randomUUID()
        const refused = {
          type: "Result",
          error: `no running dataflow with ID \`${other}\``,
        } as const
        expect(await client.register({ dataflow_id: other, node_id: "source" })).toEqual(refused)
        await client.closed
        const sink = await stage.client()
        const reply = await sink.register({ dataflow_id: stage.dataflow, node_id: "sink" })
        expect(reply).toEqual({ type: "Result", error: "no node with ID `sink`" })
        await sink.closed
      })

      test("is closed when a frame is too large, not completed, or no request", async () => {
        stage = await new Stage().open(100)
        const huge = await stage.client()
        huge.sendBytes(Uint8Array.of(1, 0, 0, 4, 0, 0, 0, 0))
        await huge.closed
        const { control } = await stage.joined()
        control.sendBytes(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0))
        await control.closed
        const torn = await stage.registered()
        const bytes = framed(message(500_000, 1))
        torn.sendBytes(bytes.subarray(0, 300_000))
        await torn.closed
        const wrong = await stage.registered()
        wrong.sendBytes(frame(Uint8Array.of(99)))
        await wrong.closed
        expect(stage.warnings).toEqual([
          "connection of an unknown process closed: undecodable bytes of the dora node protocol: a frame of 67108865 bytes is larger than 67108864\n  fix: both ends must speak the node protocol of dora 1.x (metadata version 2), 0.5 or 0.4",
          "connection of node source closed: a frame was not completed in time",
          "connection of node source closed: a frame was not completed in time",
          expect.stringContaining("unknown request 99"),
        ])
      })

      test("that goes wrong in the middle of a large message gives its memory back", async () => {
        stage = await new Stage("backpressure").open()
        const { control } = await stage.joined()
        const bytes = framed(message(500_000, 1))
        for (let i = 0; i < 60; i++) {
          const torn = await stage.registered()
          torn.sendBytes(bytes.subarray(0, 100_000 + i * 1000))
          await Bun.sleep(1)
          torn.close()
        }
        control.send(message(500_000, 9))
        const taken = await stage.take()
        expect(new Uint8Array(taken.borrow!.buffer)[499_999]).toBe(9)
        taken.borrow!.release()
      })

      test("does no harm whatever bytes it sends", async () => {
        stage = await new Stage().open()
        const { events, control } = await stage.joined()
        const seed = Math.floor(Math.random() * 2 ** 31)
        const random = new Random(seed)
        const valid = [
          framed(message(40, 1, { a: 1 })),
          framed(message(100_000, 1, { a: [1, 2] })),
          framed({ type: "NextEvent" }),
          framed({ type: "ExtensionLoad", namespace: "a", key: "b", remove: true }),
        ]
        for (let i = 0; i < 80; i++) {
          const socket = connect({ host: "127.0.0.1", port: stage.port })
          const over = new Promise((resolve) => socket.on("close", resolve))
          socket.on("error", () => {})
          if (i % 3 > 0) {
            const { dataflow } = stage
            const register = {
              type: "Register",
              dataflow,
              node: "source",
              version: "1",
              metadataVersion: 2,
            } as const
            socket.write(framed(register))
          }
          const bytes = valid[i % valid.length]!.slice()
          // Who has registered may end outputs and events of its node: the kind of its requests stays as it is.
          const from = i % 3 > 0 ? 9 : 0
          const count = Math.min(bytes.length, 120) - from
          for (let n = random.below(6); n >= 0; n--)
            bytes[from + random.below(count)] = random.below(256)
          socket.write(bytes)
          socket.end()
          await Promise.race([over, Bun.sleep(50)])
          socket.destroy()
        }
        // What was mutated may have been a message all the same.
        control.send(message(33, 77))
        let last: Uint8Array = new Uint8Array(0)
        for (; last[0] !== 77; last = (await stage.take()).stream ?? last);
        expect(last, `seed ${seed}`).toEqual(new Uint8Array(33).fill(77))
        const next = events.request({ type: "NextEvent" })
        stage.relay.push("source", encodeEvent({ type: "ParamDeleted", key: "k" }, clock.stamp()))
        expect(await next).toMatchObject({
          events: [{ event: { type: "ParamDeleted", key: "k" } }],
        })
      }, 20_000)

      test("that was just told of events is heard when it asks for something else", async () => {
        stage = await new Stage().open()
        const { events } = await stage.joined()
        stage.relay.push("source", encodeEvent({ type: "ParamDeleted", key: "k" }, clock.stamp()))
        await events.request({ type: "NextEvent" })
        expect(await events.request({ type: "OutputsDone" })).toEqual(OK)
      })

      test("is told that extensions are not supported, and may go on", async () => {
        stage = await new Stage().open()
        const { control } = await stage.joined()
        const load = { type: "ExtensionLoad", namespace: "a", key: "b", remove: false } as const
        expect(await control.request(load)).toEqual({
          type: "Result",
          error: "ExtensionLoad is not supported by this daemon",
        })
        const value = new Uint8Array(200_000)
        const store = { type: "ExtensionStore", namespace: "a", key: "b", value } as const
        const reply = await control.request(store)
        expect(reply).toMatchObject({ error: expect.stringContaining("too large for this daemon") })
        control.send(message(3, 3))
        expect((await stage.take()).length).toBe(3)
      })
    })
  })
}
