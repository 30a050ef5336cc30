// Nodes that stay when all messages are taken and all others are done: `finish_grace_secs`.
import { expect, test } from "bun:test"
import { TestFlow } from "../support/flow.ts"

const LIMIT_MS = 30_000
const finish_grace_secs = 0.5
const root = { health_check_interval: 0.1 }
const source = { run: "count 3", outputs: ["out"] }

function asked(flow: TestFlow): string[] {
  return flow.records.flatMap(({ node, msg }) =>
    node === null && msg.includes("it is asked to stop") ? [msg.split(" ")[1]!] : [],
  )
}

test(
  "a node that doesn't end by itself is stopped, and has failed when only SIGKILL could end it",
  async () => {
    const inputs = { in: "source/out" }
    await using flow = new TestFlow(
      {
        source,
        stays: { run: "stay", inputs, finish_grace_secs },
        heeds: { run: "stay heeds", inputs, finish_grace_secs },
        wedged: { run: "stay wedged", inputs, finish_grace_secs },
      },
      { graceMs: 200 },
      root,
    )
    const { nodes } = await flow.end({ failing: ["wedged"] })
    expect(asked(flow).toSorted()).toEqual(["heeds", "stays", "wedged"])
    const ends = Object.fromEntries(nodes.map(({ node, cause, signal }) => [node, [cause, signal]]))
    expect(ends).toEqual({
      source: ["exit", null],
      stays: ["grace", "SIGTERM"],
      heeds: ["grace", null],
      wedged: ["grace", "SIGKILL"],
    })
  },
  LIMIT_MS,
)

test(
  "nodes that still have messages, wait for a timer, or have no inputs at all are left alone",
  async () => {
    const PAUSE_MS = 20
    await using flow = new TestFlow(
      {
        source: { run: "count 100", outputs: ["out"] },
        // Two seconds of work are queued when the source ends.
        slow: {
          run: "receive slow",
          inputs: { in: { source: "source/out", queue_size: 100 } },
          finish_grace_secs,
        },
        ticks: {
          run: "count 100",
          inputs: { tick: "dora/timer/secs/1" },
          env: { PAUSE_MS },
          outputs: ["out"],
          finish_grace_secs,
        },
        alone: { run: "count 100", env: { PAUSE_MS }, outputs: ["out"], finish_grace_secs },
      },
      {},
      root,
    )
    await flow.end()
    expect(asked(flow)).toEqual([])
    expect(flow.said("slow")[0]).toHaveLength(102)
  },
  LIMIT_MS,
)
