// What passes between operators of one process, without a process: ends of real memory, both here.
import { afterEach, describe, expect, test } from "bun:test"
import { Memory } from "../daemon/memory.ts"
import { parseDataflow } from "../descriptor/load.ts"
import type { InputEvent } from "../node/event.ts"
import { RuntimeLink } from "./link.ts"

const MB = 1_000_000
const opened: Memory[] = []
afterEach(() => {
  for (const memory of opened.splice(0)) memory[Symbol.dispose]()
})

/** Operators `a` → `b`, and where `far` is set, also → node `c`. */
function pair(input: Record<string, unknown> = {}, far = false) {
  const operator = (id: string, inputs: object) => {
    return { id, typescript: "x.ts", build: "true", inputs, outputs: ["out"] }
  }
  const operators = [operator("a", {}), operator("b", { in: { source: "rt/a/out", ...input } })]
  const nodes: unknown[] = [{ id: "rt", operators }]
  if (far) nodes.push({ id: "c", path: "/bin/true", inputs: { in: "rt/a/out" } })
  const flow = parseDataflow(JSON.stringify({ nodes }), "flow.yml")
  const options = { dataflow: "0", wait: "park", exitWhenNodesFinish: false } as const
  const memory = Memory.create(flow, options)
  opened.push(memory)
  const link = new RuntimeLink(memory.nodePlan("rt"))
  const [a, b] = [link.operator("a"), link.operator("b")]
  for (const { outputs } of [a, b]) outputs.open()
  const take = () => b.receiver.poll() as InputEvent
  const edge = (to: string) => memory.edges().find((found) => found.to === to)!
  return { a, b, take, edge, memory }
}

describe("a message between siblings", () => {
  test("is a copy, small or large, of any form and with its parameters", () => {
    const { a, take } = pair({ queue_size: 100 })
    for (const size of [1, 8, 1000, 5000, 6000, MB]) {
      const sent = new Uint8Array(size).fill(7)
      for (let i = 0; i < 3; i++) {
        sent[0] = i
        void a.outputs.send("out", sent, { size, i })
      }
      sent.fill(0)
      for (let i = 0; i < 3; i++) {
        const event = take()
        const { array } = event
        expect([array.length, array[0], array.at(-1)]).toEqual([size, i, size > 1 ? 7 : i])
        expect(event.metadata.parameters).toEqual({ size, i })
        expect(event.data.byteLength).toBe(event.layout!.byteLength)
      }
    }
    void a.outputs.send("out", ["text", null])
    expect([...take().value!]).toEqual(["text", null])
  })

  test("that is large is empty after the next event, unless it is retained", () => {
    const { a, take } = pair()
    for (let i = 1; i <= 4; i++) void a.outputs.send("out", new Uint8Array(MB).fill(i))
    const first = take().array
    expect(first[0]).toBe(1)
    const second = take().retain()
    expect(first.length).toBe(0)
    const kept = second.array
    take()
    take()
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([MB, 2, 2])
    second.release()
    expect(kept.length).toBe(0)
  })

  test("lies in memory that is used again", () => {
    const { a, take } = pair()
    const places = new Set<number>()
    for (let i = 0; i < 50; i++) {
      void a.outputs.send("out", new Uint8Array(MB).fill(i))
      const event = take()
      places.add(event.address)
      expect(event.array[MB - 1]).toBe(i)
    }
    expect(places.size).toBeLessThanOrEqual(3)
  })

  test("gives way when the queue is full, and is counted", () => {
    const { a, take, edge } = pair({ queue_size: 2 })
    for (let i = 0; i < 5; i++) void a.outputs.send("out", Uint32Array.of(i))
    expect([take().array[0], take().array[0], take()]).toEqual([3, 4, null as never])
    const { sent, taken, dropped, queued, bytes } = edge("rt/b/in")
    expect([sent, taken, dropped, queued, bytes]).toEqual([5, 2, 3, 0, 40])
  })

  test("waits for room where the consumer holds its sender, and nothing overtakes it", async () => {
    const { a, b, take } = pair({ queue_size: 2, queue_policy: "backpressure" })
    const sends = [0, 1, 2, 3, 4].map((i) => a.outputs.send("out", Uint32Array.of(i)))
    expect(a.outputs.blocked).toBe(true)
    const seen: unknown[] = []
    while (seen.length < 5) {
      const event = take()
      if (event) seen.push(event.array[0])
      await new Promise(setImmediate)
    }
    await Promise.all(sends)
    expect(seen).toEqual([0, 1, 2, 3, 4])
    expect(a.outputs.blocked).toBe(false)
    b.receiver.close()
  })

  test("also goes to other nodes, large or small", () => {
    const { a, take, edge } = pair({}, true)
    for (const size of [100, MB]) {
      void a.outputs.send("out", new Uint8Array(size).fill(9))
      const { array } = take()
      expect([array.length, array.at(-1)]).toEqual([size, 9])
    }
    expect(edge("c/in").sent).toBe(2)
    expect(edge("c/in").bytes).toBe(edge("rt/b/in").bytes)
  })

  test("comes before the end of its input; an operator that has ended gets nothing more", async () => {
    const { a, b, take, edge } = pair()
    void a.outputs.send("out", 1)
    await a.outputs.close()
    expect([take().type, take(), take()]).toEqual([
      "INPUT",
      { type: "INPUT_CLOSED", id: "in" } as never,
      { type: "STOP", cause: "ALL_INPUTS_CLOSED" } as never,
    ])
    const other = pair({ queue_policy: "backpressure", queue_size: 1 })
    other.b.abandon()
    for (let i = 0; i < 10; i++) void other.a.outputs.send("out", i)
    expect(other.a.outputs.blocked).toBe(false)
    expect(other.edge("rt/b/in").sent).toBe(0)
    expect(edge("rt/b/in").sent).toBe(1)
    b.receiver.close()
  })
})
