// Patterns of dora: services, actions, streams and cycles between nodes in Python, Rust and TypeScript. They are conventions on
// parameters and on the order of messages, and that is what must pass unchanged.
import { describe, expect } from "bun:test"
import { INSTALL_LIMIT_MS, rustNode, withBoth } from "../support/official.ts"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

const queue = (source: string) => ({ source, queue_size: 200 })

function json<T>(flow: MixedFlow, node: string): T[] {
  return flow.said(node).map((line) => JSON.parse(line))
}

const CLIENT_PY = `
import json, sys
import pyarrow as pa
from dora import Node
node = Node()
sent = {}
for event in node:
    if event["type"] != "INPUT": continue
    if event["id"] == "tick" and len(sent) < 10:
        key = node.send_service_request("request", pa.array([len(sent)]))
        sent[key] = len(sent)
    elif event["id"] == "response":
        key = event["metadata"].get("request_id")
        if key is None: sys.exit("a response without request_id")
        if key not in sent: continue
        print(json.dumps([sent.pop(key), event["value"][0].as_py()]), flush=True)
        if not sent: break
`
const CLIENT_TS = `${NODE}
using node = await Node.init()
const sent = new Map()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  if (event.id === "tick" && sent.size < 10) {
    const key = Bun.randomUUIDv7()
    const number = sent.size
    sent.set(key, number)
    await node.sendOutput("request", BigInt64Array.of(BigInt(number)), { request_id: key })
  } else if (event.id === "response") {
    const key = event.metadata.parameters.request_id
    if (sent.has(key)) console.log(JSON.stringify([sent.get(key), Number(event.array[0])]))
    if (!sent.delete(key)) continue
    if (sent.size === 0) break
  }
}
`
const SERVER_PY = `
import pyarrow as pa
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        parameters = {k: v for k, v in event["metadata"].items() if k != "timestamp"}
        node.send_service_response("response", pa.array([event["value"][0].as_py()]), parameters)
`
const SERVER_TS = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type === "INPUT") await node.sendOutput("response", event.array, event.metadata.parameters)
}
`
const SERVICE = {
  "client.py": CLIENT_PY,
  "client.ts": CLIENT_TS,
  "server.py": SERVER_PY,
  "server.ts": SERVER_TS,
}

/** Two clients of one server: each sees the responses of both, and knows its own by their `request_id`. */
async function serve(server: object, input: (client: string) => string): Promise<MixedFlow> {
  const client = (id: string, path: string) => ({
    id,
    path,
    inputs: { tick: "dora/timer/millis/10", response: queue("server/response") },
    outputs: ["request"],
  })
  const inputs = Object.fromEntries(
    ["python", "script"].map((id) => [input(id), queue(`${id}/request`)]),
  )
  const nodes = [client("python", "client.py"), client("script", "client.ts")]
  const flow = new MixedFlow([{ id: "server", inputs, ...server }, ...nodes], SERVICE)
  await flow.end()
  return flow
}

function expectServed(flow: MixedFlow): void {
  for (const client of ["python", "script"]) {
    const answers = json<[number, number]>(flow, client)
    expect(answers.every(([asked, answered]) => asked === answered)).toBe(true)
    expect(answers.length).toBeGreaterThan(0)
  }
}

describe("a service answers each client with the client's request_id", () => {
  for (const path of ["server.py", "server.ts"]) {
    withWheel(
      path,
      async () => {
        await using flow = await serve({ path, outputs: ["response"] }, (client) => client)
        expectServed(flow)
      },
      INSTALL_LIMIT_MS,
    )
  }

  withBoth(
    "a node in Rust",
    async () => {
      // It answers on the output that has the name of the input, one client is enough.
      const server = { id: "server", ...(await rustNode("echo")) }
      await using flow = new MixedFlow(
        [
          { ...server, inputs: { response: queue("script/request") }, outputs: ["response"] },
          {
            id: "script",
            path: "client.ts",
            inputs: { tick: "dora/timer/millis/10", response: queue("server/response") },
            outputs: ["request"],
          },
        ],
        SERVICE,
      )
      await flow.end()
      const answers = json<[number, number]>(flow, "script")
      expect(answers.length).toBeGreaterThan(0)
      expect(answers.every(([asked, answered]) => asked === answered)).toBe(true)
    },
    INSTALL_LIMIT_MS,
  )
})

const ACTOR_PY = `
import pyarrow as pa
from dora import Node
node = Node()
for event in node:
    if event["type"] != "INPUT": continue
    goal = event["metadata"]["goal_id"]
    for left in (2, 1):
        node.send_output("feedback", pa.array([left]), {"goal_id": goal})
    node.send_output("result", pa.array([0]), {"goal_id": goal, "goal_status": "succeeded"})
`
const ACTOR_TS = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { goal_id } = event.metadata.parameters
  for (const left of [2n, 1n]) await node.sendOutput("feedback", BigInt64Array.of(left), { goal_id })
  await node.sendOutput("result", BigInt64Array.of(0n), { goal_id, goal_status: "succeeded" })
}
`
const ASKER_PY = `
import json
import pyarrow as pa
from dora import Node
node = Node()
goal = None
for event in node:
    if event["type"] != "INPUT": continue
    if event["id"] == "tick":
        if goal is None:
            goal = "goal-1"
            node.send_output("goal", pa.array([3]), {"goal_id": goal})
        continue
    said = event["metadata"]
    print(json.dumps([event["id"], said["goal_id"], said.get("goal_status"), event["value"][0].as_py()]), flush=True)
    if event["id"] == "result": break
`
const ASKER_TS = `${NODE}
using node = await Node.init()
let asked = false
for await (const event of node) {
  if (event.type !== "INPUT") continue
  if (event.id === "tick") {
    if (!asked) await node.sendOutput("goal", BigInt64Array.of(3n), { goal_id: "goal-1" })
    asked = true
    continue
  }
  const { goal_id, goal_status = null } = event.metadata.parameters
  console.log(JSON.stringify([event.id, goal_id, goal_status, Number(event.array[0])]))
  if (event.id === "result") break
}
`

describe("an action's feedback and its result carry goal_id and goal_status", () => {
  for (const [asker, actor] of [
    ["asker.py", "actor.ts"],
    ["asker.ts", "actor.py"],
  ] as const) {
    withWheel(
      `${asker} asks ${actor}`,
      async () => {
        await using flow = new MixedFlow(
          [
            {
              id: "asker",
              path: asker,
              inputs: {
                tick: "dora/timer/millis/20",
                feedback: queue("actor/feedback"),
                result: queue("actor/result"),
              },
              outputs: ["goal"],
            },
            {
              id: "actor",
              path: actor,
              inputs: { goal: queue("asker/goal") },
              outputs: ["feedback", "result"],
            },
          ],
          {
            "asker.py": ASKER_PY,
            "asker.ts": ASKER_TS,
            "actor.py": ACTOR_PY,
            "actor.ts": ACTOR_TS,
          },
        )
        await flow.end()
        const said = json<unknown[]>(flow, "asker")
        // Different inputs have no order between them.
        expect(said.filter(([input]) => input === "result")).toEqual([
          ["result", "goal-1", "succeeded", 0],
        ])
        const feedback = said.filter(([input]) => input === "feedback")
        expect(feedback).toEqual(
          [2, 1].slice(0, feedback.length).map((left) => ["feedback", "goal-1", null, left]),
        )
      },
      INSTALL_LIMIT_MS,
    )
  }
})

const STREAMER_PY = `
import pyarrow as pa
from dora import Node
node = Node()
next(iter(node))
for seq in range(50):
    parameters = {"session_id": "s", "segment_id": seq // 10, "seq": seq % 10, "fin": seq % 10 == 9, "flush": False}
    node.send_output("tokens", pa.array([f"token {seq}"]), parameters)
`
const STREAMER_TS = `${NODE}
using node = await Node.init()
await node.next()
for (let seq = 0; seq < 50; seq++) {
  const parameters = { session_id: "s", segment_id: Math.floor(seq / 10), seq: seq % 10, fin: seq % 10 === 9, flush: false }
  await node.sendOutput("tokens", "token " + seq, parameters)
}
`
const READER_PY = `
import json
from dora import Node
keys = ("session_id", "segment_id", "seq", "fin", "flush")
for event in Node():
    if event["type"] == "INPUT":
        print(json.dumps([[event["metadata"][key] for key in keys], event["value"][0].as_py()]), flush=True)
`
const READER_TS = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { session_id, segment_id, seq, fin, flush } = event.metadata.parameters
  console.log(JSON.stringify([[session_id, segment_id, seq, fin, flush], event.value.get(0)]))
}
`

describe("a stream keeps its segments, their order and the types of their marks", () => {
  for (const streamer of ["streamer.py", "streamer.ts"]) {
    withWheel(
      `from ${streamer}`,
      async () => {
        await using flow = new MixedFlow(
          [
            {
              id: "streamer",
              path: streamer,
              inputs: { tick: "dora/timer/millis/50" },
              outputs: ["tokens"],
            },
            { id: "python", path: "reader.py", inputs: { tokens: queue("streamer/tokens") } },
            { id: "script", path: "reader.ts", inputs: { tokens: queue("streamer/tokens") } },
          ],
          {
            "streamer.py": STREAMER_PY,
            "streamer.ts": STREAMER_TS,
            "reader.py": READER_PY,
            "reader.ts": READER_TS,
          },
        )
        await flow.end()
        const sent = Array.from({ length: 50 }, (_, seq) => [
          ["s", Math.floor(seq / 10), seq % 10, seq % 10 === 9, false],
          `token ${seq}`,
        ])
        expect(json<unknown>(flow, "python")).toEqual(sent)
        expect(json<unknown>(flow, "script")).toEqual(sent)
      },
      INSTALL_LIMIT_MS,
    )
  }
})

const PEER_PY = `
import threading, time
import pyarrow as pa
from dora import Node
node = Node()
def read():
    seen = []
    while len(seen) < 20 and (event := node.next()) is not None:
        if event["type"] == "INPUT": seen.append(event["value"][0].as_py())
    print(seen == list(range(20)), flush=True)
reader = threading.Thread(target=read)
reader.start()
for i in range(20):
    node.send_output("data", pa.array([i]))
    time.sleep(0.005)
reader.join()
`
const PEER_TS = `${NODE}
using node = await Node.init()
const seen: number[] = []
const send = async () => {
  for (let i = 0; i < 20; i++) {
    await node.sendOutput("data", BigInt64Array.of(BigInt(i)))
    await Bun.sleep(5)
  }
}
const read = async () => {
  while (seen.length < 20) {
    const event = await node.next()
    if (event === null) break
    if (event.type === "INPUT") seen.push(Number(event.array[0]))
  }
}
await Promise.all([send(), read()])
console.log(JSON.stringify(seen) === JSON.stringify([...Array(20).keys()]))
`

for (const [a, b] of [
  ["peer.py", "peer.py"],
  ["peer.py", "peer.ts"],
] as const) {
  withWheel(
    `a cycle: ${a} and ${b} read and write at the same time`,
    async () => {
      const peer = (id: string, path: string, other: string) => {
        return { id, path, inputs: { data: queue(`${other}/data`) }, outputs: ["data"] }
      }
      await using flow = new MixedFlow([peer("a", a, "b"), peer("b", b, "a")], {
        "peer.py": PEER_PY,
        "peer.ts": PEER_TS,
      })
      await flow.end()
      const said = [...flow.said("a"), ...flow.said("b")].map((line) => line.toLowerCase())
      expect(said).toEqual(["true", "true"])
    },
    INSTALL_LIMIT_MS,
  )
}

withWheel(
  "drain and recv_async of the Python API get every message, and arrays in sequence stay one message each",
  async () => {
    const source = `${NODE}
using node = await Node.init()
await node.next()
for (let i = 0; i < 30; i++) {
  await node.sendOutput("a", Float64Array.of(i, i + 0.5), { part: "first" })
  await node.sendOutput("a", ["text " + i], { part: "second" })
}
`
    const drainer = `
import json, time
from dora import Node
node = Node()
got = []
# The stop may stand before what is still to be read.
end = time.monotonic() + 10
while time.monotonic() < end and len(got) < 60:
    time.sleep(0.02)
    for event in node.drain():
        if event["type"] == "INPUT": got.append([event["metadata"]["part"], event["value"].to_pylist()])
print(json.dumps(got), flush=True)
`
    const asynchronous = `
import asyncio, json
from dora import Node
async def main():
    node = Node()
    got = []
    while (event := await node.recv_async(timeout=10)) is not None:
        if event["type"] == "INPUT": got.append([event["metadata"]["part"], event["value"].to_pylist()])
        if len(got) == 60: break
    print(json.dumps(got), flush=True)
asyncio.run(main())
`
    await using flow = new MixedFlow(
      [
        {
          id: "source",
          path: "source.ts",
          inputs: { tick: "dora/timer/millis/50" },
          outputs: ["a"],
        },
        { id: "drainer", path: "drainer.py", inputs: { a: queue("source/a") } },
        { id: "async", path: "async.py", inputs: { a: queue("source/a") } },
      ],
      { "source.ts": source, "drainer.py": drainer, "async.py": asynchronous },
    )
    await flow.end()
    const sent = Array.from({ length: 30 }, (_, i) => [
      ["first", [i, i + 0.5]],
      ["second", [`text ${i}`]],
    ]).flat()
    expect(json<unknown>(flow, "drainer")).toEqual([sent])
    expect(json<unknown>(flow, "async")).toEqual([sent])
  },
  INSTALL_LIMIT_MS,
)
