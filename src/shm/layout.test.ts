import { describe, expect, test } from "bun:test"
import { closeSync, openSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { payload, send, TestOutput } from "../../test/support/edge.ts"
import * as limits from "../core/limits.ts"
import { Memory } from "../daemon/memory.ts"
import { parseDataflow } from "../descriptor/load.ts"
import * as layout from "./layout.ts"
import * as plan from "./plan.ts"

const PAGE = readFileSync(join(import.meta.dir, "../../docs/layout.md"), "utf8")
const KNOWN: Record<string, unknown> = { ...limits, ...layout, ...plan }
/** What follows from other numbers of the page. */
const DERIVED = ["CHUNK_MASK", "GENERATION_MASK"]
const LINE_WORDS = layout.LINE_BYTES / 4
const ORDERS = ["set", "plain", "relaxed", "release", "full"]

type Row = { section: string; number: number; name: string; cells: string[] }

/** Rows of all tables that begin with a number and a constant, with the heading above them. */
function rowsOf(page: string): Row[] {
  let section = ""
  return page.split("\n").flatMap((line) => {
    section = /^#+ (.*)/.exec(line)?.[1] ?? section
    const cells = line.split("|").map((cell) => cell.trim())
    const name = /^`([A-Z_]+)`$/.exec(cells[2] ?? "")?.[1]
    if (!name) return []
    return [{ section, number: Number(cells[1]), name, cells: cells.slice(3, -1) }]
  })
}

const rows = rowsOf(PAGE)
const isField = ({ name }: Row) => /_(WORD|FLOAT)$/.test(name)
const fields = rows.filter(isField)
const sections = Map.groupBy(fields, ({ section }) => section)

/** A number by the name that the page gives it. */
function at(name: string): number {
  return rows.find((row) => row.name === name)!.number
}

/** Words that a field takes. */
function sizeOf({ cells }: Row): number {
  return Number(/^(\d+) words/.exec(cells[3]!)?.[1] ?? 1)
}

describe("docs/layout.md", () => {
  test("has the numbers of the code", () => {
    for (const { name, number } of rows) {
      const known = KNOWN[name] as number
      const inWords = name.endsWith("_FLOAT") ? known * 2 : known
      expect([name, number]).toEqual([name, inWords])
    }
  })

  test("leaves no number of the layout out", () => {
    const numbers = Object.entries(layout).filter(([, value]) => typeof value === "number")
    const missing = numbers
      .map(([name]) => name)
      .filter((name) => !DERIVED.includes(name) && !PAGE.includes(`\`${name}\``))
    expect(missing).toEqual([])
  })

  test("has a section for each header, with an order for each field", () => {
    expect([...sections.keys()]).toEqual(["Inbox", "Ring", "Slot", "Pool"])
    for (const { name, cells } of fields) {
      const [writer, poller, order] = cells
      expect([name, writer !== "", poller !== "", ORDERS.includes(order!)]).toEqual([
        ...[name, true, true, true],
      ])
    }
  })

  test("lets no two fields overlap, and every field lie in its header", () => {
    const ends = { Inbox: layout.PAGE_BYTES, Ring: layout.RING_HEADER_BYTES, Slot: 64, Pool: 128 }
    for (const [section, list] of sections) {
      let next = 0
      for (const field of list.toSorted((a, b) => a.number - b.number)) {
        expect([field.name, field.number >= next]).toEqual([field.name, true])
        next = field.number + sizeOf(field)
        if (field.name.endsWith("_FLOAT")) {
          expect([field.name, field.number % 2, sizeOf(field)]).toEqual([field.name, 0, 2])
        }
      }
      expect(next * 4).toBeLessThanOrEqual(ends[section as keyof typeof ends])
    }
  })

  test("lets no line be polled from two sides", () => {
    for (const [section, list] of sections) {
      // Of a slot only the sequence word is polled.
      if (section === "Slot") continue
      const lines = Map.groupBy(list, ({ number }) => Math.floor(number / LINE_WORDS))
      for (const [line, sharing] of lines) {
        const sides = new Set(
          sharing.map(({ cells }) => cells[1]).filter((who) => who !== "nobody"),
        )
        expect([section, line, sides.size <= 1]).toEqual([section, line, true])
      }
    }
  })

  test("lets no polled line be one that another process writes with every message", () => {
    const hot = [
      "HEAD_WORD",
      "TAKEN_WORD",
      "SENT_BYTES_FLOAT",
      "LATENCIES_WORD",
      "DEPTHS_WORD",
      "COPIED_WORD",
    ]
    const lineOf = ({ number }: Row) => Math.floor(number / LINE_WORDS)
    const ring = sections.get("Ring")!
    const polled = ring.filter(({ cells, name }) => cells[1] !== "nobody" && name !== "TAIL_WORD")
    const lines = new Set(ring.filter(({ name }) => hot.includes(name)).map(lineOf))
    expect(polled.filter((field) => lines.has(lineOf(field)))).toEqual([])
  })

  test("shows a plan with the fields of a real one", () => {
    const [, text] = /```json\n([\s\S]*?)```/.exec(PAGE)!
    const shown = JSON.parse(text!) as plan.NodePlan
    const real = realPlan()
    expect(shown.version).toBe(plan.PLAN_VERSION)
    for (const [mine, theirs] of [
      [shown, real],
      [shown.inputs[0], real.inputs[0]],
      [shown.inputs[0]!.pool, real.inputs[0]!.pool],
      [shown.inputs[0]!.producer, real.inputs[0]!.producer],
      [shown.inputs[1], real.inputs[1]],
      [shown.outputs[0], real.outputs[0]],
      [shown.outputs[0]!.edges[0], real.outputs[0]!.edges[0]],
    ]) {
      expect(typesOf(mine!)).toEqual(typesOf(theirs!))
    }
    expect([shown.inputs[1]!.pool, shown.inputs[1]!.producer]).toEqual([null, null])
  })
})

/** Names and kinds of the members of an object. */
function typesOf(object: object): Record<string, string> {
  const kind = (value: unknown) => (value === null ? "null" : typeof value)
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, kind(value)]))
}

function realPlan(): plan.NodePlan {
  const image = { source: "camera/image" }
  const nodes = [
    { id: "camera", path: "/bin/true", outputs: ["image"] },
    {
      id: "edges",
      path: "/bin/true",
      inputs: { image, tick: "dora/timer/millis/100" },
      outputs: ["edges"],
    },
    { id: "preview", path: "/bin/true", inputs: { edges: { source: "edges/edges" } } },
  ]
  const flow = parseDataflow(JSON.stringify({ nodes }), "flow.yml")
  using memory = Memory.create(flow, {
    dataflow: crypto.randomUUID(),
    wait: "adaptive",
    exitWhenNodesFinish: false,
  })
  return memory.nodePlan("edges")
}

describe("a client that knows this page alone", () => {
  const roundUp = (value: number, to: number) => Math.ceil(value / to) * to

  /** Publishes one inline message, as "Publish" says. */
  function publish(words: Int32Array, ring: number, bytes: Uint8Array, index: number): void {
    const slot = slotOf(words, ring, index)
    new Uint8Array(words.buffer).set(bytes, slot * 4 + at("SLOT_HEADER_BYTES"))
    words[slot + at("LENGTH_WORD")] = bytes.length
    words[slot + at("CHUNK_WORD")] = -1
    for (const none of ["TEMPLATE_WORD", "PARAMETERS_WORD", "OFFSET_WORD"])
      words[slot + at(none)] = 0
    Atomics.store(words, slot + at("SEQ_WORD"), index + 1)
    words[ring + at("HEAD_WORD")] = index + 1
  }

  /** Word number of a slot. `ring` is that of its ring. */
  function slotOf(words: Int32Array, ring: number, index: number): number {
    const distance = at("SLOT_HEADER_BYTES") + words[ring + at("INLINE_BYTES_WORD")]!
    const slot = index & (words[ring + at("SLOTS_WORD")]! - 1)
    return ring + (at("RING_HEADER_BYTES") + slot * roundUp(distance, at("LINE_BYTES"))) / 4
  }

  const mapWhole = (fd: number, size: number) =>
    new Int32Array(Bun.mmap(`/proc/${process.pid}/fd/${fd}`, { shared: true, size }).buffer)

  test("sends what a node takes", () => {
    using output = new TestOutput([{ queueSize: 3 }], { startIndex: 5 })
    const [edge] = output.edges
    const words = mapWhole(edge!.ref.fd, edge!.ref.size)
    expect([words[at("MAGIC_WORD")], words[at("VERSION_WORD")]]).toEqual([
      ...[at("MAGIC"), at("LAYOUT_VERSION")],
    ])
    publish(words, edge!.ring / 4, Uint8Array.of(4, 3, 2, 1), 5)
    publish(words, edge!.ring / 4, Uint8Array.of(9), 6)
    const reader = output.reader()
    expect(reader.take()).toBe(true)
    expect([...reader.stream!]).toEqual([4, 3, 2, 1])
    expect(reader.take()).toBe(true)
    expect([...reader.stream!]).toEqual([9])
    expect(reader.take()).toBe(false)
  })

  test("finds a large message, its parameters, and its own borrow line", () => {
    using output = new TestOutput([{ queueSize: 1 }, { queueSize: 1500 }])
    const size = 3 * limits.INLINE_BYTES
    const writer = output.writer()
    send(writer, payload(10))
    writer.allocate(8)
    send(writer, payload(size, 7), Uint8Array.of(1, 2, 3))
    const { ring, ref } = output.edges[1]!
    const words = mapWhole(ref.fd, ref.size)
    const slot = slotOf(words, ring / 4, 1)
    const word = words[slot + at("CHUNK_WORD")]!
    const chunk = word & ((1 << at("CHUNK_BITS")) - 1)
    expect([chunk, word >> at("CHUNK_BITS")]).toEqual([1, 0])
    const header = mapWhole(output.pool.fd, 4096)
    const chunks = header[at("POOL_CHUNK_COUNT_WORD")]!
    const lines = header[at("POOL_LINE_COUNT_WORD")]!
    const stride = new Float64Array(header.buffer)[at("POOL_STRIDE_FLOAT") / 2]!
    const lineBytes = Math.ceil(chunks / 1024) * at("LINE_BYTES")
    const first = roundUp(at("LINES_OFFSET") + lines * lineBytes, at("PAGE_BYTES"))
    expect(first + chunks * stride).toBe(output.pool.size)
    const bytes = readAt(output.pool.fd, first + chunk * stride, size + 16)
    const expected = new Uint8Array(size)
    payload(size, 7).write(expected, 0)
    expect(Buffer.compare(bytes.subarray(0, size), expected)).toBe(0)
    expect([...bytes.subarray(size, size + 3)]).toEqual([1, 2, 3])
    const reader = output.reader(1)
    reader.take()
    reader.take()
    const line = readAt(output.pool.fd, at("LINES_OFFSET") + lineBytes, lineBytes)
    expect([...new Int32Array(line.buffer).slice(0, 2)]).toEqual([1 << chunk, 0])
  })

  function readAt(fd: number, position: number, length: number): Uint8Array {
    const file = openSync(`/proc/${process.pid}/fd/${fd}`, "r")
    const bytes = new Uint8Array(length)
    expect(readSync(file, bytes, 0, length, position)).toBe(length)
    closeSync(file)
    return bytes
  }
})
