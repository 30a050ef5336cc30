// Arrow bytes: our encoder and decoder beside apache-arrow's, in alternating runs, and what single steps take.
//   bun bench/arrow.ts [--json] [--rounds N]
// Both sides start from a Float32Array and end with one over the received bytes. We write into memory that is there already,
// as a node does; apache-arrow makes its own, which is the only way it has.
import { parseArgs } from "node:util"
import { makeVector, Table, tableFromIPC, tableToIPC } from "apache-arrow"
import { arrayOf, readLayout, vectorOf } from "../src/arrow/decoder.ts"
import { Encoder, type Sendable } from "../src/arrow/encoder.ts"
import { machineFacts, median, printTable } from "./support.ts"

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "9" },
  },
})
const rounds = Number(flags.rounds)
const ELEMENTS = 1024
const SAMPLE_MS = 40

// Results land here, so that no step can be left out as useless.
let sink = 0

/** Nanoseconds of one call, over a sample of at least SAMPLE_MS. */
function timed(step: () => number): number {
  let count = 0
  const start = Bun.nanoseconds()
  let elapsed = 0
  while (elapsed < SAMPLE_MS * 1e6) {
    for (let i = 0; i < 200; i++) sink += step()
    count += 200
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

const oursNs: number[] = []
const theirsNs: number[] = []
const singleNs = single.map((): number[] => [])
for (const step of [ours, theirs]) timed(step)
for (let round = 0; round < rounds; round++) {
  oursNs.push(timed(ours))
  theirsNs.push(timed(theirs))
  for (const [i, [, step]] of single.entries()) singleNs[i]!.push(timed(step))
}

const ratios = oursNs.map((ns, i) => theirsNs[i]! / ns)
const result = {
  ...machineFacts(),
  elements: ELEMENTS,
  oursNs: median(oursNs),
  theirsNs: median(theirsNs),
  ratio: median(ratios),
  goal: 30,
  stepsNs: Object.fromEntries(single.map(([name], i) => [name, median(singleNs[i]!)])),
}

if (flags.json) console.log(JSON.stringify(result))
else {
  const encodeDecode = `encode and decode ${ELEMENTS} × float32`
  printTable([
    { step: `${encodeDecode}: dora-bun`, ns: result.oursNs.toFixed(0) },
    { step: `${encodeDecode}: apache-arrow`, ns: result.theirsNs.toFixed(0) },
    ...Object.entries(result.stepsNs).map(([step, ns]) => ({ step, ns: ns.toFixed(1) })),
  ])
  console.log(`ratio ${result.ratio.toFixed(0)} × (goal ${result.goal} ×)`)
}
if (Number.isNaN(sink)) throw new Error("a step gave no number")
