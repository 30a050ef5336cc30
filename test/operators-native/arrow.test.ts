import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { readLayout, vectorOf } from "../../src/arrow/decoder.ts"
import { flatKinds, mapType, plain, sample } from "../support/arrow.ts"
import { cargo, CARGO_LIMIT_MS, testCrates } from "../support/cargo.ts"
import { Bench, buildC, hasCc, Stream, streamOf } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"

const SEED = 20_261_122
// On a busy machine the shim's first compilation and processes of their own take seconds.
setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), "dora-bun-operators-"))
const benches: Record<string, Bench> = {}

beforeAll(async () => {
  if (hasCc) benches.c = await new Bench(await buildC("probe.c", folder)).load()
  if (!cargo) return
  const built = await testCrates()
  benches.v1 = await new Bench(join(built, "libnative_v1.so")).load()
  benches.v0 = await new Bench(join(built, "libnative_v0.so")).load()
}, CARGO_LIMIT_MS)

afterAll(() => {
  for (const bench of Object.values(benches)) bench.operator.drop()
  for (const bench of Object.values(benches)) {
    const { counts } = bench.operator
    expect(counts.inputsReleased).toBe(counts.inputs)
    expect(counts.outputsReleased).toBe(counts.outputs)
    expect(counts.releasedTwice).toBe(0)
  }
  rmSync(folder, { recursive: true, force: true })
})

/** What the operator makes of a column, and what apache-arrow reads in it. */
function through(library: string, id: string, vector: arrow.Vector): unknown {
  const bench = benches[library]!
  const before = streamOf(vector)
  bench.input(id, new Stream(before))
  const last = bench.sent.at(-1)!
  const [made] = bench.take()
  const again = arrow.tableFromIPC(last.stream).getChildAt(0)!
  expect(plain(again)).toEqual(plain(made!))
  expect(`${made!.type}`).toEqual(`${vector.type}`)
  return plain(made!)
}

const map = mapType()
const colors = ["red", "green", null, "red", "blue", "green", "red"]
const wordsOf = (values: (string | null)[]) =>
  arrow.vectorFromArray(values, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()))

/** Unions, as columns of the parts that apache-arrow makes them of. */
function union(mode: arrow.UnionMode): arrow.Vector {
  const dense = mode === arrow.UnionMode.Dense
  const numbers = arrow.vectorFromArray(dense ? [1, 2, 3] : [1, 0, 2, 0, 3], new arrow.Int32())
  const texts = arrow.vectorFromArray(dense ? ["a", "b"] : ["", "a", "", "b", ""], new arrow.Utf8())
  const fields = [
    new arrow.Field("n", new arrow.Int32(), true),
    new arrow.Field("t", new arrow.Utf8(), true),
  ]
  const type = new arrow.Union(mode, [0, 1], fields)
  const data = arrow.makeData({
    type,
    length: 5,
    typeIds: Int8Array.of(0, 1, 0, 1, 0),
    ...(dense ? { valueOffsets: Int32Array.of(0, 0, 1, 1, 2) } : {}),
    children: [numbers.data[0]!, texts.data[0]!],
  } as never)
  return new arrow.Vector([data as never])
}

const columns: Record<string, arrow.Vector> = {
  "a map": arrow.vectorFromArray(
    [
      new Map([
        ["a", 1],
        ["b", null],
      ]) as never,
      null,
      new Map(),
    ],
    map,
  ),
  "a dictionary": wordsOf(colors),
  "a dictionary of nulls": wordsOf([null, null]),
  "dictionaries in a list": arrow.vectorFromArray(
    [["x", "y"], [], null, ["y", "y", "x"], ["x"], ["y"]],
    new arrow.List(
      new arrow.Field("item", new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()), true),
    ),
  ),
  "a sparse union": union(arrow.UnionMode.Sparse),
  "a dense union": union(arrow.UnionMode.Dense),
  "large lists": arrow.vectorFromArray(
    [[1, 2], null, [], [3], [4, 5, 6]],
    new arrow.LargeList(new arrow.Field("item", new arrow.Float32(), true)),
  ),
}

describe.each(["c", "v1", "v0"])("%s", (library) => {
  const withLibrary = library === "c" ? needs("cc", hasCc) : needs("cargo", cargo !== null)

  withLibrary("echoes columns of every type, empty ones, with and without nulls", () => {
    for (const { type, value } of flatKinds) {
      const values = fc.sample(value, { numRuns: 9, seed: SEED })
      for (const some of [values, [...values, null, null, values[0]], [null, null], []]) {
        const vector = arrow.vectorFromArray(some as unknown[], type) as arrow.Vector
        const stream = streamOf(vector)
        const expected = plain(vectorOf(readLayout(stream), stream))
        expect(through(library, "echo", vector)).toEqual(expected)
      }
    }
  })

  for (const [name, vector] of Object.entries(columns)) {
    withLibrary(`echoes ${name}`, () => {
      expect(through(library, "echo", vector)).toEqual(plain(vector))
    })
  }

  withLibrary("echoes nested columns, whatever they are made of", () => {
    fc.assert(
      fc.property(sample(2), ({ type, values }) => {
        const vector = arrow.vectorFromArray(values as unknown[], type) as arrow.Vector
        const stream = streamOf(vector)
        const expected = plain(vectorOf(readLayout(stream), stream))
        expect(through(library, "echo", vector)).toEqual(expected)
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  if (library === "c") return

  withLibrary("sends slices, of nested columns too", () => {
    fc.assert(
      fc.property(sample(2), ({ type, values }) => {
        const vector = arrow.vectorFromArray(values as unknown[], type) as arrow.Vector
        const all = plain(vector) as unknown[]
        const from = Math.min(2, all.length)
        const expected = all.slice(from, from + Math.max(0, all.length - 3))
        expect(through(library, "slice", vector)).toEqual(expected)
      }),
      { seed: SEED, numRuns: 300 },
    )
    for (const vector of Object.values(columns)) {
      const all = plain(vector) as unknown[]
      const from = Math.min(2, all.length)
      const expected = all.slice(from, from + Math.max(0, all.length - 3))
      expect(through(library, "slice", vector)).toEqual(expected)
    }
  })

  if (library !== "v1") return

  withLibrary("sends columns that it has made itself", () => {
    fc.assert(
      fc.property(sample(1), ({ type, values }) => {
        const vector = arrow.vectorFromArray(values as unknown[], type) as arrow.Vector
        const all = plain(vector) as unknown[]
        expect(through(library, "double", vector)).toEqual([...all, ...all])
      }),
      { seed: SEED, numRuns: 200 },
    )
  })
})
