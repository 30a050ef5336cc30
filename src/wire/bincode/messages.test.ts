// Known frames of section 8.8 of the protocol reference, and what is none.
import { describe, expect, test } from "bun:test"
import { encodeEvent } from "../events.ts"
import { encodeRequest } from "../messages.ts"
import { WireError } from "../postcard.ts"
import { BincodeWriter } from "./codec.ts"
import {
  decodeDropRequest,
  decodeOldRequest,
  encodeDropEvents,
  encodeOldReply,
  frameOldEvents,
  OLD_EVENTS_ROOM,
  oldReleaseOf,
  readOldRegister,
  writeOldEvent,
} from "./messages.ts"

const bytes = (hex: string) => Uint8Array.fromHex(hex.replaceAll(/\s/g, ""))
const TS = "00 00 00 80 3b 1d a7 68  01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10"
const stamp = {
  seconds: 0x68a7_1d3b,
  fraction: 0x8000_0000,
  id: bytes("0102030405060708090a0b0c0d0e0f10"),
}
const DATAFLOW = "0198c000-1111-7222-8333-444455556666"
const UUID = "10 00 00 00 00 00 00 00  01 98 c0 00 11 11 72 22 83 33 44 44 55 55 66 66"
const CAMERA = "06 00 00 00 00 00 00 00  63 61 6d 65 72 61"
const register = (version: string) =>
  bytes(
    `00 00 00 00 ${UUID} ${CAMERA} 05 00 00 00 00 00 00 00 ${Buffer.from(version).toHex()} ${TS}`,
  )
const BOTH = { failures: true, timestamps: true }

describe("a request of dora 0.5", () => {
  test("is read as one of today's", () => {
    const node = "camera"
    const wanted = {
      type: "Register",
      dataflow: DATAFLOW,
      node,
      version: "0.8.0",
      metadataVersion: 2,
    }
    expect(decodeOldRequest(register("0.8.0"))).toEqual({ request: wanted as never, stamp })
    const simple = { 1: "Subscribe", 4: "OutputsDone", 9: "EventStreamDropped" }
    for (const [variant, type] of Object.entries(simple)) {
      const { request } = decodeOldRequest(bytes(`0${variant} 00 00 00 ${TS}`))
      expect(request.type).toBe(type as never)
    }
    const poll = decodeOldRequest(bytes(`05 00 00 00  00 00 00 00 00 00 00 00 ${TS}`))
    expect(poll).toEqual({ request: { type: "NextEvent" }, stamp })
    const tokens = `05 00 00 00  01 00 00 00 00 00 00 00 ${UUID} ${TS}`
    expect(decodeOldRequest(bytes(tokens)).request).toEqual({ type: "NextEvent" })
    const outputs = decodeOldRequest(bytes(`03 00 00 00  01 00 00 00 00 00 00 00 ${CAMERA} ${TS}`))
    expect(outputs.request).toEqual({ type: "CloseOutputs", outputs: ["camera"] })
    expect(decodeDropRequest(bytes(`08 00 00 00 ${TS}`))).toEqual(stamp)
  })

  test("says of which release its sender is", () => {
    expect(oldReleaseOf(register("0.8.0"))).toEqual({ failures: true, timestamps: true })
    expect(oldReleaseOf(register("0.7.0"))).toEqual({ failures: false, timestamps: false })
    expect(oldReleaseOf(bytes(`0a 00 00 00 ${CAMERA} ${TS}`))).not.toBeNull()
    for (const other of ["0.2.1", "0.6.0", "1.0.0"])
      expect(oldReleaseOf(register(other))).toBeNull()
    expect(readOldRegister(register("0.2.1"))).toEqual({ node: "camera", version: "0.2.1" })
  })

  test("is told from one of 1.x, and from none", () => {
    const now = { type: "Register", dataflow: DATAFLOW, node: "camera", version: "1.1.0" } as const
    const body = encodeRequest({ ...now, metadataVersion: 2 }, stamp)
    expect(readOldRegister(body)).toBeNull()
    expect(oldReleaseOf(body)).toBeNull()
    const old = register("0.8.0")
    for (let end = 0; end < 51; end++) expect(readOldRegister(old.subarray(0, end))).toBeNull()
    const long = old.slice()
    long.fill(0xff, 28, 36)
    expect(readOldRegister(long)).toBeNull()
  })

  test("is refused with a WireError when it is damaged", () => {
    const good = [register("0.8.0"), bytes(`05 00 00 00  01 00 00 00 00 00 00 00 ${UUID} ${TS}`)]
    for (const body of good) {
      for (let end = 0; end < body.byteLength; end++) {
        expect(() => decodeOldRequest(body.subarray(0, end))).toThrow(WireError)
      }
      expect(() => decodeOldRequest(Buffer.concat([body, Uint8Array.of(0)]))).toThrow(WireError)
    }
    const nameless = bytes(`01 00 00 00 ${TS.slice(0, 23)} ${"00".repeat(16)}`)
    expect(() => decodeOldRequest(nameless)).toThrow("a clock without a name")
    const many = bytes(`05 00 00 00  ff ff ff 0f 00 00 00 00 ${UUID} ${TS}`)
    expect(() => decodeOldRequest(many)).toThrow(WireError)
  })
})

describe("a reply to dora 0.5", () => {
  test("is as it expects it", () => {
    expect(encodeOldReply({ type: "Result", error: null })).toEqual(bytes("00".repeat(8)))
    const error = encodeOldReply({ type: "Result", error: "nope" })
    expect(error).toEqual(bytes("00 00 00 00 01 00 00 00 04 00 00 00 00 00 00 00 6e 6f 70 65"))
    expect(encodeDropEvents([], stamp)).toEqual(bytes("03 00 00 00 00 00 00 00 00 00 00 00"))
    const token = bytes("0198c0001111722283334444555566 66")
    const dropped = `03 00 00 00  01 00 00 00 00 00 00 00  00 00 00 00 ${UUID} ${TS}`
    expect(encodeDropEvents([token], stamp)).toEqual(bytes(dropped))
  })

  function framed(event: Parameters<typeof encodeEvent>[0] | null, release = BOTH): Uint8Array {
    const writer = new BincodeWriter()
    for (let i = 0; i < OLD_EVENTS_ROOM; i++) writer.byte(0)
    const known = event !== null && writeOldEvent(writer, encodeEvent(event, stamp), release)
    frameOldEvents(writer.bytes, known ? 1 : 0, 0)
    return writer.bytes
  }

  test("has the events that it knows", () => {
    const none = bytes("0c 00 00 00 00 00 00 00  02 00 00 00  00 00 00 00 00 00 00 00")
    expect(framed(null)).toEqual(none)
    const head = "28 00 00 00 00 00 00 00  02 00 00 00  01 00 00 00 00 00 00 00"
    expect(framed({ type: "Stop" })).toEqual(bytes(`${head} 00 00 00 00 ${TS}`))
    expect(framed({ type: "AllInputsClosed" })).toEqual(bytes(`${head} 04 00 00 00 ${TS}`))
    const closed = framed({ type: "InputClosed", id: "camera" })
    expect(closed.subarray(20)).toEqual(bytes(`03 00 00 00 ${CAMERA} ${TS}`))
    expect(framed({ type: "NodeRestarted", node: "camera" })).toEqual(none)
    const names = { inputs: ["camera"], error: "camera", source: "camera" }
    const failed = { type: "NodeFailed", ...names } as const
    const told = `05 00 00 00  01 00 00 00 00 00 00 00 ${CAMERA} ${CAMERA} ${CAMERA} ${TS}`
    expect(framed(failed).subarray(20)).toEqual(bytes(told))
    expect(framed(failed, { ...BOTH, failures: false })).toEqual(none)
  })
})
