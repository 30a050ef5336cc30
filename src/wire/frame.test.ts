import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { MAX_FRAME_BYTES } from "../core/limits.ts"
import { Deframer, frame } from "./frame.ts"
import { WireError } from "./postcard.ts"

const SEED = 0x5eed

function collect(): { bodies: Uint8Array[]; deframer: Deframer } {
  const bodies: Uint8Array[] = []
  return { bodies, deframer: new Deframer((body) => bodies.push(body.slice())) }
}

describe("frames", () => {
  test("a stream cut anywhere gives the same bodies", () => {
    const body = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(
        fc.array(body, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
        (sent, cuts) => {
          const stream = Buffer.concat(sent.map(frame))
          const { bodies, deframer } = collect()
          for (let at = 0; at < stream.length;) {
            const step = cuts.next().value as number
            deframer.push(stream.subarray(at, at + step))
            at += step
          }
          expect(bodies).toEqual(sent.map((bytes) => Uint8Array.from(bytes)))
          expect(deframer.pending).toBe(false)
        },
      ),
      { seed: SEED, numRuns: 300 },
    )
  })

  test("a whole frame in one chunk is not copied", () => {
    const framed = frame(Uint8Array.of(1, 2, 3))
    let same = false
    new Deframer((body) => {
      same = body.buffer === framed.buffer
    }).push(framed)
    expect(same).toBe(true)
  })

  test("a large body in small chunks takes time in proportion", () => {
    const { bodies, deframer } = collect()
    const body = new Uint8Array(16 * 1024 * 1024).fill(7)
    const framed = frame(body)
    const started = performance.now()
    for (let at = 0; at < framed.length; at += 4096) deframer.push(framed.subarray(at, at + 4096))
    // Joining everything at each chunk would move 32 GiB.
    expect(performance.now() - started).toBeLessThan(3000)
    expect(Buffer.compare(bodies[0]!, body)).toBe(0)
  })

  test("a length beyond the limit is refused before anything is allocated, and for good", () => {
    const { deframer } = collect()
    const header = new Uint8Array(8)
    new DataView(header.buffer).setBigUint64(0, BigInt(MAX_FRAME_BYTES) + 1n, true)
    expect(() => deframer.push(header)).toThrow(WireError)
    expect(() => deframer.push(frame(new Uint8Array(1)))).toThrow(WireError)
    expect(() => collect().deframer.push(new Uint8Array(8).fill(255))).toThrow(WireError)
  })

  test("knows when a frame has begun", () => {
    const { deframer } = collect()
    expect(deframer.pending).toBe(false)
    deframer.push(Uint8Array.of(3))
    expect(deframer.pending).toBe(true)
  })
})
