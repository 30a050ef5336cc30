import { expect, test } from "bun:test"
import { HybridClock } from "../core/clock.ts"
import type { Parameters } from "../core/parameters.ts"
import { HEADER_BYTES } from "./frame.ts"
import { decodeParameters, encodeParameters } from "./metadata.ts"
import { Reader, WireError } from "./postcard.ts"
import { frameSendMessage, KnownHeads, readSendHead } from "./relay.ts"

const clock = new HybridClock()
/** As on a connection: each message where the last one was. */
const staging = new Uint8Array(4096)

function place(output: string, parameters: Parameters, size: number): Uint8Array {
  const encoded = Object.keys(parameters).length > 0 ? encodeParameters(parameters) : null
  const data = new Uint8Array(size).fill(7)
  const frame = frameSendMessage(output, clock.stamp(), encoded, data, clock.stamp())
  staging.fill(0xff).set(frame.subarray(HEADER_BYTES))
  return staging.subarray(0, frame.byteLength - HEADER_BYTES)
}

test("a head is read as by a reader that has seen nothing before it", () => {
  const last = new KnownHeads()
  const messages: [string, Parameters][] = [
    ["out", {}],
    ["out", {}],
    ["output", {}],
    ["out", { a: 1 }],
    ["out", { a: 1 }],
    ["out", { a: 1, b: "x".repeat(500) }],
    ["out", { a: 1, b: 2 }],
    ["out", {}],
  ]
  for (const [output, parameters] of messages) {
    const body = place(output, parameters, 100)
    const { stamp, like: _, ...head } = readSendHead(new Reader(body), last)
    const { like: __, ...fresh } = readSendHead(new Reader(body), new KnownHeads())
    expect({ ...head, stamp }).toEqual(fresh)
    expect(head).toMatchObject({ output, length: 100 })
    expect(head.parameters ? decodeParameters(head.parameters) : {}).toEqual(parameters)
  }
})

test("a head is news once: when it is the first of its output, and when new parameters come a second time", () => {
  const heads = new KnownHeads()
  const messages: [string, Parameters, boolean][] = [
    ["out", { a: 1 }, true],
    ["other", {}, true],
    ["out", { a: 1 }, false],
    ["other", {}, false],
    ["out", { a: 2 }, false],
    ["out", { a: 3 }, false],
    ["out", { a: 3 }, true],
    ["out", { a: 3 }, false],
    ["out", { a: 3, b: "x".repeat(500) }, false],
    ["out", { a: 3 }, false],
  ]
  for (const [i, [output, parameters, isNews]] of messages.entries()) {
    const { like } = readSendHead(new Reader(place(output, parameters, 10)), heads)
    expect([i, like.isNews]).toEqual([i, isNews])
  }
})

test("a head that is cut off is refused wherever that is, and the next one is read", () => {
  const last = new KnownHeads()
  const body = place("out", { a: 1 }, 100)
  readSendHead(new Reader(body), last)
  const head = body.byteLength - 100 - 20
  for (let length = 0; length < head - 10; length++) {
    expect(() => readSendHead(new Reader(body.subarray(0, length)), last)).toThrow(WireError)
  }
  expect(readSendHead(new Reader(body), last)).toMatchObject({ output: "out", length: 100 })
})
