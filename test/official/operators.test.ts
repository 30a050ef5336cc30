// Operators in Python: what they are told and what they answer, alone and beside siblings.
import { describe, expect } from "bun:test"
import { chmodSync } from "node:fs"
import { dirname, join } from "node:path"
import { folder } from "../support/dora.ts"
import { OLD_RELEASES, oldPython } from "../support/eras.ts"
import { INSTALL_LIMIT_MS } from "../support/official.ts"
import { MixedFlow, NODE, wheelEnvironment, withWheel } from "./flow.ts"
import {
  ECHO,
  files,
  holding,
  LIMIT_MS,
  linesOf,
  SINK,
  sink,
  SOURCE,
  upTo,
} from "./operator-flow.ts"

describe("a Python operator", () => {
  withWheel(
    "is told of inputs with value, bytes and parameters, and of their end; its outputs arrive, bytes and arrays",
    async () => {
      const operator = `
import pickle
import numpy as np
import pyarrow as pa
from dora import DoraStatus

class Operator:
    def __init__(self):
        print("without", hasattr(self, "dataflow_descriptor"), flush=True)

    def on_event(self, event, send_output):
        if event["type"] != "INPUT":
            print(event["type"], event["id"], sorted(event), flush=True)
            return DoraStatus.CONTINUE
        print(event["id"], event["value"].to_pylist(), event["data"], event.get("data") == event["data"], event.get("no"), flush=True)
        print(sorted(event), sorted(event["metadata"]), event["metadata"]["text"], event["metadata"]["timestamp"].tzname(), flush=True)
        print(type(pickle.loads(pickle.dumps(event))), pickle.loads(pickle.dumps(event)) == event, flush=True)
        print([node["id"] for node in self.dataflow_descriptor["nodes"]], flush=True)
        send_output("out", b"bytes", {"number": 1})
        send_output("out", event["value"], event["metadata"])
        send_output("out", pa.array(np.arange(3, dtype=np.uint8)))
        send_output("nowhere", b"")
        send_output("nowhere", b"")
        return DoraStatus.CONTINUE
`
      const nodes = [
        { id: "source", path: "source.ts", outputs: ["out"] },
        { id: "rt", operator: { python: "op.py", inputs: { in: "source/out" }, outputs: ["out"] } },
        sink({ x: "rt/out" }),
      ]
      const send = `${NODE}
        using node = await Node.init()
        await node.sendOutput("out", Int16Array.of(1, 2), { number: 7, text: "äöü" })`
      await using flow = new MixedFlow(nodes, {
        "op.py": operator,
        "source.ts": send,
        "sink.ts": SINK,
      })
      await flow.end()
      expect(flow.said("rt")).toEqual([
        "without False",
        "in [1, 2] b'\\x01\\x00\\x02\\x00' True None",
        "['id', 'kind', 'metadata', 'type', 'value'] ['number', 'text', 'timestamp'] äöü UTC",
        "<class 'dict'> True",
        "['source', 'rt', 'sink']",
        "operator `rt/op` sends on `nowhere`, which is none of its outputs",
        "INPUT_CLOSED in ['id', 'kind', 'type']",
      ])
      expect(flow.said("sink")).toEqual([
        "x 98,121,116,101,115 1",
        "x 1,2 7",
        "x 0,1,2 undefined",
        "INPUT_CLOSED x",
        "STOP ALL_INPUTS_CLOSED",
      ])
    },
    LIMIT_MS,
  )

  withWheel(
    "gets its ticks until it is stopped",
    async () => {
      const operator = { python: "echo.py", inputs: { tick: "dora/timer/millis/10" } }
      await using flow = new MixedFlow([{ id: "rt", operator }], files(0))
      await flow.until("rt", 5)
      await flow.stop()
      expect(flow.said("rt").slice(-2)).toEqual(["STOP MANUAL", "dropped"])
    },
    LIMIT_MS,
  )

  withWheel(
    "may be run by conda in an environment of its own",
    async () => {
      const conda = '#!/bin/sh\necho conda $1 $2 $3 $4\nshift 4\nexec "$@"\n'
      const operator = {
        python: { source: "echo.py", conda_env: "vision" },
        inputs: { in: "source/out" },
        outputs: ["out"],
      }
      using bin = folder({ conda })
      chmodSync(join(bin.path, "conda"), 0o755)
      const env = { PATH: `${bin.path}:${(await wheelEnvironment()).PATH}` }
      await using flow = new MixedFlow([SOURCE, { id: "rt", operator }], files(1), { env })
      await flow.end()
      expect(flow.said("rt").slice(0, 2)).toEqual([
        "conda run --no-capture-output -n vision",
        "in [1]",
      ])
    },
    LIMIT_MS,
  )
})

describe("Python operators of one node", () => {
  for (const threads of [false, true]) {
    withWheel(
      `pass messages on inside their process, and end one after the other${threads ? "; on threads too" : ""}`,
      async () => {
        const operator = (id: string, from: string) => ({
          ...{ id, python: "echo.py", threads },
          ...{ inputs: { in: holding(from) }, outputs: ["out"] },
        })
        const operators = [
          operator("a", "source/out"),
          operator("b", "a/out"),
          operator("c", "rt/b/out"),
        ]
        const nodes = [SOURCE, { id: "rt", operators }, sink({ x: holding("rt/c/out") })]
        await using flow = new MixedFlow(nodes, files(20))
        const { edges } = await flow.end()
        const wanted = [...upTo(20).map((i) => `in [${i}]`), "INPUT_CLOSED in", "dropped"]
        for (const id of ["a", "b", "c"]) expect(linesOf(flow, `rt/${id}`)).toEqual(wanted)
        expect(flow.said("sink")).toEqual([
          ...upTo(20).map((i) => `x ${i} ${i}`),
          "INPUT_CLOSED x",
          "STOP ALL_INPUTS_CLOSED",
        ])
        for (const to of ["rt/a/in", "rt/b/in", "rt/c/in", "sink/x"]) {
          const { sent, taken, dropped, queued } = edges.find((edge) => edge.to === to)!
          expect([to, sent, taken, dropped, queued]).toEqual([to, 20, 20, 0, 0])
        }
        expect(edges.find((edge) => edge.to === "rt/b/in")!.bytes).toBe(80)
      },
      LIMIT_MS,
    )
  }
})

for (const version of OLD_RELEASES) {
  withWheel(
    `Python operators work with the wheel of ${version} too`,
    async () => {
      const twice = ECHO.replace(', dora_event["metadata"])', ")")
      const operators = [
        { id: "a", python: "twice.py", inputs: { in: holding("source/out") }, outputs: ["out"] },
        { id: "b", python: "echo.py", inputs: { in: holding("rt/a/out") }, outputs: ["out"] },
      ]
      const nodes = [
        SOURCE,
        { id: "rt", operators },
        sink({ a: holding("rt/a/out"), b: holding("rt/b/out") }),
      ]
      const bin = dirname(await oldPython(version))
      const env = { PATH: `${bin}:${process.env.PATH}`, VIRTUAL_ENV: dirname(bin) }
      await using flow = new MixedFlow(nodes, { ...files(5), "twice.py": twice }, { env })
      await flow.end()
      const wanted = [...upTo(5).map((i) => `in [${i}]`), "INPUT_CLOSED in", "dropped"]
      for (const id of ["a", "b"]) expect(linesOf(flow, `rt/${id}`)).toEqual(wanted)
      for (const id of ["a", "b"]) {
        const heard = flow.said("sink").filter((line) => line.startsWith(`${id} `))
        expect(heard.map((line) => line.split(" ")[1])).toEqual(upTo(5).map(String))
      }
    },
    INSTALL_LIMIT_MS,
  )
}

describe("an input of a Python operator", () => {
  withWheel(
    "drops its oldest messages when its operator is slow, and counts them",
    async () => {
      const operators = [
        { id: "a", python: "echo.py", inputs: { in: holding("source/out") }, outputs: ["out"] },
        {
          ...{ id: "slow", python: "slow.py", threads: true },
          inputs: { in: { source: "rt/a/out", queue_size: 2 } },
        },
      ]
      const slow = ECHO.replace("self.slow = 0", "self.slow = 0.05")
      await using flow = new MixedFlow([SOURCE, { id: "rt", operators }], {
        ...files(50, 2),
        "slow.py": slow,
      })
      const { edges } = await flow.end()
      const { sent, taken, dropped, queued } = edges.find(({ to }) => to === "rt/slow/in")!
      expect([sent, taken + dropped, queued]).toEqual([50, 50, 0])
      expect(dropped).toBeGreaterThan(10)
      const heard = linesOf(flow, "rt/slow").filter((line) => line.startsWith("in "))
      expect(heard).toHaveLength(taken)
      expect(heard.at(-1)).toBe("in [50]")
      expect(linesOf(flow, "rt/a").filter((line) => line.startsWith("in "))).toHaveLength(50)
    },
    LIMIT_MS,
  )

  for (const threads of [false, true]) {
    withWheel(
      `holds its sender with backpressure, and loses nothing${threads ? "; on threads too" : ""}`,
      async () => {
        const burst = `
from dora import DoraStatus
import pyarrow as pa

class Operator:
    def on_event(self, event, send_output):
        if event["type"] == "INPUT":
            for i in range(100):
                send_output("out", pa.array([i]))
        return DoraStatus.CONTINUE
`
        const operators = [
          {
            id: "burst",
            python: "burst.py",
            inputs: { in: holding("source/out") },
            outputs: ["out"],
          },
          {
            ...{ id: "echo", python: "echo.py", threads },
            inputs: { in: { ...holding("rt/burst/out"), queue_size: 3 } },
          },
        ]
        await using flow = new MixedFlow([SOURCE, { id: "rt", operators }], {
          ...files(5),
          "burst.py": burst,
        })
        const { edges } = await flow.end()
        const edge = edges.find(({ to }) => to === "rt/echo/in")!
        expect([edge.sent, edge.taken, edge.dropped]).toEqual([500, 500, 0])
        expect(edge.waited).toBeGreaterThan(0)
        const heard = linesOf(flow, "rt/echo").filter((line) => line.startsWith("in "))
        expect(heard).toEqual(upTo(500).map((i) => `in [${(i - 1) % 100}]`))
      },
      LIMIT_MS,
    )
  }

  for (const threads of [false, true]) {
    withWheel(
      `that was told as closed when it was silent goes on when it speaks again${threads ? "; on threads too" : ""}`,
      async () => {
        const operators = [
          {
            ...{ id: "a", python: "echo.py", threads, outputs: ["out"] },
            inputs: { in: { source: "source/out", input_timeout: 0.1 } },
          },
          { id: "b", python: "echo.py", inputs: { in: holding("rt/a/out") }, outputs: ["out"] },
        ]
        await using flow = new MixedFlow([SOURCE, { id: "rt", operators }], files(2, 500))
        await flow.end()
        const told = linesOf(flow, "rt/a")
        expect(told.slice(0, 2)).toEqual(["in [1]", "INPUT_CLOSED in"])
        expect(told.filter((line) => /^(in \[2\]|INPUT_RECOVERED in)$/.test(line))).toHaveLength(2)
        expect(told.slice(-2)).toEqual(["INPUT_CLOSED in", "dropped"])
        expect(linesOf(flow, "rt/b")).toEqual(["in [1]", "in [2]", "INPUT_CLOSED in", "dropped"])
      },
      LIMIT_MS,
    )
  }

  withWheel(
    "takes no more than may wait, and says so instead of losing it",
    async () => {
      const flood = `
class Operator:
    def on_event(self, event, send_output):
        for i in range(2000):
            send_output("out", b"x")
`
      const operators = [
        { id: "flood", python: "flood.py", inputs: { in: "source/out" }, outputs: ["out"] },
        {
          ...{ id: "echo", python: "echo.py" },
          inputs: { in: { ...holding("rt/flood/out"), queue_size: 3 } },
        },
      ]
      await using flow = new MixedFlow([SOURCE, { id: "rt", operators }], {
        ...files(1),
        "flood.py": flood,
      })
      await flow.end(["rt"])
      expect(flow.said("rt").join("\n")).toContain("1024 sends to input `rt/echo/in` wait for room")
    },
    LIMIT_MS,
  )
})

describe("what a Python operator answers", () => {
  const answering = (answer: string) => `
from dora import DoraStatus

class Operator:
    def __del__(self):
        print("dropped", flush=True)

    def on_event(self, event, send_output):
        if event["type"] != "INPUT":
            print(event["type"], event["id"], flush=True)
            return DoraStatus.CONTINUE
        send_output("out", event["value"], event["metadata"])
        return ${answer}
`
  const flowOf = (answer: string, threads = false) => {
    const operators = [
      {
        ...{ id: "a", python: "op.py", threads },
        ...{ inputs: { in: holding("source/out") }, outputs: ["out"] },
      },
      { id: "b", python: "echo.py", inputs: { in: holding("rt/a/out") }, outputs: ["out"] },
      { id: "c", python: "echo.py", inputs: { in: holding("source/out") }, outputs: ["out"] },
    ]
    const inputs = { a: holding("rt/a/out"), b: holding("rt/b/out"), c: holding("rt/c/out") }
    const nodes = [SOURCE, { id: "rt", operators }, sink(inputs)]
    return new MixedFlow(nodes, { ...files(10, 5), "op.py": answering(answer) })
  }
  const of = (flow: MixedFlow, input: string) =>
    flow.said("sink").filter((line) => line.split(" ")[0] === input)

  for (const threads of [false, true]) {
    withWheel(
      `STOP ends it, and its outputs after the last message, while others go on${threads ? "; on threads too" : ""}`,
      async () => {
        await using flow = flowOf("DoraStatus.STOP", threads)
        await flow.end()
        expect(linesOf(flow, "rt/a")).toEqual(["dropped"])
        expect(linesOf(flow, "rt/b")).toEqual(["in [1]", "INPUT_CLOSED in", "dropped"])
        expect([of(flow, "a"), of(flow, "b")]).toEqual([["a 1 1"], ["b 1 1"]])
        expect(of(flow, "c")).toHaveLength(10)
        const closed = flow.said("sink").indexOf("INPUT_CLOSED a")
        expect(closed).toBeGreaterThan(0)
        // It ends long before the others do.
        expect(closed).toBeLessThan(flow.said("sink").indexOf("c 10 10"))
      },
      LIMIT_MS,
    )

    withWheel(
      `STOP_ALL ends all operators of the node${threads ? "; on threads too" : ""}`,
      async () => {
        await using flow = flowOf("DoraStatus.STOP_ALL", threads)
        await flow.end()
        expect(linesOf(flow, "rt/c").slice(-2)).toEqual(["STOP MANUAL", "dropped"])
        expect(linesOf(flow, "rt/a")).toEqual(["dropped"])
        expect(of(flow, "a")).toEqual(["a 1 1"])
        expect(of(flow, "c").length).toBeLessThan(10)
      },
      LIMIT_MS,
    )
  }

  for (const answer of ["0", "None", "DoraStatus.CONTINUE"]) {
    withWheel(
      `may be ${answer}`,
      async () => {
        await using flow = flowOf(answer)
        await flow.end()
        expect(of(flow, "a")).toHaveLength(10)
      },
      LIMIT_MS,
    )
  }
})
