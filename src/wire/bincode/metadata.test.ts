import { describe, expect, test } from "bun:test"
import { decodeParameters, encodeParameters } from "../metadata.ts"
import { Writer } from "../postcard.ts"
import { BincodeReader, BincodeWriter } from "./codec.ts"
import { readOldParameters, readStamp, writeOldParameters, writeStamp } from "./metadata.ts"

const BOTH = { failures: true, timestamps: true }
const NEITHER = { failures: false, timestamps: false }
const ALL = {
  yes: true,
  no: false,
  integers: [0, -1, 2 ** 40, -(2n ** 63n), 2n ** 63n - 1n],
  integer: -(2 ** 53 - 1),
  floats: Float64Array.of(0, -0.5, Number.POSITIVE_INFINITY),
  text: "é 🚀",
  texts: ["", "a"],
}

function written(
  encoded: Uint8Array | null,
  release = BOTH,
): { bytes: Uint8Array; lost: string[] } {
  const writer = new BincodeWriter()
  const lost = writeOldParameters(writer, encoded, release)
  return { bytes: writer.bytes, lost }
}

describe("parameters", () => {
  test("keep their types both ways", () => {
    const { bytes, lost } = written(encodeParameters(ALL), NEITHER)
    expect(lost).toEqual([])
    const back = readOldParameters(new BincodeReader(bytes))
    expect(back).toEqual(encodeParameters(ALL))
  })

  test("are as dora 0.5 writes them", () => {
    const { bytes } = written(encodeParameters({ n: -2, x: 0.5 }))
    const n = "0100000000000000 6e 01000000 feffffffffffffff"
    const x = "0100000000000000 78 04000000 000000000000e03f"
    expect(bytes).toEqual(Uint8Array.fromHex(`0200000000000000 ${n} ${x}`.replaceAll(" ", "")))
    expect(written(null).bytes).toEqual(new Uint8Array(8))
  })

  test("that are times keep all their digits, and are named when they can't be had", () => {
    const time = "2026-08-21T12:00:00.123456789Z"
    const encoded = new Writer()
      .varint(2)
      .text("t")
      .byte(7)
      .text(time)
      .text("u")
      .byte(0)
      .bool(true).bytes
    const { bytes } = written(encoded)
    expect(readOldParameters(new BincodeReader(bytes))).toEqual(encoded)
    const old = written(encoded, NEITHER)
    expect(old.lost).toEqual(["t"])
    expect(decodeParameters(readOldParameters(new BincodeReader(old.bytes))!)).toEqual({ u: true })
  })

  test("of unknown types and times that are none are refused", () => {
    const one = (variant: number) => new BincodeWriter().varint(1).text("t").variant(variant)
    const time = one(7).text("yesterday").bytes
    expect(() => readOldParameters(new BincodeReader(time))).toThrow("no RFC 3339 time")
    expect(() => readOldParameters(new BincodeReader(one(8).bytes))).toThrow("unknown type 8")
  })
})

test("a stamp never names a clock of zeros, which would cost its receiver all that it comes with", () => {
  const writer = new BincodeWriter()
  writeStamp(writer, { seconds: 7, fraction: 9, id: new Uint8Array(16) })
  const { seconds, fraction } = readStamp(new BincodeReader(writer.bytes))
  expect({ seconds, fraction }).toEqual({ seconds: 7, fraction: 9 })
})
