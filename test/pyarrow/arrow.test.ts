// pyarrow, the library of dora's Python nodes, as the third implementation beside apache-arrow and flechette.
import { expect } from "bun:test"
import { join } from "node:path"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { arrayOf, readLayout, vectorOf } from "../../src/arrow/decoder.ts"
import { Encoder, type Sendable } from "../../src/arrow/encoder.ts"
import { cut, plain, sample } from "../support/arrow.ts"
import { python, pythonWith } from "../support/python.ts"
import { needs } from "../support/toolchain.ts"

const SEED = 20_261_122
const INSTALL_LIMIT_MS = 300_000
const withPython = needs("python3", python !== null)

type Answer = { type: string; values: unknown; back: string; error?: string }

function encode(data: Sendable): Uint8Array {
  const prepared = new Encoder().prepare(data)
  const bytes = new Uint8Array(prepared.byteLength)
  prepared.write(bytes, 0)
  return bytes
}

/** What pyarrow makes of streams. */
async function readByPython(streams: readonly Uint8Array[]): Promise<Answer[]> {
  const input = Buffer.concat(
    streams.flatMap((stream) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(stream.byteLength)
      return [length, stream]
    }),
  )
  const lines = await script("read.py", new Blob([input]))
  return lines.map((line) => JSON.parse(line) as Answer)
}

async function script(name: string, input?: Blob): Promise<string[]> {
  const interpreter = await pythonWith(["pyarrow", "numpy"])
  const child = Bun.spawn([interpreter, join(import.meta.dir, name)], {
    stdin: input ?? "ignore",
    stdout: "pipe",
    stderr: "inherit",
  })
  const text = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return text.trim().split("\n")
}

withPython(
  "pyarrow reads what we write, with its full validation",
  async () => {
    const values: [Sendable, string, unknown][] = [
      [new Float32Array([1.5, 2]), "float", [1.5, 2]],
      [new Uint8Array([1, 2, 3]), "uint8", [1, 2, 3]],
      [new BigInt64Array([-1n]), "int64", [-1]],
      [new Float16Array([1.5]), "halffloat", [1.5]],
      [new Float64Array(0), "double", []],
      [7, "double", [7]],
      [7n, "int64", [7]],
      [true, "bool", [true]],
      ["grün 🚀", "string", ["grün 🚀"]],
      [null, "null", []],
      [new Date(1234), "timestamp[ms]", [1234]],
      [["a", null, ""], "string", ["a", null, ""]],
      [[new Uint8Array([1]), null], "binary", [[1], null]],
      [[[1, null], null, []], "list<item: double>", [[1, null], null, []]],
      [
        [{ x: 1, tags: ["a"] }, null, { x: 2, tags: null }],
        "struct<x: double, tags: list<item: string>>",
        [{ x: 1, tags: ["a"] }, null, { x: 2, tags: null }],
      ],
    ]
    const answers = await readByPython(values.map(([value]) => encode(value)))
    for (const [i, [, type, wanted]] of values.entries()) {
      expect(answers[i]).toMatchObject({ type, values: wanted })
    }
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "pyarrow and we agree on any vector, in both directions",
  async () => {
    // pyarrow's Python side lacks these two types, which its C++ side reads.
    const known = sample(3).filter(({ type }) => !/Interval<(YEAR|DAY)/.test(`${type}`))
    const cuts = fc.tuple(known, fc.nat(40), fc.nat(40), fc.boolean())
    const vectors = fc.sample(cuts, { seed: SEED, numRuns: 400 }).map(([made, a, b, chunked]) => {
      return cut(arrow.vectorFromArray(made.values, made.type), a, b, chunked)
    })
    const answers = await readByPython(vectors.map((vector) => encode(vector)))
    expect(answers.length).toBe(vectors.length)
    for (const [i, vector] of vectors.entries()) {
      const answer = answers[i]!
      expect({ type: `${vector.type}`, error: answer.error }).toEqual({
        type: `${vector.type}`,
        error: undefined,
      })
      const stream = Uint8Array.fromHex(answer.back)
      expect(plain(vectorOf(readLayout(stream), stream))).toEqual(plain(vector))
    }
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "we read every kind of column that pyarrow writes",
  async () => {
    for (const line of await script("write.py")) {
      const { name, bytes, values } = JSON.parse(line) as Record<string, string>
      const stream = Uint8Array.fromHex(bytes!)
      const layout = readLayout(stream)
      const ours = plain(vectorOf(layout, stream))
      const theirs = plain(arrow.tableFromIPC(stream).getChildAt(0))
      expect({ name, values: ours }).toEqual({ name, values: theirs })
      const comparable = !/date|time|duration|decimal|map/.test(name!)
      if (comparable) expect({ name, values: ours }).toEqual({ name, values: plain(values) })
      if (layout.simple) expect(plain(arrayOf(layout, stream))).toEqual(ours)
      // And what was read can be sent on.
      const again = encode(vectorOf(layout, stream))
      expect({ name, values: plain(vectorOf(readLayout(again), again)) }).toEqual({
        name,
        values: ours,
      })
    }
  },
  INSTALL_LIMIT_MS,
)
