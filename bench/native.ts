// `native LIBRARY INPUT BYTES EVENTS`: events of so many bytes into an operator of a shared library, its outputs into a ring whose
// consumer takes large ones only; prints nanoseconds for each event. The counterpart of operator-caller.c.
import { ptr } from "bun:ffi"
import { Encoder } from "../src/arrow/encoder.ts"
import { readLayout } from "../src/arrow/decoder.ts"
import { Memory } from "../src/daemon/memory.ts"
import { parseDataflow } from "../src/descriptor/load.ts"
import { InputEvent } from "../src/node/event.ts"
import { attach } from "../src/node/memory-link.ts"
import type { OperatorContext } from "../src/runtime/host.ts"
import { type LibraryOperator, libraryHost } from "../src/runtime/library.ts"
import { Outputs } from "../src/runtime/outputs.ts"

const ROUNDS = 7
/** Before anything counts: the compiler works beside the program, on a slow machine for longer than a round lasts. */
const WARM_UP_NS = 5e8
/** Larger messages lie in chunks. */
const INLINE_BYTES = 4096
const PAGE_BYTES = 4096
/** A power of two. */
const PLACES = 4

const [path, input, bytes, events] = Bun.argv.slice(2) as [string, string, string, string]
const flow = {
  nodes: [
    { id: "op", path: "/bin/true", outputs: ["out"] },
    { id: "sink", path: "/bin/true", inputs: { in: "op/out" } },
  ],
}
using memory = Memory.create(parseDataflow(JSON.stringify(flow), "flow.yml"), {
  dataflow: crypto.randomUUID(),
  wait: "park",
  exitWhenNodesFinish: false,
})
const link = attach(memory.nodePlan("op"))
const sink = attach(memory.nodePlan("sink"))
const outputs = new Outputs("op", link.outputs)
outputs.open()
const plan = { id: "op", kind: "shared-library", path, place: "flow.yml:1:1", threads: false }
const context = { plan, outputs, entering: () => {}, log: console } as unknown as OperatorContext
const operator = (await libraryHost.load(context)) as LibraryOperator

/** Events as the ring's reader makes them when it knows the template: the elements alone, or a lease of a chunk. */
function eventsOf(size: number): InputEvent[] {
  const prepared = new Encoder().prepare(new Uint8Array(size).fill(7))
  const stream = new Uint8Array(new ArrayBuffer(prepared.byteLength + 64))
  const shift = (64 - (ptr(stream) % 64)) % 64
  prepared.write(stream, shift)
  const whole = stream.subarray(shift, shift + prepared.byteLength)
  const layout = readLayout(whole)
  const known = { layout, pattern: new Uint8Array(0) }
  const source = { id: input, template: () => known, learn: () => {}, released: () => {} }
  const address = ptr(whole)
  const lease = { buffer: stream.buffer, length: whole.byteLength, address, release: () => {} }
  if (size > INLINE_BYTES) return [new InputEvent(source, 0, 0, 1, null, null, null, lease)]
  return placesOf(size).map((body) => new InputEvent(source, 0, 0, 1, null, null, body, null))
}

/** A quarter of a page apart: how long a copy of 4 KB takes depends on where in a page its ends lie, by half. */
function placesOf(size: number): Uint8Array[] {
  const memory = new ArrayBuffer(PLACES * (size + 2 * PAGE_BYTES))
  const first = PAGE_BYTES - (ptr(memory) % PAGE_BYTES)
  const step = Math.ceil(size / PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES / PLACES
  return Array.from({ length: PLACES }, (_, i) =>
    new Uint8Array(memory, first + i * step, size).fill(7),
  )
}

/** Nanoseconds for each event. Large outputs are taken at once, as by a consumer that keeps up: their memory stays in the cache. */
function round(events: InputEvent[], count: number, takes: boolean): number {
  const mask = events.length - 1
  const began = Bun.nanoseconds()
  for (let i = 0; i < count; i++) {
    operator.onEvent(events[i & mask]!)
    if (takes) sink.receiver.poll()
  }
  return (Bun.nanoseconds() - began) / count
}

const all = eventsOf(Number(bytes))
const large = Number(bytes) > INLINE_BYTES
const warmBy = Bun.nanoseconds() + WARM_UP_NS
while (Bun.nanoseconds() < warmBy) round(all, Math.ceil(Number(events) / 100), large)
const rounds = Array.from({ length: ROUNDS }, () => round(all, Number(events), large))
const best = Math.min(...rounds)
operator.drop()
link.close()
sink.close()
const { inputs, inputsReleased, outputs: sent, outputsReleased } = operator.counts
if (inputs !== inputsReleased || sent !== outputsReleased)
  throw new Error("something was not released")
console.log(JSON.stringify({ ns: best, exports: inputs, releases: inputsReleased, outputs: sent }))
process.exit(0)
