// The first messages and the last ones: official nodes send from their first moment to their last.
import { describe, expect } from "bun:test"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

/** Runs of each case; 100 were made when this was written. */
const RUNS = Number(process.env.DORA_TEST_RUNS) || 8
const COUNT = 25

const SOURCE_PY = `
import time
import pyarrow as pa
from dora import Node
node = Node()
for i in range(${COUNT}):
    node.send_output("out", pa.array([i]))
    time.sleep(0.02)
`
/** Three messages 20 ms apart, the last right before the end; half of the runs end by force. */
const LAST_PY = `
import os, sys, time
import pyarrow as pa
from dora import Node
node = Node()
for i in range(3):
    node.send_output("out", pa.array([i] * (1 if i % 2 == 0 else 100_000)))
    if i < 2: time.sleep(0.02)
if sys.argv[1] == "hard": os._exit(0)
`
const SOURCE_TS = `${NODE}
using node = await Node.init()
for (let i = 0; i < ${COUNT}; i++) {
  await node.sendOutput("out", Int32Array.of(i))
  await Bun.sleep(20)
}`
const SINK_PY = `
from dora import Node
got = [event["value"][0].as_py() for event in Node() if event["type"] == "INPUT"]
print(*got, flush=True)
`
const SINK_TS = `${NODE}
using node = await Node.init()
const got = []
for await (const event of node) if (event.type === "INPUT") got.push(Number(event.array[0]))
console.log(...got)`

const files = {
  "source.py": SOURCE_PY,
  "last.py": LAST_PY,
  "source.ts": SOURCE_TS,
  "sink.py": SINK_PY,
  "sink.ts": SINK_TS,
}
const sinks = ["sink.py", "sink.ts"].map((path) => ({
  id: path.replace(".", "-"),
  path,
  inputs: { in: { source: "source/out", queue_size: 100 } },
}))

async function run(source: { path: string; args?: string }, count: number): Promise<void> {
  const nodes = [{ id: "source", outputs: ["out"], ...source }, ...sinks]
  await using flow = new MixedFlow(nodes, files)
  await flow.end()
  const all = Array.from({ length: count }, (_, i) => i).join(" ")
  for (const { id } of sinks) expect(flow.said(id)).toEqual([all])
}

describe("every message arrives", () => {
  withWheel(
    `from a Python node that sends at 50 Hz from its start (${RUNS} runs)`,
    async () => {
      for (let i = 0; i < RUNS; i++) await run({ path: "source.py" }, COUNT)
    },
    RUNS * 10_000,
  )

  withWheel(
    `from a TypeScript node that sends at 50 Hz from its start (${RUNS} runs)`,
    async () => {
      for (let i = 0; i < RUNS; i++) await run({ path: "source.ts" }, COUNT)
    },
    RUNS * 10_000,
  )

  withWheel(
    `from a Python node that ends right after its last one (${RUNS} runs)`,
    async () => {
      for (let i = 0; i < RUNS; i++) {
        await run({ path: "last.py", args: i % 2 === 0 ? "soft" : "hard" }, 3)
      }
    },
    RUNS * 10_000,
  )
})
