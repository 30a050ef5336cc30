// Arrow streams into data of dora 0.4 and 0.5, and back.
import { describe, expect, test } from "bun:test"
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { cut, plain, sample, type Sample as Column } from "../../../../test/support/arrow.ts"
import { readLayout, vectorOf } from "../../../arrow/decoder.ts"
import { Encoder, type Sendable } from "../../../arrow/encoder.ts"
import { DoraError } from "../../../core/errors.ts"
import { BincodeReader, BincodeWriter } from "../../../wire/bincode/codec.ts"
import { writeTypeInfo } from "./from-stream.ts"
import { FrameSample, SharedSample } from "./sample.ts"
import { StreamPayload } from "./to-stream.ts"
import { TypeInfoReader } from "./type-info.ts"

const SEED = 20_261_128

function encode(data: Sendable): Uint8Array {
  const prepared = new Encoder().prepare(data)
  const bytes = new Uint8Array(prepared.byteLength)
  prepared.write(bytes, 0)
  return bytes
}

/** Description and data of a stream. */
function old(stream: Uint8Array): { info: Uint8Array; data: Uint8Array } {
  const writer = new BincodeWriter()
  const { from, length, made } = writeTypeInfo(writer, readLayout(stream), stream)
  return { info: writer.bytes.slice(), data: made ?? stream.slice(from, from + length) }
}

/** The stream of a description and data, written amid other bytes. */
function stream(info: Uint8Array, data: Uint8Array, types = new TypeInfoReader()): Uint8Array {
  const reader = new BincodeReader(info)
  const read = types.read(reader)
  reader.end()
  const payload = new StreamPayload(read.type, read.info, new FrameSample(data))
  const bytes = new Uint8Array(payload.byteLength + 16).fill(0xaa)
  payload.write(bytes, 8)
  expect([...bytes.slice(0, 8), ...bytes.slice(-8)]).toEqual(Array(16).fill(0xaa))
  return bytes.slice(8, -8)
}

const values = (bytes: Uint8Array) => plain(vectorOf(readLayout(bytes), bytes))
const vector = ({ type, values: all }: Column) => arrow.vectorFromArray(all, type)

describe("a column", () => {
  test("of any type comes back from what nodes of dora 0.x get", () => {
    const nat = fc.nat(40)
    const property = fc.property(sample(2), nat, nat, (column, a, b) => {
      const sent = cut(vector(column), a, b, false)
      const { info, data } = old(encode(sent))
      const back = stream(info, data)
      expect(values(back)).toEqual(plain(sent))
      const { field } = readLayout(back)
      expect({ ...field, name: "" }).toEqual({ ...readLayout(encode(sent)).field, name: "" })
    })
    fc.assert(property, { seed: SEED, numRuns: 600, includeErrorInReport: true })
  })

  test("whose buffers lie where such a node can't read them is put together anew", () => {
    const fields = [
      new arrow.Field("small", new arrow.Int8(), true),
      new arrow.Field("wide", new arrow.Decimal(2, 30), true),
    ]
    const rows = [{ small: 1, wide: Uint32Array.of(1, 2, 3, 0) }]
    const sent = arrow.vectorFromArray(rows, new arrow.Struct(fields))
    const foreign = arrow.tableToIPC(new arrow.Table({ data: sent }), "stream")
    const { buffers } = readLayout(foreign)
    expect((buffers.at(-2)! - buffers.at(-6)!) % 16).toBe(8)
    const { info, data } = old(foreign)
    expect(data.byteLength).toBe(128 + 16)
    expect(values(stream(info, data))).toEqual(plain(sent))
  })

  test("of elements and no bytes has a byte of data, since none would mean no elements", () => {
    const nulls = encode(arrow.vectorFromArray([null, null, null], new arrow.Null()))
    const { info, data } = old(nulls)
    expect(data.byteLength).toBe(1)
    expect(values(stream(info, data))).toEqual([null, null, null])
    expect(old(encode(new Uint8Array(0))).data.byteLength).toBe(0)
  })

  test("that is part of an array begins where its offset says", () => {
    const writer = new BincodeWriter().variant(1).varint(5).varint(0).bool(true)
    // Bits 3 to 7 of validity 0b11101000 and of values 0b10111000.
    writer.blob(Uint8Array.of(0b1110_1000)).varint(3)
    writer.varint(1).varint(0).varint(1).varint(0)
    const back = stream(writer.bytes, Uint8Array.of(0b1011_1000))
    expect(values(back)).toEqual([true, null, true, false, true])
  })

  test("of views without what they refer to is refused with the reason", () => {
    const writer = new BincodeWriter().variant(26).varint(1).varint(0).bool(false).varint(0)
    writer.varint(1).varint(0).varint(16).varint(0)
    const view = new Uint8Array(16).fill(13, 0, 1)
    expect(() => stream(writer.bytes, view)).toThrow("no views of more than 12 bytes")
    expect(
      values(stream(writer.bytes, Uint8Array.of(1, 0, 0, 0, 97, ...Array(11).fill(0)))),
    ).toEqual(["a"])
  })

  test("of a type that such a node dies of is refused by name", () => {
    const list = arrow.tableToIPC(new arrow.Table({ data: arrow.vectorFromArray([[1]]) }), "stream")
    const layout = readLayout(list)
    const field = Object.assign(Object.create(Object.getPrototypeOf(layout.field)), layout.field)
    field.id = 25
    expect(() => writeTypeInfo(new BincodeWriter(), { ...layout, field }, list)).toThrow("ListView")
    const parts = { ...layout, deltas: true }
    expect(() => writeTypeInfo(new BincodeWriter(), parts, list)).toThrow("a dictionary in parts")
  })
})

describe("a description that is wrong", () => {
  test("gives an error or a stream, whatever it says, and touches nothing else", () => {
    let [streams, errors] = [0, 0]
    const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    const property = fc.property(sample(2), mutations, (column, all) => {
      const { info, data } = old(encode(vector(column)))
      for (const [at, byte] of all) info[at % info.byteLength] = byte
      try {
        const made = stream(info, data)
        streams++
        values(made)
      } catch (error) {
        // What apache-arrow does not know is not ours to refuse.
        if (!(error instanceof DoraError))
          expect((error as Error).message).toMatch(/[Uu]nrecognized|type/)
        errors++
      }
    })
    fc.assert(property, { seed: SEED, numRuns: 3000, includeErrorInReport: true })
    expect(streams).toBeGreaterThan(100)
    expect(errors).toBeGreaterThan(100)
  })

  test("takes no more memory than a message may have", () => {
    // A struct of 100 columns, each of which is all of the data.
    const rows = 8 * 1024 * 1024
    const members = Array.from({ length: 100 }, (_, i) => `c${i}`)
    const writer = new BincodeWriter().variant(32).varint(members.length)
    for (const name of members) {
      writer.text(name).variant(6).bool(true).varint(0).bool(false).varint(0)
    }
    writer.varint(rows).varint(0).bool(false).varint(0).varint(0).varint(members.length)
    for (const _ of members) {
      writer.variant(6).varint(rows).varint(0).bool(false).varint(0)
      writer.varint(1).varint(0).varint(rows).varint(0)
    }
    expect(() => stream(writer.bytes, new Uint8Array(rows))).toThrow("over the limit")
  })
})

describe("shared memory of a sender", () => {
  const name = `dora-bun-test-${process.pid}`

  test("is read as far as it goes", () => {
    const fd = openSync(`/dev/shm/${name}`, "w")
    writeSync(fd, Uint8Array.of(1, 2, 3, 4))
    const shared = new SharedSample(`/${name}`, 4)
    unlinkSync(`/dev/shm/${name}`)
    const target = new Uint8Array(6).fill(9)
    shared.copy(target, 1, 1, 3)
    shared.copy(target, 4, 3, 2)
    expect(target).toEqual(Uint8Array.of(9, 2, 3, 4, 4, 0))
    shared.close()
    closeSync(fd)
  })

  test("that is not there, too short or elsewhere is refused", () => {
    closeSync(openSync(`/dev/shm/${name}`, "w"))
    expect(() => new SharedSample(name, 1)).toThrow("it has 0 bytes")
    unlinkSync(`/dev/shm/${name}`)
    expect(() => new SharedSample(name, 1)).toThrow("there is none")
    for (const path of ["../../etc/passwd", "/a/b", "", ".."]) {
      expect(() => new SharedSample(path, 1)).toThrow("shared memory named")
    }
  })
})
