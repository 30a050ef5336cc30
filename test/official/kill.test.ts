// kill -9 of official nodes and of their neighbours, at any moment.
import { describe, expect } from "bun:test"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

/** Kills of each case; 100 were made when this was written. */
const ROUNDS = Number(process.env.DORA_TEST_RUNS) || 10

/** Numbered messages of many sizes, each filled with its number. */
const SOURCE_TS = `${NODE}
using node = await Node.init()
let n = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const size = [8, 3000, 70_000, 900_000][n % 4]
  await node.sendOutput("out", new Uint8Array(size).fill(n), { n: n++ })
}`
const RELAY_PY = `
import os
from dora import Node
node = Node()
print("pid", os.getpid(), flush=True)
for event in node:
    if event["type"] == "INPUT":
        metadata = {"n": event["metadata"]["n"], "life": node.restart_count()}
        node.send_output("out", event["value"], metadata)
`
const SINK_TS = `${NODE}
using node = await Node.init()
let [last, life, count] = [-1, -1, 0]
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { n, life: now } = event.metadata.parameters
  const bytes = event.array
  if (n <= last || now < life) throw new Error("out of order: " + [last, n, life, now])
  if (bytes.length !== [8, 3000, 70_000, 900_000][n % 4]) throw new Error("length " + bytes.length)
  if (bytes.some((byte) => byte !== (n & 255))) throw new Error("torn: " + n)
  if (now !== life) console.log("life", now)
  ;[last, life] = [n, now]
  count++
}
console.log("count", count)`

describe("kill -9", () => {
  withWheel(
    `of a Python node between TypeScript nodes: what arrives is whole and in order (${ROUNDS} times)`,
    async () => {
      const nodes = [
        {
          id: "source",
          path: "source.ts",
          inputs: { tick: "dora/timer/millis/2" },
          outputs: ["out"],
        },
        {
          id: "relay",
          path: "relay.py",
          restart_policy: "always",
          inputs: { in: "source/out" },
          outputs: ["out"],
        },
        { id: "sink", path: "sink.ts", inputs: { in: "relay/out" } },
      ]
      const files = { "source.ts": SOURCE_TS, "relay.py": RELAY_PY, "sink.ts": SINK_TS }
      await using flow = new MixedFlow(nodes, files)
      for (let round = 0; round < ROUNDS; round++) {
        // The life number appears at the sink when the process is at work.
        await flow.until("sink", round + 1)
        await Bun.sleep(Math.random() * 40)
        const line = flow.said("relay").findLast((said) => said.startsWith("pid "))
        const pid = Number(line!.split(" ")[1])
        process.kill(pid, "SIGKILL")
      }
      await flow.until("sink", ROUNDS + 1)
      await flow.stop()
      const lives = Array.from({ length: ROUNDS + 1 }, (_, i) => `life ${i}`)
      expect(flow.said("sink").slice(0, ROUNDS + 1)).toEqual(lives)
      expect(flow.said("sink").at(-1)).toMatch(/^count \d+$/)
      expect(flow.said(null).filter((line) => !line.includes("it is started again"))).toEqual([])
    },
    60_000 + ROUNDS * 5_000,
  )

  withWheel(
    "of a TypeScript consumer holds up no Python producer, of a producer ends the input",
    async () => {
      const producer = `
from dora import Node
import pyarrow as pa
import numpy as np
node = Node()
for i in range(60):
    node.send_output("out", pa.array(np.zeros(300_000 if i % 2 else 10, dtype=np.uint8)))
print("sent", flush=True)
for event in node:
    print(event["type"], event["id"], flush=True)
`
      const consumer = `${NODE}
        using node = await Node.init()
        await node.next()
        process.kill(process.pid, "SIGKILL")`
      const nodes = [
        {
          id: "producer",
          path: "producer.py",
          inputs: { in: "victim/out" },
          outputs: ["out"],
        },
        {
          id: "victim",
          path: "victim.ts",
          inputs: { in: { source: "producer/out", queue_policy: "backpressure", queue_size: 2 } },
          outputs: ["out"],
        },
      ]
      const files = { "producer.py": producer, "victim.ts": consumer }
      await using flow = new MixedFlow(nodes, files)
      await flow.end(["victim"])
      const said = flow.said("producer")
      for (const line of ["sent", "INPUT_CLOSED in"]) expect(said).toContain(line)
    },
    60_000,
  )
})
