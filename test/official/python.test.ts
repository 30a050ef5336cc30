// Scripts for the official wheel beside TypeScript nodes.
import { describe, expect } from "bun:test"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

const ECHO = `
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        node.send_output("out", event["value"], event["metadata"])
    else:
        print(event["type"], event.get("id"), event.get("stop_cause"), flush=True)
`

describe("a Python node and a TypeScript node", () => {
  withWheel(
    "pass messages of every size both ways, with their parameters",
    async () => {
      const ping = `${NODE}
        using node = await Node.init()
        for (const size of [1, 100, 4000, 6000, 65_000, 66_000, 1_000_000, 8_000_000]) {
          for (let i = 0; i < 5; i++) {
            const sent = new Uint8Array(size).map((_, at) => at * 7 + i)
            await node.sendOutput("out", sent, { i, text: "é", list: [1, 2], pi: 3.5, yes: true })
            const event = await node.next()
            if (event?.type !== "INPUT") throw new Error(JSON.stringify(event))
            if (!Buffer.from(event.array as Uint8Array).equals(sent)) throw new Error("wrong at " + size)
            const { timestamp, ...rest } = event.metadata.parameters
            if (i === 4) console.log(size, JSON.stringify(rest))
          }
        }`
      await using flow = new MixedFlow(
        [
          { id: "ping", path: "ping.ts", inputs: { in: "echo/out" }, outputs: ["out"] },
          { id: "echo", path: "echo.py", inputs: { in: "ping/out" }, outputs: ["out"] },
        ],
        { "ping.ts": ping, "echo.py": ECHO },
      )
      await flow.end()
      const parameters = '{"i":4,"list":[1,2],"pi":3.5,"text":"é","yes":true}'
      expect(flow.said("ping")).toEqual(
        [1, 100, 4000, 6000, 65_000, 66_000, 1_000_000, 8_000_000].map((n) => `${n} ${parameters}`),
      )
      expect(flow.said("echo")).toEqual(["INPUT_CLOSED in None", "STOP ALL_INPUTS_CLOSED None"])
      expect(flow.said(null)).toEqual([])
    },
    120_000,
  )

  withWheel(
    "keep the stamp of the sender",
    async () => {
      const twice = `${NODE}
        using node = await Node.init()
        for await (const event of node) {
          if (event.type === "INPUT") {
            const { seconds, fraction } = event.metadata.timestamp
            console.log(event.id, seconds, fraction)
          }
        }`
      const source = `${NODE}
        using node = await Node.init()
        await node.sendOutput("out", Uint8Array.of(1))
        await node.sendOutput("out", new Uint8Array(50_000))`
      const relay = `
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        print(event["metadata"]["timestamp"].isoformat(), flush=True)
`
      await using flow = new MixedFlow(
        [
          { id: "source", path: "source.ts", outputs: ["out"] },
          { id: "py", path: "relay.py", inputs: { in: "source/out" } },
          { id: "ts", path: "twice.ts", inputs: { in: "source/out" } },
        ],
        { "source.ts": source, "relay.py": relay, "twice.ts": twice },
      )
      await flow.end()
      const ours = flow.said("ts").map((line) => {
        const [, seconds, fraction] = line.split(" ").map(Number)
        return seconds! * 1e6 + Math.floor((fraction! * 1e6) / 2 ** 32)
      })
      const theirs = flow.said("py").map((line) => {
        const [, whole, micros] = /^(.{19})\.(\d{6})/.exec(line)!
        return Date.parse(`${whole}Z`) * 1000 + Number(micros)
      })
      expect(theirs).toHaveLength(2)
      // Nanoseconds are rounded once more on their side.
      for (const [i, time] of theirs.entries()) expect(Math.abs(time - ours[i]!)).toBeLessThan(3)
    },
    60_000,
  )
})

describe("a Python node", () => {
  withWheel(
    "gets timer ticks until it is stopped",
    async () => {
      const ticker = `
from dora import Node
import time
node = Node()
for event in node:
    kind = event["type"]
    print(kind, event.get("id"), len(event["value"]) if kind == "INPUT" else None, flush=True)
`
      await using flow = new MixedFlow(
        [{ id: "a", path: "a.py", inputs: { tick: "dora/timer/millis/20" } }],
        { "a.py": ticker },
      )
      await flow.until("a", 5)
      await flow.stop()
      // A tick that was on its way may come after it.
      expect(flow.said("a")).toContain("STOP MANUAL None")
      expect(flow.said("a")).toContain("INPUT tick 0")
    },
    60_000,
  )

  withWheel(
    "gets log lines as an input, and its own lines are shown clean",
    async () => {
      const talker = `
from dora import Node
node = Node()
node.log("info", "hello")
print("plain", flush=True)
node.next()
`
      const reader = `
from dora import Node
import json
node = Node()
seen = 0
for event in node:
    if event["type"] == "INPUT":
        line = json.loads(event["value"][0].as_py())
        print(line["node_id"], line["level"], line["message"], flush=True)
        seen += 1
        if seen == 2: break
`
      await using flow = new MixedFlow(
        [
          { id: "talker", path: "talker.py", inputs: { done: "reader/done" } },
          {
            id: "reader",
            path: "reader.py",
            inputs: { logs: "dora/logs/stdout/talker" },
            outputs: ["done"],
          },
        ],
        { "talker.py": talker, "reader.py": reader },
      )
      await flow.end()
      expect(flow.said("reader")).toEqual(["talker INFO hello", "talker stdout plain"])
      const [hello] = flow.records.filter(({ node }) => node === "talker")
      expect(hello).toMatchObject({ level: "info", msg: "hello", fields: null })
    },
    60_000,
  )
})

describe("a message that the official protocol can't carry", () => {
  withWheel(
    "is left out with a warning, and the next one arrives",
    async () => {
      const sender = `${NODE}
using node = await Node.init()
for (const size of [5, 70_000_000, 60_000_000, 7]) await node.sendOutput("out", new Uint8Array(size).fill(1))`
      const reader = `
from dora import Node
for event in Node():
    if event["type"] == "INPUT":
        print(len(event["value"]), flush=True)
`
      const input = { source: "sender/out", queue_size: 10, queue_policy: "backpressure" }
      await using flow = new MixedFlow(
        [
          { id: "sender", path: "sender.ts", outputs: ["out"] },
          { id: "reader", path: "reader.py", inputs: { in: input } },
        ],
        { "sender.ts": sender, "reader.py": reader },
      )
      await flow.end()
      expect(flow.said("reader")).toEqual(["5", "60000000", "7"])
      const warning = flow.said(null).find((line) => line.includes("left out"))
      expect(warning).toMatch(/a message of 70\d+ bytes for input `in` was left out/)
    },
    60_000,
  )
})

describe("a Python node that can't import what it needs", () => {
  withWheel(
    "is reported with its interpreter, the version of the wheel there, and the remedy",
    async () => {
      const broken = "import dora, no_such_thing"
      await using flow = new MixedFlow([{ id: "a", path: "a.py" }], { "a.py": broken })
      const error = (await flow.running.catch((reason: Error) => reason)) as Error
      expect(error.message).toContain("ModuleNotFoundError: No module named 'no_such_thing'")
      expect(error.message).toMatch(
        /its interpreter \/\S+ is Python 3\.\S+ and has dora-rs 1\.1\.0/,
      )
      expect(error.message).toMatch(/fix: install it there: `\S+ -m pip install no_such_thing`/)
    },
    60_000,
  )

  withWheel(
    "is not told to install what it has",
    async () => {
      const broken =
        "import dora\nraise ImportError('one package wants another version of a second one')"
      await using flow = new MixedFlow([{ id: "a", path: "a.py" }], { "a.py": broken })
      const error = (await flow.running.catch((reason: Error) => reason)) as Error
      expect(error.message).toMatch(/fix: packages there don't fit each other: `\S+ -m pip check`/)
    },
    60_000,
  )

  withWheel(
    "is told which wheel to install when it has none",
    async () => {
      const bare = { PATH: "/usr/bin:/bin", VIRTUAL_ENV: "" }
      await using flow = new MixedFlow(
        [{ id: "a", path: "a.py" }],
        { "a.py": "import dora" },
        { env: bare },
      )
      const error = (await flow.running.catch((reason: Error) => reason)) as Error
      expect(error.message).toContain("and has no package `dora-rs`")
      expect(error.message).toMatch(/-m pip install dora-rs==1\.1\.0`/)
    },
    60_000,
  )
})
