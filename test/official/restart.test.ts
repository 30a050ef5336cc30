// Official nodes that fail, are started again, or are not.
import { describe, expect } from "bun:test"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

/** Sends its count of starts and one message more at each tick, then dies, until it was started three times. */
const CRASHER = `
import sys
import pyarrow as pa
from dora import Node
node = Node()
count = node.restart_count()
sent = 0
for event in node:
    if event["type"] == "INPUT":
        node.send_output("out", pa.array([count, sent]))
        sent += 1
        if sent == 5:
            sys.exit(3 if count < 2 else 0)
`
const LISTENER = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type === "INPUT") console.log(event.array.join())
  else if (event.type === "NODE_FAILED") console.log(event.type, event.id, event.inputs.join(), event.error)
  else console.log(event.type, "id" in event ? event.id : event.type === "STOP" ? event.cause : "")
}`
const LISTENER_PY = `
from dora import Node
for event in Node():
    if event["type"] == "INPUT":
        print(",".join(str(x) for x in event["value"].to_pylist()), flush=True)
    elif event["type"] == "NODE_FAILED":
        failure = event["value"]
        print(event["type"], failure["source_node_id"], ",".join(failure["affected_input_ids"]), failure["error"], flush=True)
    else:
        print(event["type"], event["id"] if "id" in event else "", flush=True)
`
const crasher = (more: object) => ({
  id: "crasher",
  path: "crasher.py",
  inputs: { tick: "dora/timer/millis/5" },
  outputs: ["out"],
  ...more,
})
const listeners = [
  { id: "ts", path: "listener.ts", inputs: { in: { source: "crasher/out", queue_size: 100 } } },
  { id: "py", path: "listener.py", inputs: { in: { source: "crasher/out", queue_size: 100 } } },
]
const files = { "crasher.py": CRASHER, "listener.ts": LISTENER, "listener.py": LISTENER_PY }
const sent = (count: number) => [0, 1, 2, 3, 4].map((i) => `${count},${i}`)

describe("a Python node that fails", () => {
  withWheel(
    "is started again while its neighbours stay, and all that it sent arrives",
    async () => {
      const nodes = [crasher({ restart_policy: "on-failure" }), ...listeners]
      await using flow = new MixedFlow(nodes, files)
      const result = await flow.end()
      expect(result.nodes.map(({ ok }) => ok)).toEqual([true, true, true])
      const all = [...sent(0), ...sent(1), ...sent(2)]
      for (const id of ["ts", "py"]) {
        const said = flow.said(id)
        // Events overtake messages that wait in a node.
        expect(said.filter((line) => /^\d/.test(line))).toEqual(all)
        const events = said.filter((line) => !/^\d/.test(line))
        const restarted = "NODE_RESTARTED crasher"
        expect(events).toEqual([restarted, restarted, "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"])
      }
      const warnings = flow.said(null).filter((line) => line.includes("started again"))
      expect(warnings).toEqual(
        new Array(2).fill("node crasher exited with code 3; it is started again"),
      )
    },
    90_000,
  )

  withWheel(
    "counts as failed when it may not be started once more, and its neighbours learn why",
    async () => {
      const nodes = [crasher({ restart_policy: "on-failure", max_restarts: 1 }), ...listeners]
      await using flow = new MixedFlow(nodes, files)
      const result = await flow.end(["crasher"])
      expect(result.firstFailure).toMatchObject({ node: "crasher", exitCode: 3 })
      for (const id of ["ts", "py"]) {
        const events = flow.said(id).filter((line) => !/^\d/.test(line))
        expect(events.slice(0, 3)).toEqual([
          "NODE_RESTARTED crasher",
          "NODE_FAILED crasher in node crasher exited with code 3",
          "INPUT_CLOSED in",
        ])
      }
      expect(flow.said(null)).toContain("node crasher: max restarts (1) exceeded, giving up")
    },
    90_000,
  )

  withWheel(
    "is not started again once the dataflow is asked to stop",
    async () => {
      const nodes = [crasher({ restart_policy: "always", restart_delay: 60 }), ...listeners]
      await using flow = new MixedFlow(nodes, files)
      await flow.until("ts", 6)
      const run = await flow.running
      run.stop()
      await flow.end(["crasher"])
    },
    60_000,
  )
})

describe("a Python node that has not subscribed in its time", () => {
  withWheel(
    "is killed, and named with the reason",
    async () => {
      const slow = { id: "slow", path: "slow.py", startup_timeout: 0.3 }
      await using flow = new MixedFlow([slow], { "slow.py": "import time; time.sleep(60)" })
      const error = await flow.running.catch((reason: Error) => reason)
      expect(error).toMatchObject({ code: "NODE_EXITED_EARLY" })
      expect(flow.said(null).join()).toContain("startup_timeout exceeded before node connected")
    },
    60_000,
  )
})

describe("an input with a timeout", () => {
  withWheel(
    "is told as closed when it is silent, and as recovered when it speaks again",
    async () => {
      const source = `${NODE}
        using node = await Node.init()
        await node.sendOutput("out", Int32Array.of(1))
        await Bun.sleep(400)
        await node.sendOutput("out", Int32Array.of(2))`
      const nodes = [
        { id: "source", path: "source.ts", outputs: ["out"] },
        {
          id: "py",
          path: "listener.py",
          inputs: { in: { source: "source/out", input_timeout: 0.1 } },
        },
      ]
      await using flow = new MixedFlow(nodes, { ...files, "source.ts": source })
      await flow.end()
      const said = flow.said("py")
      expect(said.slice(0, 2)).toEqual(["1", "INPUT_CLOSED in"])
      expect(said.filter((line) => /^(2|INPUT_RECOVERED in)$/.test(line))).toHaveLength(2)
      expect(said).toContain("STOP ALL_INPUTS_CLOSED")
    },
    60_000,
  )
})
