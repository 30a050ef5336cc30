import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Stamp } from "../core/clock.ts"
import { DoraError } from "../core/errors.ts"
import { encodeEvent, type NodeEvent } from "./events.ts"
import { frame } from "./frame.ts"
import {
  type DaemonReply,
  type DaemonRequest,
  decodeReply,
  decodeRequest,
  encodeNextEvents,
  encodeReply,
  encodeRequest,
} from "./messages.ts"
import { encodeMessage, encodeParameters } from "./metadata.ts"

const SEED = 0x5eed
const DATAFLOW = "0198c000-1111-7222-8333-444455556666"
const ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
const STAMP: Stamp = { seconds: 0x68a7_1d3b, fraction: 0x8000_0000, id: ID }
const NEXT: Stamp = { ...STAMP, fraction: STAMP.fraction + 1 }
const TS = "80 80 80 80 b8 a7 c7 d3 68 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10"

/** A frame as the reference prints it: length in bytes, then the body. */
function golden(length: number, body: string): string {
  const header = new Uint8Array(8)
  new DataView(header.buffer).setUint32(0, length - 8, true)
  return header.toHex() + body.replaceAll("TS", TS).replaceAll(" ", "")
}

function message(frameNumber: number | null, data: Uint8Array | null) {
  const parameters = encodeParameters(frameNumber === null ? {} : { frame: frameNumber })
  return { bytes: encodeMessage(STAMP, parameters, data) }
}

/** What was decoded, with messages as they were put in. */
function plain<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (key, inner) => {
      if (inner instanceof Uint8Array) return inner.toHex()
      return key === "message" ? { bytes: inner.bytes.toHex() } : inner
    }),
  )
}

describe("golden requests", () => {
  const payload = Uint8Array.of(1, 2, 3)
  const vectors: [string, DaemonRequest, string][] = [
    [
      "Register",
      {
        type: "Register",
        dataflow: DATAFLOW,
        node: "camera",
        version: "1.0.0",
        metadataVersion: 2,
      },
      golden(
        65,
        "00 10 01 98 c0 00 11 11 72 22 83 33 44 44 55 55 66 66 06 63 61 6d 65 72 61 05 31 2e 30 2e 30 02 TS",
      ),
    ],
    ["Subscribe", { type: "Subscribe" }, golden(34, "01 TS")],
    ["NextEvent", { type: "NextEvent" }, golden(34, "06 TS")],
    ["OutputsDone", { type: "OutputsDone" }, golden(34, "05 TS")],
    ["EventStreamDropped", { type: "EventStreamDropped" }, golden(34, "07 TS")],
    [
      "CloseOutputs",
      { type: "CloseOutputs", outputs: ["image"] },
      golden(41, "04 01 05 69 6d 61 67 65 TS"),
    ],
    ["CloseOutputs of none", { type: "CloseOutputs", outputs: [] }, golden(35, "04 00 TS")],
    ["NodeConfig", { type: "NodeConfig", node: "plot" }, golden(39, "08 04 70 6c 6f 74 TS")],
    [
      "SendMessage",
      { type: "SendMessage", output: "image", message: message(7, payload) },
      golden(81, "02 05 69 6d 61 67 65 02 TS 01 05 66 72 61 6d 65 01 0e 01 00 03 01 02 03 TS"),
    ],
    [
      "SendMessage of nothing",
      { type: "SendMessage", output: "image", message: message(null, null) },
      golden(68, "02 05 69 6d 61 67 65 02 TS 00 00 TS"),
    ],
    [
      "OutputSent",
      { type: "OutputSent", output: "image", metadata: message(7, null).bytes.subarray(0, -1) },
      golden(75, "03 05 69 6d 61 67 65 02 TS 01 05 66 72 61 6d 65 01 0e TS"),
    ],
  ]
  for (const [name, request, expected] of vectors) {
    test(`${name} is written and read`, () => {
      expect(frame(encodeRequest(request, STAMP)).toHex()).toBe(expected)
      const read = decodeRequest(Uint8Array.fromHex(expected.slice(16)))
      expect(plain(read.request) as unknown).toEqual(plain(request))
      expect(read.stamp).toEqual(STAMP)
    })
  }
})

describe("golden replies", () => {
  const nextEvents = (...events: [NodeEvent, Stamp][]) =>
    encodeNextEvents(events.map(([event, stamp]) => encodeEvent(event, stamp)))
  const input = (id: string, frameNumber: number | null, data: Uint8Array | null): NodeEvent => ({
    type: "Input",
    id,
    message: message(frameNumber, data),
  })
  const replies: [string, DaemonReply | [NodeEvent, Stamp][], string][] = [
    ["Ok", { type: "Result", error: null }, golden(10, "00 00")],
    ["Err", { type: "Result", error: "nope" }, golden(15, "00 01 04 6e 6f 70 65")],
    ["ExtensionValue of none", { type: "ExtensionValue", value: null }, golden(10, "03 00")],
    [
      "ExtensionValue",
      { type: "ExtensionValue", value: Uint8Array.of(0xaa) },
      golden(12, "03 01 01 aa"),
    ],
    [
      "an Input",
      [[input("image", 7, Uint8Array.of(1, 2, 3)), STAMP]],
      golden(
        83,
        "01 01 02 05 69 6d 61 67 65 02 TS 01 05 66 72 61 6d 65 01 0e 01 00 03 01 02 03 TS",
      ),
    ],
    [
      "a tick",
      [[input("tick", null, null), STAMP]],
      golden(69, "01 01 02 04 74 69 63 6b 02 TS 00 00 TS"),
    ],
    ["Stop", [[{ type: "Stop" }, STAMP]], golden(36, "01 01 00 TS")],
    [
      "InputClosed",
      [[{ type: "InputClosed", id: "image" }, STAMP]],
      golden(42, "01 01 03 05 69 6d 61 67 65 TS"),
    ],
    ["AllInputsClosed", [[{ type: "AllInputsClosed" }, STAMP]], golden(36, "01 01 06 TS")],
    [
      "two events",
      [
        [{ type: "InputClosed", id: "image" }, STAMP],
        [{ type: "AllInputsClosed" }, NEXT],
      ],
      golden(
        68,
        "01 02 03 05 69 6d 61 67 65 TS 06 81 80 80 80 b8 a7 c7 d3 68 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10",
      ),
    ],
    ["the end", [], golden(10, "01 00")],
    ["Reload", [[{ type: "Reload", operator: null }, STAMP]], golden(37, "01 01 01 00 TS")],
    [
      "Reload of an operator",
      [[{ type: "Reload", operator: "op" }, STAMP]],
      golden(40, "01 01 01 01 02 6f 70 TS"),
    ],
    [
      "NodeFailed",
      [[{ type: "NodeFailed", inputs: ["image"], error: "boom", source: "camera" }, STAMP]],
      golden(55, "01 01 09 01 05 69 6d 61 67 65 04 62 6f 6f 6d 06 63 61 6d 65 72 61 TS"),
    ],
  ]
  for (const [name, reply, expected] of replies) {
    test(`${name} is written and read`, () => {
      const events = Array.isArray(reply)
      const body = events ? nextEvents(...reply) : encodeReply(reply as never)
      expect(frame(body).toHex()).toBe(expected)
      const want = events
        ? { type: "NextEvents", events: reply.map(([event, stamp]) => ({ event, stamp })) }
        : reply
      expect(plain(decodeReply(body)) as unknown).toEqual(plain(want))
    })
  }

  test("events without a vector come back too", () => {
    const events: NodeEvent[] = [
      { type: "InputRecovered", id: "op/image" },
      { type: "NodeRestarted", node: "camera" },
      { type: "ParamUpdate", key: "gain", json: new TextEncoder().encode("2.5") },
      { type: "ParamDeleted", key: "gain" },
      { type: "ExtensionDropped", namespace: "n", key: "k" },
    ]
    const read = decodeReply(
      nextEvents(...events.map((event): [NodeEvent, Stamp] => [event, STAMP])),
    )
    expect(plain(read) as unknown).toEqual(
      plain({ type: "NextEvents", events: events.map((event) => ({ event, stamp: STAMP })) }),
    )
  })
})

describe("hostile bytes", () => {
  const samples = [
    encodeRequest(
      { type: "Register", dataflow: DATAFLOW, node: "a", version: "1.1.0", metadataVersion: 2 },
      STAMP,
    ),
    encodeRequest({ type: "SendMessage", output: "image", message: message(7, ID) }, STAMP),
    encodeRequest({ type: "ExtensionStore", namespace: "n", key: "k", value: ID }, STAMP),
    encodeNextEvents([encodeEvent({ type: "Input", id: "x", message: message(7, ID) }, STAMP)]),
    encodeReply({ type: "Result", error: "nope" }),
  ]

  test("every decoder ends in a typed error or a message, whatever the bytes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
        fc.option(fc.nat(80)),
        fc.uint8Array({ maxLength: 8 }),
        (sample, edits, cut, tail) => {
          const bytes = Uint8Array.from([...sample.subarray(0, cut ?? sample.length), ...tail])
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
          for (const decode of [decodeRequest, decodeReply]) {
            try {
              decode(bytes)
            } catch (error) {
              expect(error).toBeInstanceOf(DoraError)
              expect((error as DoraError).code).toBe("WIRE")
            }
          }
        },
      ),
      { seed: SEED, numRuns: 20_000 },
    )
  })

  test("every truncation and every extra byte is refused", () => {
    for (const sample of samples) {
      const decode = decodes(sample) ? decodeRequest : decodeReply
      for (let cut = 0; cut < sample.length; cut++)
        expect(() => decode(sample.subarray(0, cut))).toThrow()
      expect(() => decode(Uint8Array.of(...sample, 0))).toThrow("too many")
    }
  })

  test("an id that dora forbids makes the frame undecodable", () => {
    for (const id of ["", "a b", "a//b", "/a"]) {
      expect(() =>
        decodeRequest(encodeRequest({ type: "CloseOutputs", outputs: [id] }, STAMP)),
      ).toThrow()
    }
    expect(() => decodeRequest(encodeRequest({ type: "NodeConfig", node: "a/b" }, STAMP))).toThrow()
  })
})

function decodes(bytes: Uint8Array): boolean {
  try {
    decodeRequest(bytes)
    return true
  } catch {
    return false
  }
}
