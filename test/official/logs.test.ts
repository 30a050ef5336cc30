// What official and TypeScript nodes print becomes messages of the outputs that `send_stdout_as` and `send_logs_as` name.
import { expect } from "bun:test"
import { INSTALL_LIMIT_MS } from "../support/official.ts"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

const TALKER = `
import logging, sys
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        print("plain", flush=True)
        print("complaint", file=sys.stderr, flush=True)
        node.log("warn", "hot")
        node.log("debug", "cold")
        break
`
const SCRIPT_TALKER = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  console.log("plain")
  console.error("complaint")
  node.log.warn("hot")
  node.log.debug("cold")
  break
}
`
const LISTENER = `
import json
from dora import Node
for event in Node():
    if event["type"] == "INPUT":
        print(json.dumps([event["id"], event["value"].to_pylist()]), flush=True)
`
const SCRIPT_LISTENER = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type === "INPUT") console.log(JSON.stringify([event.id, event.value.toArray()]))
}
`

const FILES = {
  "talker.py": TALKER,
  "talker.ts": SCRIPT_TALKER,
  "listener.py": LISTENER,
  "listener.ts": SCRIPT_LISTENER,
}

type Heard = [input: string, values: string[]]

function heard(flow: MixedFlow, node: string, input: string): string[] {
  const all = flow.said(node).map((line) => JSON.parse(line) as Heard)
  return all.flatMap(([id, values]) => {
    expect(values).toHaveLength(1)
    return id === input ? values : []
  })
}

async function talk(program: string): Promise<MixedFlow> {
  const input = (source: string) => ({ source, queue_size: 100 })
  const inputs = { lines: input("talker/lines"), records: input("talker/records") }
  const flow = new MixedFlow(
    [
      {
        id: "talker",
        path: program,
        inputs: { go: "dora/timer/millis/50" },
        outputs: ["lines", "records"],
        send_stdout_as: "lines",
        send_logs_as: "records",
        min_log_level: "info",
      },
      { id: "python", path: "listener.py", inputs },
      { id: "script", path: "listener.ts", inputs },
    ],
    FILES,
  )
  await flow.end()
  return flow
}

for (const program of ["talker.py", "talker.ts"]) {
  withWheel(
    `every line of ${program} reaches both kinds of nodes, and so does each record that passes`,
    async () => {
      await using flow = await talk(program)
      for (const node of ["python", "script"]) {
        const lines = heard(flow, node, "lines")
        // The two streams have no order between them.
        expect(lines).toContain("plain\n")
        expect(lines).toContain("complaint\n")
        expect(lines.every((line) => line.endsWith("\n"))).toBe(true)
        const records = heard(flow, node, "records").map((text) => JSON.parse(text))
        expect(records.map(({ message }) => message)).toEqual(["hot"])
        expect(records[0]).toMatchObject({ node_id: "talker", level: "WARN" })
      }
    },
    INSTALL_LIMIT_MS,
  )
}

withWheel(
  "what the daemon sends for a node stays open while the node starts again",
  async () => {
    const files = {
      ...FILES,
      "crasher.py": `
import sys
from dora import Node
node = Node()
for event in node:
    print(f"start {node.restart_count()}", flush=True)
    sys.exit(1 if node.restart_count() < 2 else 0)
`,
    }
    await using flow = new MixedFlow(
      [
        {
          id: "crasher",
          path: "crasher.py",
          inputs: { go: "dora/timer/millis/50" },
          outputs: ["lines"],
          send_stdout_as: "lines",
          restart_policy: "on-failure",
        },
        {
          id: "script",
          path: "listener.ts",
          inputs: { lines: { source: "crasher/lines", queue_size: 100 } },
        },
      ],
      files,
    )
    await flow.end()
    expect(heard(flow, "script", "lines")).toEqual(["start 0\n", "start 1\n", "start 2\n"])
  },
  INSTALL_LIMIT_MS,
)

withWheel(
  "operators send what they print as well, in Python and in TypeScript",
  async () => {
    const files = {
      ...FILES,
      "op.py": `
class Operator:
    def on_event(self, event, send_output):
        if event["type"] == "INPUT": print("from python", flush=True)
        return __import__("dora").DoraStatus.CONTINUE
`,
      "op.ts": `
export class Operator {
  onEvent(event) {
    if (event.type === "INPUT") console.log("from script")
  }
}
`,
    }
    const operator = (source: object) => ({
      ...source,
      inputs: { tick: "dora/timer/millis/100" },
      outputs: ["lines"],
      send_stdout_as: "lines",
    })
    await using flow = new MixedFlow(
      [
        { id: "a", operator: operator({ python: "op.py" }) },
        { id: "b", operator: operator({ typescript: "op.ts" }) },
        { id: "python", path: "listener.py", inputs: { a: "a/op/lines", b: "b/op/lines" } },
      ],
      files,
    )
    const wanted = ["from python\n", "from script\n"]
    await flow.until("python", 12)
    await flow.stop()
    expect([...new Set([...heard(flow, "python", "a"), ...heard(flow, "python", "b")])]).toEqual(
      expect.arrayContaining(wanted),
    )
  },
  INSTALL_LIMIT_MS,
)

withWheel(
  "what a node sends itself on such an output is refused, and of an official node dropped with a warning",
  async () => {
    const files = {
      ...FILES,
      "sends.py": `
from dora import Node
node = Node()
for _ in range(3): node.send_output("lines", b"mine")
`,
      "sends.ts": `${NODE}
using node = await Node.init()
try {
  node.sendOutputSync("lines", [1])
} catch (error) {
  console.log(error.code)
}
`,
    }
    const sends = (path: string) => ({ path, outputs: ["lines"], send_stdout_as: "lines" })
    const inputs = {
      python: { source: "python/lines", queue_size: 100 },
      script: { source: "script/lines", queue_size: 100 },
    }
    await using flow = new MixedFlow(
      [
        { id: "python", ...sends("sends.py") },
        { id: "script", ...sends("sends.ts") },
        { id: "listener", path: "listener.ts", inputs },
      ],
      files,
    )
    await flow.end()
    expect(heard(flow, "listener", "script")).toEqual(["PRINTED_OUTPUT\n"])
    expect(heard(flow, "listener", "python").filter((line) => line.includes("mine"))).toEqual([])
    const warnings = flow.said(null).filter((line) => line.includes("carries what it prints"))
    expect(warnings).toHaveLength(1)
  },
  INSTALL_LIMIT_MS,
)
