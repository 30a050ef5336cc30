// One round of Arrow bytes: our encoder and decoder, apache-arrow's, and what single steps of ours take.
//   bun bench/arrow.ts
// Prints nanoseconds by step as one line of JSON. Both sides start from a Float32Array and end with one over the received bytes.
// We write into memory that is there already, as a node does; apache-arrow makes its own, which is the only way it has.
import { makeVector, Table, tableFromIPC, tableToIPC } from "apache-arrow"
import { arrayOf, readLayout, vectorOf } from "../src/arrow/decoder.ts"
import { Encoder, type Sendable } from "../src/arrow/encoder.ts"

const ELEMENTS = 1024
const SAMPLE_MS = 40
/** Calls between two looks at the clock. */
const BATCH = 200

// Results land here, so that no step can be left out as useless.
let sink = 0

/** Nanoseconds of one call, over a sample of at least SAMPLE_MS. */
function timed(step: () => number): number {
  let count = 0
  const start = Bun.nanoseconds()
  let elapsed = 0
  while (elapsed < SAMPLE_MS * 1e6) {
    for (let i = 0; i < BATCH; i++) sink += step()
    count += BATCH
    elapsed = Bun.nanoseconds() - start
  }
  return elapsed / count
}

const memory = new Uint8Array(1 << 20)
const source = Float32Array.from({ length: ELEMENTS }, (_, i) => i / 3)
const encoder = new Encoder()
const size = encoder.prepare(source).byteLength
const received = memory.subarray(0, size)

function ours(): number {
  encoder.prepare(source).write(memory, 0)
  return arrayOf(readLayout(received), received)[7] as number
}

function theirs(): number {
  const bytes = tableToIPC(new Table({ data: makeVector(source) }), "stream")
  return tableFromIPC(bytes).getChildAt(0)!.toArray()[7] as number
}

/** The steps of one message of `data`, each alone. */
function steps(name: string, data: Sendable): [string, () => number][] {
  const own = new Encoder()
  const prepared = own.prepare(data)
  const bytes = new Uint8Array(prepared.byteLength)
  prepared.write(bytes, 0)
  const layout = readLayout(bytes)
  const list: [string, () => number][] = [
    [`${name}: prepare`, () => own.prepare(data).byteLength],
    [
      `${name}: writeHeader`,
      () => {
        prepared.writeHeader(memory, 64)
        return 1
      },
    ],
    [
      `${name}: writeBody`,
      () => {
        prepared.writeBody(memory, 64)
        return 1
      },
    ],
    [`${name}: readLayout`, () => readLayout(bytes).rows],
  ]
  if (layout.elements) list.push([`${name}: arrayOf`, () => arrayOf(layout, bytes).length])
  list.push([`${name}: vectorOf`, () => vectorOf(layout, bytes).length])
  return list
}

const single = [
  ...steps("Float32Array of 64 B", new Float32Array(16)),
  ...steps("string of 11 characters", "hello world"),
  ...steps("row of 3 fields", { x: 1.5, name: "camera", seen: true }),
]
for (const step of [ours, theirs]) timed(step)
console.log(
  JSON.stringify({
    ours: timed(ours),
    theirs: timed(theirs),
    steps: Object.fromEntries(single.map(([name, step]) => [name, timed(step)])),
  }),
)
if (Number.isNaN(sink)) throw new Error("a step gave no number")
