// What the shim publishes by itself, in turns with JavaScript, over real rings: order, contexts, stamps, queues and counts.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Sendable } from "../../src/arrow/encoder.ts"
import { Memory } from "../../src/daemon/memory.ts"
import { parseDataflow } from "../../src/descriptor/load.ts"
import { RuntimeLink } from "../../src/runtime/link.ts"
import { WAKE_PARKED_FUTEX, WAKE_RUNNING, WAKE_WORD } from "../../src/shm/layout.ts"
import { Inbox } from "../../src/shm/segment.ts"
import { Random } from "../faults/random.ts"
import { buildC, hasCc } from "../support/operators.ts"
import { type Queue, Rig } from "../support/rig.ts"
import { needs } from "../support/toolchain.ts"

setDefaultTimeout(60_000)

const SEED = 20_261_128
const STEPS = 3000
const folder = mkdtempSync(join(tmpdir(), "dora-bun-rings-"))
let library: string

beforeAll(async () => {
  if (hasCc) library = await buildC("probe.c", folder)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withCc = needs("cc", hasCc)

const int = (...numbers: number[]) => Int32Array.from(numbers)
const holding = (queue_size: number): Queue => ({ queue_size, queue_policy: "backpressure" })

/** Messages that the shim may publish, mostly, and others that it may not. */
function messageOf(kind: number, number: number): { data: Sendable; context: string } {
  const few = kind < 10 ? 2 : kind === 10 ? 3 : 1000
  if (kind < 12) return { data: new Int32Array(few).fill(number), context: "" }
  if (kind === 12) return { data: new Int32Array(5000).fill(number), context: "" }
  if (kind === 13) return { data: Float64Array.of(number), context: "" }
  if (kind === 14) return { data: [`text ${number}`], context: "" }
  return { data: new Int32Array(2).fill(number), context: `trace ${number}` }
}

const MIXES: [string, Record<string, Queue>][] = [
  ["a consumer that drops", { a: { queue_size: 4 } }],
  ["one that holds its producer back", { a: holding(3) }],
  [
    "both, and one with a long queue",
    { a: holding(5), b: { queue_size: 2 }, c: { queue_size: 100 } },
  ],
]

describe.each(MIXES)("with %s", (name, queues) => {
  for (const startIndex of [0, 2 ** 31 - 500, -500]) {
    withCc(
      `what C and JavaScript write stays in order and is counted, from ${startIndex}`,
      async () => {
        using rig = await new Rig(queues, startIndex).load(library)
        const random = new Random(SEED + startIndex + name.length)
        const ids = Object.keys(queues)
        const expected = new Map(
          ids.map((id) => [id, [] as { value: unknown[]; context: string }[]]),
        )
        const sent = new Map(ids.map((id) => [id, 0]))
        const last = new Map(ids.map((id) => [id, 0n]))
        const isFull = (id: string) => expected.get(id)!.length === queues[id]!.queue_size
        const take = (id: string) => {
          const message = expected.get(id)!.shift()
          const taken = rig.take(id)
          expect(taken && { value: taken.value, context: taken.context }).toEqual(message ?? null)
          if (taken === null) return
          expect(taken.stamp > last.get(id)!).toBe(true)
          last.set(id, taken.stamp)
        }
        for (let number = 1; number <= STEPS; number++) {
          // By turns the queues empty and fill.
          const takes = (number >> 6) & 1 ? 2 : random.below(2)
          for (let i = 0; i < takes; i++) ids.forEach(take)
          const { data, context } = messageOf(random.below(16), number)
          const waits = ids.filter((id) => queues[id]!.queue_policy && isFull(id))
          if (context) rig.input("traced", data, { open_telemetry_context: context })
          else rig.input("echo", data)
          expect(rig.outputs.blocked).toBe(waits.length > 0)
          waits.forEach(take)
          await rig.room()
          for (const id of ids) {
            if (isFull(id)) expected.get(id)!.shift()
            expected.get(id)!.push({ value: [...(data as Iterable<unknown>)], context })
            sent.set(id, sent.get(id)! + 1)
          }
        }
        for (const edge of rig.memory.edges()) {
          const id = edge.to.split("/")[0]!
          while (expected.get(id)!.length > 0) take(id)
          take(id)
        }
        for (const edge of rig.memory.edges()) {
          expect(edge.sent).toBe(sent.get(edge.to.split("/")[0]!)!)
          expect(edge.taken + edge.dropped).toBe(edge.sent)
        }
        const { outputs, published } = rig.operator.counts
        expect(published).toBeGreaterThan(outputs / 4)
        expect(published).toBeLessThan(outputs)
      },
    )
  }
})

describe("the shim", () => {
  withCc("publishes what is like two messages before, of several types and lengths", async () => {
    using rig = await new Rig({ sink: { queue_size: 100 } }).load(library)
    for (let i = 0; i < 60; i++) rig.input("echo", [int(i, i), int(i), Float64Array.of(i)][i % 3]!)
    expect(rig.published).toBe(60 - 6)
    expect(rig.numbers("sink")).toEqual(Array.from({ length: 60 }, (_, i) => i))
  })

  withCc("leaves those of ever new lengths to JavaScript", async () => {
    using rig = await new Rig({ sink: { queue_size: 300 } }).load(library)
    for (let i = 1; i <= 250; i++) rig.input("echo", new Int32Array(i).fill(i))
    expect(rig.published).toBe(0)
    expect(rig.numbers("sink").length).toBe(250)
  })

  withCc("counts the bytes of bodies as JavaScript does", async () => {
    using rig = await new Rig({ sink: { queue_size: 10 } }).load(library)
    for (let i = 0; i < 10; i++) rig.input("echo", new Uint8Array(5))
    expect(rig.published).toBe(8)
    const [edge] = rig.memory.edges()
    expect([edge!.sent, edge!.bytes]).toEqual([10, 80])
  })

  withCc("lets nothing overtake a message that waits for room", async () => {
    using rig = await new Rig({ sink: holding(3) }).load(library)
    for (let i = 1; i <= 3; i++) rig.input("echo", int(i, i))
    expect(rig.outputs.blocked).toBe(false)
    rig.input("echo", int(4, 4))
    expect(rig.outputs.blocked).toBe(true)
    // There is room now, but the one that waits has not had its turn.
    expect(rig.take("sink")!.value[0]).toBe(1)
    const { published } = rig
    rig.input("echo", int(5, 5))
    expect(rig.published).toBe(published)
    const rest = rig.numbers("sink")
    await rig.room()
    rest.push(...rig.numbers("sink"))
    expect(rest).toEqual([2, 3, 4, 5])
    // The first after that goes through JavaScript, the others don't.
    for (let i = 6; i <= 8; i++) rig.input("echo", int(i, i))
    expect(rig.published).toBe(published + 2)
    expect(rig.numbers("sink")).toEqual([6, 7, 8])
  })

  withCc("keeps the order of what another thread sends, also while it waits", async () => {
    for (const queue of [holding(3), { queue_size: 2000 }]) {
      using rig = await new Rig({ sink: queue }).load(library)
      rig.input("send-later", int(0))
      const numbers: unknown[] = []
      while (numbers.length < 1000) {
        numbers.push(...rig.numbers("sink"))
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i))
      expect(rig.published).toBeGreaterThan(0)
    }
  })

  withCc("goes on without a consumer that has left for good", async () => {
    using rig = await new Rig({ stays: { queue_size: 4 }, leaves: holding(2) }).load(library)
    for (let i = 0; i < 2; i++) rig.input("echo", int(i))
    rig.memory.exited("leaves")
    for (let i = 2; i < 50; i++) rig.input("echo", int(i))
    expect(rig.outputs.blocked).toBe(false)
    expect(rig.published).toBeGreaterThan(40)
    expect(rig.numbers("stays")).toEqual([46, 47, 48, 49])
    expect(rig.memory.edges().map(({ sent }) => sent)).toEqual([50, 2])
  })

  withCc("has a consumer woken that sleeps", async () => {
    using rig = await new Rig({ sink: { queue_size: 4 } }).load(library)
    for (let i = 0; i < 3; i++) rig.input("echo", int(i))
    const { pid, inbox, wakeFd } = rig.memory.nodePlan("sink")
    const { words } = new Inbox(pid, inbox, wakeFd)
    const { published } = rig
    Atomics.store(words, WAKE_WORD, WAKE_PARKED_FUTEX)
    rig.input("echo", int(3))
    expect(rig.published).toBe(published + 1)
    expect(Atomics.load(words, WAKE_WORD)).toBe(WAKE_RUNNING)
  })

  withCc("need not write what nobody reads", async () => {
    using rig = await new Rig({}).load(library)
    for (let i = 0; i < 10; i++) rig.input("echo", int(i))
    expect(rig.published).toBe(8)
  })

  withCc("may not publish where a sibling listens as well", () => {
    const operator = (id: string, source: string) => {
      return { id, "shared-library": library, inputs: { in: source }, outputs: ["out"] }
    }
    const nodes = [
      { id: "near", operators: [operator("a", "near/b/out"), operator("b", "near/a/out")] },
      { id: "sink", path: "/bin/true", inputs: { one: "near/a/out" } },
      { id: "far", operators: [operator("c", "near/b/out")] },
      { id: "end", path: "/bin/true", inputs: { one: "far/c/out" } },
    ]
    const flow = parseDataflow(JSON.stringify({ nodes }), "flow.yml")
    const options = { wait: "park", exitWhenNodesFinish: false } as const
    using memory = Memory.create(flow, { dataflow: crypto.randomUUID(), ...options })
    const shares = (node: string, id: string) =>
      new RuntimeLink(memory.nodePlan(node)).operator(id).outputs.rings("out").share() !== null
    expect([shares("near", "a"), shares("near", "b"), shares("far", "c")]).toEqual([
      false,
      false,
      true,
    ])
  })
})
