import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Encoder } from "../src/arrow/encoder.ts"
import { Memory } from "../src/daemon/memory.ts"
import { parseDataflow } from "../src/descriptor/load.ts"
import { attach, type Link } from "../src/node/memory-link.ts"
import * as layout from "../src/shm/layout.ts"
import { buildPeer, withCc } from "../test/support/peer.ts"

const COUNT = 200_000
let program: string

buildPeer("ring_peer", ["-D_GNU_SOURCE"], (path) => {
  program = path
})

test("the C headers have the numbers of the layout", () => {
  const header = readFileSync(join(import.meta.dir, "dora_layout.h"), "utf8")
  const found = [...header.matchAll(/^ {2}DORA_(\w+) = (\w+),$/gm)]
  expect(found.length).toBeGreaterThan(30)
  const numbers = layout as unknown as Record<string, number>
  for (const [, name, value] of found)
    expect([name, Number(value)]).toEqual([name, numbers[name!]!])
})

test("what hosts Python operators has the numbers of the layout", () => {
  const host = join(import.meta.dir, "../src/runtime/python/dora_bun/memory.py")
  const found = [...readFileSync(host, "utf8").matchAll(/^([A-Z_]+) = (\d+)$/gm)]
  expect(found.length).toBeGreaterThan(10)
  const numbers = layout as unknown as Record<string, number>
  for (const [, name, value] of found)
    expect([name, Number(value)]).toEqual([name, numbers[name!]!])
})

/** One dataflow of an edge from `a` to `b`; the test plays one end, a C program the other. */
function edgeBetween(policy: string, startIndex: number): Memory {
  const text = JSON.stringify({
    nodes: [
      { id: "a", path: "/bin/true", outputs: ["x"] },
      {
        id: "b",
        path: "/bin/true",
        inputs: { x: { source: "a/x", queue_size: 64, queue_policy: policy } },
      },
    ],
  })
  const flow = parseDataflow(text, "flow.yml")
  const options = {
    dataflow: crypto.randomUUID(),
    wait: "park",
    exitWhenNodesFinish: false,
  } as const
  const memory = Memory.create(flow, { ...options, startIndex })
  memory.start()
  return memory
}

function peer(memory: Memory, ...what: string[]) {
  const { pid, inbox, inputs } = memory.nodePlan("b")
  const { ring, producer } = inputs[0]!
  const place = [pid, inbox.fd, inbox.size, ring].map(String)
  const back = [producer!.inbox.fd, producer!.inbox.size].map(String)
  return [program, what[0]!, ...place, ...(what[0] === "take" ? back : what.slice(1))]
}

const sum = (COUNT * (COUNT - 1)) / 2

for (const startIndex of [0, 2 ** 31 - 1000, -1000]) {
  withCc(`a C program takes every message in order, from index ${startIndex}`, async () => {
    using memory = edgeBetween("backpressure", startIndex)
    const link = attach(memory.nodePlan("a"))
    const child = Bun.spawn(peer(memory, "take"), { stdout: "pipe", stderr: "inherit" })
    const body = new Int32Array(2)
    const output = link.outputs.get("x")!
    for (let i = 0; i < COUNT; i++) {
      body[0] = i
      output.sendSync(body, undefined, { stopRequested: false })
    }
    link.close()
    expect(await child.stdout.text()).toBe(`${COUNT} ${sum}\n`)
    const [edge] = memory.edges()
    expect([edge!.sent, edge!.taken, edge!.dropped]).toEqual([COUNT, COUNT, 0])
  })

  withCc(`a C program publishes what a node takes in order, from index ${startIndex}`, async () => {
    using memory = edgeBetween("backpressure", startIndex)
    const link = attach(memory.nodePlan("b"))
    const prepared = new Encoder().prepare(new Int32Array(2))
    const stream = new Uint8Array(prepared.byteLength)
    prepared.write(stream, 0)
    const child = Bun.spawn(peer(memory, "publish", String(COUNT)), { stdin: stream })
    expect(receive(link)).toEqual({ count: COUNT, total: sum, disordered: 0 })
    expect(await child.exited).toBe(0)
    link.close()
  })
}

function receive(link: Link) {
  const seen = { count: 0, total: 0, disordered: 0 }
  for (;;) {
    const event = link.waiting.blockFor(link.receiver, 10_000)
    if (event?.type !== "INPUT") return seen
    const number = (event.array as Int32Array)[0]!
    if (number !== seen.count) seen.disordered++
    seen.total += number
    seen.count++
  }
}
