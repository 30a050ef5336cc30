import { expect, test } from "bun:test"
import { tableFromIPC } from "apache-arrow"
import { arrayOf, readLayout, vectorOf } from "./decoder.ts"
import { Encoder, type Sendable } from "./encoder.ts"

function encode(data: Sendable, encoder = new Encoder()): Uint8Array {
  const prepared = encoder.prepare(data)
  const bytes = new Uint8Array(prepared.byteLength).fill(0xaa)
  prepared.write(bytes, 0)
  return bytes
}

test("typed arrays come back as they were, from us and from apache-arrow", () => {
  for (const array of [
    new Int8Array([1, -2]),
    new Uint8Array(5).fill(7),
    new Int16Array([-300]),
    new Uint16Array([60000, 1, 2]),
    new Int32Array([-70000]),
    new Uint32Array([4e9]),
    new BigInt64Array([1n, -2n]),
    new BigUint64Array([1n << 63n]),
    new Float32Array([1.5, -0.25]),
    new Float64Array(0),
  ]) {
    const bytes = encode(array)
    const layout = readLayout(bytes)
    expect(arrayOf(layout, bytes)).toEqual(array)
    expect(arrayOf(layout, bytes).buffer).toBe(bytes.buffer)
    expect(vectorOf(layout, bytes).toArray()).toEqual(array)
    expect(tableFromIPC(bytes).getChild("data")?.toArray()).toEqual(array)
  }
})
