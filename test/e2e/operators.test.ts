// Operators as a dataflow runs them: wiring, statuses, ends, errors. What each kind of operator can do: test/conformance.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { RunOptions } from "../../src/daemon/types.ts"
import { type NodeText, TestFlow } from "../support/flow.ts"

const ANY = join(import.meta.dir, "operators/any.ts")
const LIMIT_MS = 30_000

type Inputs = Record<string, unknown>

/** An operator that does what its id says; its output is called `out`. */
function any(id: string, inputs: Inputs) {
  return { id, typescript: ANY, inputs, outputs: ["out"] }
}

/** A node with such operators, each given as [id, inputs]. */
function node(...operators: [string, Inputs][]): NodeText {
  return { operators: operators.map(([id, inputs]) => any(id, inputs)) }
}

function count(messages: number, more: Partial<NodeText> = {}): NodeText {
  return { run: `count ${messages}`, outputs: ["out"], ...more }
}

const holding = (source: string) => ({ source, queue_policy: "backpressure" })
const values = (said: unknown[]) => said.map((line) => (line as { values: unknown[] }).values[0])
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Runs a dataflow to its end; returns what its nodes said, and its edges. */
async function run(nodes: Record<string, NodeText>, failing: string[] = [], options?: RunOptions) {
  await using flow = new TestFlow(nodes, options)
  const result = await flow.end({ failing })
  const said = (id: string) => flow.said(id)
  const lines = (id: string, target: string) =>
    flow.records.filter((r) => r.node === id && r.target === target).map((r) => r.msg)
  const edge = (to: string) => result.edges.find((found) => found.to === to)!
  const tail = (id: string) => result.nodes.find((n) => n.node === id)!.stderrTail.join("\n")
  return { result, said, lines, edge, tail }
}

describe("operators of one node", () => {
  test(
    "pass messages on, to each other and to other nodes, with their parameters",
    async () => {
      const { said, lines, edge } = await run({
        source: count(20),
        rt: node(
          ["echo-1", { in: holding("source/out") }],
          ["echo-2", { in: holding("rt/echo-1/out") }],
          ["tell", { in: holding("echo-2/out") }],
        ),
        sink: {
          run: "print",
          inputs: { near: holding("rt/echo-1/out"), far: holding("rt/echo-2/out") },
        },
      })
      const heard = said("sink") as { parameters: { number: number }; values: number[] }[]
      expect(heard.map((m) => m.values[0]).toSorted((a, b) => a! - b!)).toEqual(
        upTo(20).flatMap((i) => [i, i]),
      )
      for (const {
        values: [value],
        parameters,
      } of heard)
        expect(parameters.number).toBe(value!)
      expect(lines("rt", "rt/tell")).toEqual([
        ...upTo(20).map((i) => `in:${i}`),
        "INPUT_CLOSED in",
        "STOP ALL_INPUTS_CLOSED",
        "dropped",
      ])
      for (const to of ["rt/echo-1/in", "rt/echo-2/in", "rt/tell/in", "sink/near", "sink/far"]) {
        const { sent, taken, dropped, queued } = edge(to)
        expect([to, sent, taken, dropped, queued]).toEqual([to, 20, 20, 0, 0])
      }
    },
    LIMIT_MS,
  )

  test(
    "have queues of their own: one that is slow loses messages, the others don't wait",
    async () => {
      const { edge, said } = await run({
        source: count(200, { env: { PAUSE_MS: 1 } }),
        rt: node(
          ["echo", { in: holding("source/out") }],
          ["slow-ring", { in: { source: "source/out", queue_size: 2 } }],
          ["slow-sibling", { in: { source: "rt/echo/out", queue_size: 2 } }],
        ),
        sink: { run: "print", inputs: { in: holding("rt/echo/out") } },
      })
      expect(values(said("sink"))).toEqual(upTo(200))
      for (const to of ["rt/slow-ring/in", "rt/slow-sibling/in"]) {
        const { sent, taken, dropped, queued } = edge(to)
        expect([sent, taken + dropped + queued]).toEqual([200, 200])
        expect(taken).toBeGreaterThanOrEqual(3)
        expect(dropped).toBeGreaterThan(50)
      }
    },
    LIMIT_MS,
  )

  test(
    "are held back while a sibling that holds its sender is full",
    async () => {
      const { edge } = await run(
        {
          source: count(5),
          rt: node(
            ["burst", { in: holding("source/out") }],
            [
              "slow",
              { in: { source: "rt/burst/out", queue_size: 3, queue_policy: "backpressure" } },
            ],
            ["echo", { in: { source: "rt/burst/out", queue_size: 3 } }],
          ),
        },
        [],
        { env: { SLOW_MS: "0" } },
      )
      const { taken, dropped } = edge("rt/slow/in")
      expect([taken, dropped]).toEqual([500, 0])
      expect(edge("rt/echo/in").sent).toBe(500)
    },
    LIMIT_MS,
  )

  test(
    "end one by one; who sends to one that has ended need not wait for room",
    async () => {
      const { lines, said, edge } = await run({
        source: count(50),
        rt: node(
          ["three", { in: holding("source/out") }],
          ["echo", { in: holding("source/out") }],
          ["tell", { in: holding("rt/three/out") }],
        ),
        sink: { run: "print", inputs: { in: holding("rt/echo/out") } },
      })
      expect(values(said("sink"))).toEqual(upTo(50))
      expect(lines("rt", "rt/tell")).toEqual([
        "INPUT_CLOSED in",
        "STOP ALL_INPUTS_CLOSED",
        "dropped",
      ])
      expect(edge("rt/three/in").taken).toBe(3)
    },
    LIMIT_MS,
  )

  test(
    "all stop when one says so",
    async () => {
      const { lines } = await run({
        source: count(50),
        rt: node(["all", { in: holding("source/out") }], ["tell", { tick: "dora/timer/secs/100" }]),
      })
      expect(lines("rt", "rt/tell").slice(-2)).toEqual(["STOP MANUAL", "dropped"])
      expect(lines("rt", "rt/all")).toEqual(["dropped"])
    },
    LIMIT_MS,
  )

  test(
    "are dropped when their node must be ended by a signal",
    async () => {
      const nodes = {
        rt: node(["never", { in: "dora/timer/millis/5" }], ["tell", { in: "dora/timer/millis/5" }]),
      }
      await using flow = new TestFlow(nodes, { graceMs: 200 })
      await flow.until("rt", 3)
      const { stopped } = await flow.stop()
      expect([stopped!.term, stopped!.kill]).toEqual([["rt"], []])
      expect(flow.said("rt").filter((line) => line === "dropped")).toHaveLength(2)
    },
    LIMIT_MS,
  )

  test(
    "fail when they send more at once than may wait, instead of losing it",
    async () => {
      const { tail } = await run(
        {
          source: count(1),
          rt: node(
            ["burst", { in: "source/out" }],
            [
              "slow",
              { in: { source: "rt/burst/out", queue_size: 3, queue_policy: "backpressure" } },
            ],
          ),
        },
        ["rt"],
        { env: { BURST: "2000", SLOW_MS: "0" } },
      )
      expect(tail("rt")).toContain("1024 sends to output `out` wait for a slow consumer already")
    },
    LIMIT_MS,
  )

  test(
    "may have threads of their own: one that computes holds up no sibling",
    async () => {
      const operators = [
        { ...any("busy", { in: holding("source/out") }), threads: true },
        any("echo", { tick: "dora/timer/millis/5" }),
      ]
      await using flow = new TestFlow({
        source: count(10),
        rt: { operators },
        sink: { run: "print", inputs: { in: holding("rt/busy/out") } },
      })
      const heard = (await flow.until("sink", 10)) as { parameters: object }[]
      expect(values(heard)).toEqual(upTo(10))
      expect(heard[0]!.parameters).toEqual({ thread: 1 })
      const { edges } = await flow.stop()
      // 500 ms of computing are 100 ticks; beside it in one thread there would be ten.
      expect(edges.find(({ to }) => to === "rt/echo/tick")!.taken).toBeGreaterThan(40)
      expect(flow.said("rt").filter((line) => line === "dropped")).toHaveLength(2)
    },
    LIMIT_MS,
  )

  test(
    "on a thread fail as the others do",
    async () => {
      const operators = [{ ...any("throw", { in: holding("source/out") }), threads: true }]
      const { tail } = await run({ source: count(3), rt: { operators } }, ["rt"])
      expect(tail("rt")).toContain(`operator \`rt/throw\` (${ANY}) failed in onEvent`)
      expect(tail("rt")).toContain("no more of this")
    },
    LIMIT_MS,
  )

  test(
    "stop when the dataflow is stopped",
    async () => {
      await using flow = new TestFlow({ rt: node(["tell", { tick: "dora/timer/millis/1" }]) })
      await flow.until("rt", 3)
      await flow.stop()
      expect(flow.said("rt").slice(-2)).toEqual(["STOP MANUAL", "dropped"])
    },
    LIMIT_MS,
  )
})

describe("an operator that fails ends its node, with its name, its file and its place", () => {
  test.each([
    ["throw", "no more of this"],
    ["reject", "not even later"],
    ["status", "onEvent returned 7, which is no status"],
    ["typo", "node `rt/typo` has no output `uot`"],
    ["later", "too late"],
  ])(
    "%s",
    async (what, why) => {
      const { tail, lines } = await run(
        {
          source: count(3),
          rt: node([what, { in: holding("source/out") }], ["tell", { in: holding("source/out") }]),
        },
        ["rt"],
      )
      expect(tail("rt")).toContain(`operator \`rt/${what}\` (${ANY}) failed`)
      expect(tail("rt")).toMatch(/flow\.yml:1:\d+: /)
      expect(tail("rt")).toContain(why)
      // All are dropped on this way out as well.
      expect(lines("rt", `rt/${what}`)).toContain("dropped")
      expect(lines("rt", "rt/tell").at(-1)).toBe("dropped")
    },
    LIMIT_MS,
  )
})
