// Operators in Python: what goes wrong with them, how they end, are started again and loaded anew.
import { describe, expect } from "bun:test"
import { renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { OLD_RELEASES, oldPython } from "../support/eras.ts"
import { INSTALL_LIMIT_MS } from "../support/official.ts"
import { MixedFlow, NODE, withWheel } from "./flow.ts"
import {
  ECHO,
  files,
  holding,
  LIMIT_MS,
  linesOf,
  sink,
  SOURCE,
  source,
  upTo,
} from "./operator-flow.ts"

describe("a Python operator that fails ends its node, with its name, its file, its place and its last words", () => {
  const failing = (body: string) => `
class Operator:
    def on_event(self, event, send_output):
        ${body}
`
  for (const [body, why] of [
    ['raise ValueError("no more of this")', "ValueError: no more of this"],
    ["import sys; sys.exit(3)", "SystemExit: 3"],
    ["return 7", "on_event returned 7, which is no status"],
    ["return True", "on_event returned True, which is no status"],
    ['send_output("out", [1, 2])', "takes bytes or an array of pyarrow, not list"],
    ["import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"],
  ] as const) {
    withWheel(
      body,
      async () => {
        const operators = [
          { id: "bad", python: "bad.py", inputs: { in: "source/out" }, outputs: ["out"] },
          { id: "echo", python: "echo.py", inputs: { in: "source/out" } },
        ]
        await using flow = new MixedFlow([SOURCE, { id: "rt", operators }], {
          ...files(3),
          "bad.py": failing(body),
        })
        const { nodes } = await flow.end(["rt"])
        const tail = nodes.find(({ node }) => node === "rt")!.stderrTail.join("\n")
        const file = join(flow.folder.path, "bad.py")
        expect(tail).toMatch(/flow\.yml:1:\d+: /)
        expect(tail).toContain(`operator \`rt/bad\` (${file}) failed in on_event\n  why: `)
        expect(tail).toContain(why)
        expect(tail).not.toContain("runtime/python")
        // All are dropped on this way out as well.
        expect(linesOf(flow, "rt/echo").at(-1)).toBe("dropped")
      },
      LIMIT_MS,
    )
  }

  withWheel(
    "by a crash: the function is named, and its neighbours go on",
    async () => {
      const crash = failing("import ctypes; ctypes.string_at(0)")
      const nodes = [
        SOURCE,
        { id: "rt", operator: { python: "bad.py", inputs: { in: "source/out" } } },
        sink({ x: holding("source/out") }),
      ]
      await using flow = new MixedFlow(nodes, { ...files(3), "bad.py": crash })
      const result = await flow.end(["rt"])
      const end = result.nodes.find(({ node }) => node === "rt")!
      const file = join(flow.folder.path, "bad.py")
      expect([end.signal, end.during]).toEqual([
        "SIGSEGV",
        `\`on_event\` of operator \`rt/op\` (${file})`,
      ])
      expect(end.stderrTail.join("\n")).toContain(`File "${file}", line 4 in on_event`)
      expect(flow.said("sink")).toContain("x 3 3")
    },
    LIMIT_MS,
  )
})

describe("what can't be loaded is told before the dataflow starts, with file and place", () => {
  for (const [what, text, why] of [
    ["a file that is missing", null, "there is no such file"],
    ["a syntax error", "class Operator:\n    def on_event(self, event\n", "op.py"],
    ["an error while it is loaded", "raise ValueError('not now')", "ValueError: not now"],
    ["no class", "class Other:\n    pass\n", "it has no class `Operator`"],
    ["no on_event", "class Operator:\n    pass\n", "its class `Operator` has no method `on_event`"],
    [
      "an error in __init__",
      "class Operator:\n    def __init__(self):\n        raise ValueError('too early')\n    def on_event(self, e, s):\n        pass\n",
      "ValueError: too early",
    ],
    [
      "a package that is missing",
      "import no_such_thing",
      /why: ModuleNotFoundError: No module named 'no_such_thing'; its interpreter \S+ is Python 3\S+ and has dora-rs 1\.1\.0[\s\S]*-m pip install no_such_thing/,
    ],
  ] as const) {
    withWheel(
      what,
      async () => {
        const operators = [
          { id: "good", python: "echo.py" },
          { id: "op", python: "sub/op.py" },
        ]
        const found = { "echo.py": ECHO, ...(text === null ? {} : { "sub/op.py": text }) }
        await using flow = new MixedFlow([{ id: "rt", operators }], found)
        const error = (await flow.running.catch((reason: Error) => reason)) as Error
        expect(error).toMatchObject({ code: "NODE_EXITED_EARLY" })
        expect(error.message).toMatch(/flow\.yml:1:\d+: operator `rt\/op`/)
        expect(error.message).toContain(join(flow.folder.path, "sub/op.py"))
        expect(error.message).toMatch(why)
      },
      LIMIT_MS,
    )
  }

  withWheel(
    "a wheel that is missing",
    async () => {
      const bare = { PATH: "/usr/bin:/bin", VIRTUAL_ENV: "" }
      const nodes = [{ id: "rt", operator: { python: "echo.py" } }]
      await using flow = new MixedFlow(nodes, files(0), { env: bare })
      const error = (await flow.running.catch((reason: Error) => reason)) as Error
      expect(error.message).toContain("No module named 'dora'")
      expect(error.message).toContain("has no package `dora-rs`")
      expect(error.message).toMatch(/-m pip install dora-rs==1\.1\.0`/)
      expect(error.message).not.toContain("Traceback")
    },
    LIMIT_MS,
  )
})

withWheel(
  "a damaged message is told to a Python operator as an error, and the next one arrives",
  async () => {
    const encoder = join(import.meta.dir, "../../src/arrow/encoder.ts")
    const damaging = `${NODE}
      import { Encoder } from ${JSON.stringify(encoder)}
      using node = await Node.init()
      const { prepare } = Encoder.prototype
      const damaged = { byteLength: 64, headerLength: 0, template: 0, flat: null, write: (to, at) => to.fill(7, at, at + 64) }
      for (let i = 1; i <= 3; i++) {
        Encoder.prototype.prepare = i === 2 ? () => damaged : prepare
        await node.sendOutput("out", Int32Array.of(i))
      }`
    const nodes = [
      SOURCE,
      { id: "rt", operator: { python: "echo.py", inputs: { in: "source/out" } } },
    ]
    await using flow = new MixedFlow(nodes, { "source.ts": damaging, "echo.py": ECHO })
    await flow.end()
    const told = flow.said("rt").filter((line) => /^(in|ERROR) /.test(line))
    expect(told.toSorted()).toEqual(["ERROR None", "in [1]", "in [3]"])
  },
  LIMIT_MS,
)

describe("files of Python operators", () => {
  withWheel(
    "may have the same name, and the name of a module of Python's; what stands beside them can be imported",
    async () => {
      const saying = (what: string) => `
import words_of_${what}

class Operator:
    def on_event(self, event, send_output):
        if event["type"] == "INPUT":
            print(words_of_${what}.WORDS, flush=True)
`
      const operators = ["one", "two"].map((id) => ({
        ...{ id, python: `${id}/queue.py`, inputs: { in: "source/out" } },
      }))
      await using flow = new MixedFlow([SOURCE, { id: "rt", operators }], {
        "source.ts": source(1),
        "one/queue.py": saying("one"),
        "one/words_of_one.py": "WORDS = 'first'",
        "two/queue.py": saying("two"),
        "two/words_of_two.py": "WORDS = 'second'",
      })
      await flow.end()
      expect([linesOf(flow, "rt/one"), linesOf(flow, "rt/two")]).toEqual([["first"], ["second"]])
    },
    LIMIT_MS,
  )

  const version = (text: string, more = "") => `
import os
class Operator:
    def __init__(self):
        self.ticks = 0
        self.made = ${text}
        ${more}
    def on_event(self, event, send_output):
        if event["type"] == "INPUT":
            self.ticks += 1
            print(${text}, self.ticks, self.made, flush=True)
        else:
            print(event["type"], event["id"], flush=True)
`
  withWheel(
    "whose class has slots are loaded anew too",
    async () => {
      const slots = (text: string) => `
class Operator:
    __slots__ = ("ticks",)
    def __init__(self):
        self.ticks = 0
    def on_event(self, event, send_output):
        self.ticks += 1
        print("${text}", self.ticks, flush=True)
`
      const operator = { python: "op.py", inputs: { tick: "dora/timer/millis/10" } }
      const files = { "op.py": slots("one") }
      await using flow = new MixedFlow([{ id: "rt", operator }], files, { hotReload: true })
      await flow.untilLine("rt", "one 3")
      writeFileSync(join(flow.folder.path, "op.py"), slots("two"))
      await flow.untilLine("rt", "two 3")
      await flow.stop()
    },
    LIMIT_MS,
  )

  for (const threads of [false, true]) {
    withWheel(
      `are loaded anew when they are saved: state stays, no message is lost, a broken version changes nothing${threads ? "; on threads too" : ""}`,
      async () => {
        const rt = {
          id: "rt",
          operators: [
            { id: "op", python: "op.py", threads, inputs: { tick: "dora/timer/millis/10" } },
          ],
        }
        await using flow = new MixedFlow([rt], { "op.py": version("'one'") }, { hotReload: true })
        const file = join(flow.folder.path, "op.py")
        const line = (text: string) => flow.untilLine("rt", text)
        await line("one 2 one")
        writeFileSync(file, version("'two'"))
        await line("op: loaded anew")
        await line("RELOAD op")
        await line("two ")

        writeFileSync(file, "class Operator:\n    def on_event(self, event")
        const why = await line("not loaded anew")
        expect(why).toStartWith("op: not loaded anew, the version before goes on\n")
        expect(why).toContain(`can't load ${file}`)
        expect(why).toContain("SyntaxError")
        await flow.until("rt", flow.said("rt").length + 5)
        expect(flow.said("rt").findLast((said) => / \d+ /.test(said))).toStartWith("two ")

        // As editors do it: another file takes the place of the old one.
        writeFileSync(join(flow.folder.path, "new.py"), version("'three'"))
        renameSync(join(flow.folder.path, "new.py"), file)
        await line("three ")
        writeFileSync(file, version("'four'", "raise ValueError('not like this')"))
        await line("ValueError: not like this")
        await flow.stop()
        const counts = flow.said("rt").flatMap((said) => /^\w+ (\d+) one$/.exec(said)?.[1] ?? [])
        expect(counts).toEqual(counts.map((_, i) => String(i + 1)))
        expect(flow.said("rt").filter((said) => /^four/.test(said))).toEqual([])
      },
      LIMIT_MS,
    )
  }

  for (const release of OLD_RELEASES) {
    withWheel(
      `are loaded anew with the wheel of ${release} too`,
      async () => {
        const operators = ["a", "b"].map((id) => ({
          ...{ id, python: `${id}.py`, inputs: { tick: "dora/timer/millis/10" } },
        }))
        const bin = dirname(await oldPython(release))
        const env = { PATH: `${bin}:${process.env.PATH}`, VIRTUAL_ENV: dirname(bin) }
        const files = { "a.py": version("'one'"), "b.py": version("'other'") }
        const options = { hotReload: true, env }
        await using flow = new MixedFlow([{ id: "rt", operators }], files, options)
        await flow.untilLine("rt", "one 2 one")
        writeFileSync(join(flow.folder.path, "a.py"), version("'two'"))
        await flow.untilLine("rt", "two ")
        await flow.stop()
        expect(flow.said("rt").filter((said) => /loaded anew/.test(said))).toEqual([
          "a: loaded anew",
        ])
      },
      INSTALL_LIMIT_MS,
    )
  }

  withWheel(
    "are not looked at without --hot-reload",
    async () => {
      const operator = { python: "op.py", inputs: { tick: "dora/timer/millis/10" } }
      await using flow = new MixedFlow([{ id: "rt", operator }], { "op.py": version("'one'") })
      await flow.untilLine("rt", "one 2 ")
      writeFileSync(join(flow.folder.path, "op.py"), version("'two'"))
      await flow.untilLine("rt", "one 30 ")
      await flow.stop()
    },
    LIMIT_MS,
  )
})

describe("a node of Python operators", () => {
  withWheel(
    "is started again by its restart policy, with all of them, and goes on with what waits for it",
    async () => {
      const crasher = `
import os
import pyarrow as pa

class Operator:
    def __init__(self):
        self.count = 0

    def on_event(self, event, send_output):
        if event["type"] != "INPUT":
            return
        self.count += 1
        send_output("out", event["value"], event["metadata"])
        if self.count == 3:
            raise ValueError("three is enough")
`
      const rt = {
        id: "rt",
        restart_policy: "on-failure",
        operators: [
          {
            id: "a",
            python: "crasher.py",
            inputs: { in: holding("source/out") },
            outputs: ["out"],
          },
          { id: "b", python: "echo.py", inputs: { in: holding("rt/a/out") }, outputs: ["out"] },
        ],
      }
      const nodes = [SOURCE, rt, sink({ a: holding("rt/a/out"), b: holding("rt/b/out") })]
      const slowly = { ...files(12, 400), "crasher.py": crasher }
      await using flow = new MixedFlow(nodes, slowly)
      const { edges } = await flow.finished
      for (const { sent, taken, dropped, queued } of edges) {
        expect(sent).toBe(taken + dropped + queued)
      }
      const heard = flow.said("sink").filter((line) => line.startsWith("a "))
      expect(heard.length).toBeGreaterThanOrEqual(6)
      expect(flow.said("sink")).toContain("NODE_RESTARTED rt")
      expect(flow.said(null)).toContain("node rt exited with code 1; it is started again")
      expect(flow.said("sink").filter((line) => line === "INPUT_CLOSED a")).toHaveLength(1)
    },
    LIMIT_MS,
  )

  withWheel(
    "is not started again when only its own operators could tell it something",
    async () => {
      const last = `
class Operator:
    def on_event(self, event, send_output):
        if event["type"] == "INPUT_CLOSED":
            raise ValueError("what now")
`
      const rt = {
        id: "rt",
        restart_policy: "on-failure",
        operators: [
          { id: "a", python: "last.py", inputs: { in: "source/out" }, outputs: ["out"] },
          { id: "b", python: "echo.py", inputs: { in: "rt/a/out" } },
        ],
      }
      await using flow = new MixedFlow([SOURCE, rt], { ...files(1), "last.py": last })
      await flow.end(["rt"])
      expect(flow.said(null)).toContain(
        "node rt: not restarting node because all inputs are already closed",
      )
    },
    LIMIT_MS,
  )

  withWheel(
    "may take longer to make its operators than other nodes may take to start",
    async () => {
      const slow = ECHO.replace("self.slow = 0", "self.slow = time.sleep(2) or 0")
      const nodes = [
        SOURCE,
        { id: "rt", operator: { python: "slow.py", inputs: { in: "source/out" } } },
      ]
      const options = { startupTimeoutMs: 1500 }
      await using flow = new MixedFlow(nodes, { ...files(1), "slow.py": slow }, options)
      await flow.end()
      expect(flow.said("rt")).toContain("in [1]")
    },
    LIMIT_MS,
  )

  withWheel(
    "delivers what its operators send right before they end",
    async () => {
      const last = `
import pyarrow as pa
from dora import DoraStatus

class Operator:
    def on_event(self, event, send_output):
        for i in range(200):
            send_output("out", pa.array([i], type=pa.int32()), {"number": i})
        return DoraStatus.STOP
`
      for (const single of [true, false]) {
        const operator = { python: "last.py", inputs: { in: "source/out" }, outputs: ["out"] }
        const operators = [
          { id: "op", ...operator },
          { id: "other", python: "echo.py", inputs: { in: "source/out" } },
        ]
        const nodes = [
          SOURCE,
          { id: "rt", ...(single ? { operator } : { operators }) },
          sink({ x: holding("rt/op/out") }),
        ]
        await using flow = new MixedFlow(nodes, { ...files(2, 100), "last.py": last })
        await flow.end()
        expect(flow.said("sink").slice(0, 201)).toEqual([
          ...upTo(200).map((i) => `x ${i - 1} ${i - 1}`),
          "INPUT_CLOSED x",
        ])
      }
    },
    LIMIT_MS,
  )
})
