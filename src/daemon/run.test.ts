import { afterEach, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { DoraError } from "../core/errors.ts"
import { FlowFolder } from "../testing/folder.ts"
import { marked } from "./guard.ts"
import { startDataflow } from "./run.ts"
import type { DaemonEvent, DataflowResult, RunOptions } from "./types.ts"

const CLIENT = join(import.meta.dir, "../testing/client.ts")
const IMPORT = `import { WireNode } from ${JSON.stringify(CLIENT)}\n`
/** Stays until it is told to stop. */
const PATIENT = `${IMPORT}
const node = await WireNode.start()
console.log("started")
while ((await node.next()).length > 0) {}
await node.finish()
`
/** Takes part, and ends at once. */
const BRIEF = `${IMPORT}
const node = await WireNode.start()
await node.finish()
process.exit()
`
/** Takes part, and then heeds nothing. */
const STUBBORN = `${IMPORT}
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => console.log("ignored", signal))
await WireNode.start()
console.log("started")
setInterval(() => {}, 1000)
`
const one = (path: string) => `nodes: [{ id: a, path: ${path} }]`

/** Everything that the dataflows of a test said. */
class Listener {
  readonly events: DaemonEvent[] = []
  readonly listen = (event: DaemonEvent) => void this.events.push(event)

  lines(node: string | null = null): string[] {
    return this.events.flatMap((event) =>
      event.type === "log" && event.record.node === node ? event.record.msg : [],
    )
  }

  async until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    const end = performance.now() + limitMs
    while (!condition()) {
      if (performance.now() > end) throw new Error(`in vain: ${JSON.stringify(this.events)}`)
      await Bun.sleep(2)
    }
  }
}

let listener = new Listener()
const ids = new Set<string>()

afterEach(() => {
  listener = new Listener()
  // Whatever a test did, no process of any dataflow may be left.
  const left = [...ids].flatMap((id) => marked(id))
  ids.clear()
  expect(left).toEqual([])
})

/** The dataflow's id is the name of its log directory, also when its start fails. */
function remember(folder: FlowFolder): void {
  const out = join(folder.path, "out")
  for (const id of existsSync(out) ? readdirSync(out) : []) ids.add(id)
}

async function start(folder: FlowFolder, options: RunOptions = {}) {
  try {
    return await startDataflow(folder.flow, { listener: listener.listen, ...options })
  } finally {
    remember(folder)
  }
}

async function run(folder: FlowFolder, options: RunOptions = {}): Promise<DataflowResult> {
  const running = await start(folder, options)
  return await running.finished
}

async function failedStart(folder: FlowFolder, options: RunOptions = {}): Promise<DoraError> {
  return await start(folder, options).then(
    () => {
      throw new Error("the start did not fail")
    },
    (error: DoraError) => error,
  )
}

describe("the start", () => {
  test("lets nobody go before all have subscribed", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: fast, path: fast.ts }, { id: slow, path: slow.ts }]",
      { "fast.ts": PATIENT, "slow.ts": `await Bun.sleep(300)\nconsole.log("awake")\n${PATIENT}` },
    )
    const running = await start(folder)
    await listener.until(() => listener.lines("fast").length > 0)
    const order = listener.events.flatMap((event) => (event.type === "log" ? event.record : []))
    expect(order[0]).toMatchObject({ node: "slow", msg: "awake" })
    running.stop()
    expect((await running.finished).ok).toBe(true)
  })

  test("fails when a node ends before it subscribes, with its command, its exit and its last words", async () => {
    using folder = new FlowFolder(
      "nodes:\n  - { id: good, path: good.ts }\n  - { id: bad, path: bad.sh, args: --now }",
      { "good.ts": PATIENT, "bad.sh": "#!/bin/sh\necho out\necho no camera >&2\nexit 3\n" },
    )
    const error = await failedStart(folder)
    expect(error.code).toBe("NODE_EXITED_EARLY")
    expect(error.message).toContain(`${folder.flow.path}:3:`)
    expect(error.message).toContain("node bad exited with code 3 before the dataflow had started")
    expect(error.message).toContain(`command: ${folder.path}/bad.sh --now`)
    expect(error.message).toContain("no camera")
    expect(error).toHaveProperty("result.cause", "startup")
    expect(listener.lines("good")).not.toContain("started")
  })

  test("fails also when that node ends well, or has subscribed already", async () => {
    using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }, { id: b, path: b.ts }]", {
      "a.ts": PATIENT.replace("const node", "setTimeout(() => process.exit(0), 100)\nconst node"),
      "b.ts": "await Bun.sleep(60_000)",
    })
    const error = await failedStart(folder)
    expect(error.message).toContain("node a exited with code 0 before the dataflow had started")
  })

  test("tells the others in the words of the official daemon", async () => {
    using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }, { id: b, path: b.sh }]", {
      "a.ts": PATIENT,
      "b.sh": "#!/bin/sh\nsleep 0.5\nexit 1\n",
    })
    await failedStart(folder)
    expect(listener.lines("a").join("\n")).toContain("Node b exited before initializing dora.")
  })

  test("fails when a node does not subscribe in time", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: a, path: a.ts }, { id: b, path: b.sh }, { id: c, path: b.sh }]",
      {
        "a.ts": PATIENT,
        "b.sh": "#!/bin/sh\ntrap '' TERM\necho thinking >&2\nwhile :; do sleep 1; done\n",
      },
    )
    const error = await failedStart(folder, { startupTimeoutMs: 700 })
    expect(error.code).toBe("STARTUP_TIMEOUT")
    expect(error.message).toContain("node b did not subscribe within 0.7 s, nor did c")
    expect(error.message).toContain("thinking")
  }, 15_000)

  test("fails by name when a script takes part as an official node", async () => {
    using folder = new FlowFolder(one("a.ts"), {
      "a.ts": PATIENT.replace("start()", "start(false)"),
    })
    const error = await failedStart(folder)
    expect(error.code).toBe("OFFICIAL_NODE_IN_SCRIPT")
    expect(error.message).toContain(
      "node a is a script for Bun, and takes part as an official node",
    )
  })

  test("fails before anything runs when a program is missing", async () => {
    using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }, { id: b, path: b.ts }]", {
      "a.ts": "console.log('ran')",
      "b.ts": "",
    })
    using gone = new FlowFolder(one("x.ts"), { "x.ts": "" })
    folder.flow.nodes[1]!.path = join(gone.path, "y.ts")
    const error = await failedStart(folder)
    expect(error.code).toBe("COMMAND_NOT_FOUND")
    expect(error.message).toContain(`there is no file ${gone.path}/y.ts`)
    expect(listener.events).toEqual([])
  })

  test("can be given up, at the barrier and before", async () => {
    using folder = new FlowFolder(one("a.ts"), { "a.ts": "await Bun.sleep(60_000)" })
    const giveUp = new AbortController()
    setTimeout(() => giveUp.abort("Ctrl-C"), 200)
    const error = await failedStart(folder, { signal: giveUp.signal })
    expect([error.code, error.parts.why]).toEqual(["START_ABORTED", "Ctrl-C"])
    expect((await failedStart(folder, { signal: giveUp.signal })).code).toBe("START_ABORTED")
  })
})

describe("builds", () => {
  const flow = (...commands: string[]) =>
    `nodes:\n  - id: a\n    path: made\n    build: |\n${commands.map((line) => `      ${line}\n`).join("")}`

  test("run first, in order, into the log of their node", async () => {
    using folder = new FlowFolder(
      flow("sh -c 'echo $WHO'", `cp a.ts made.ts`).replace(
        "path: made",
        "path: made.ts\n    env: { WHO: builder }",
      ),
      {
        "a.ts": BRIEF,
      },
    )
    expect((await run(folder)).ok).toBe(true)
    expect(listener.lines("a")).toEqual(["builder"])
    expect(listener.events[0]).toEqual({ type: "state", node: "a", state: "building" })
  })

  test("are not what a node says at its end", async () => {
    using folder = new FlowFolder(flow("sh -c 'echo compiling >&2'", "sh -c 'echo linking >&2'"), {
      made: "#!/bin/sh\necho lens cap on >&2\nexit 3\n",
    })
    chmodSync(join(folder.path, "made"), 0o755)
    const error = await failedStart(folder)
    expect(error.message).toContain("lens cap on")
    expect(error.message).not.toMatch(/compiling|linking/)
    expect(listener.lines("a")).toEqual(["compiling", "linking", "lens cap on"])
  })

  test("that fail fail the start", async () => {
    using folder = new FlowFolder(flow("sh -c 'echo no compiler >&2; exit 4'", "touch never"), {})
    const error = await failedStart(folder)
    expect(error.code).toBe("BUILD_FAILED")
    expect(error.message).toContain("of node a returned exit code 4")
    expect(error.message).toContain("no compiler")
    expect(existsSync(join(folder.path, "never"))).toBe(false)
  })

  test("can be given up", async () => {
    using folder = new FlowFolder(flow("sleep 60"), {})
    const giveUp = new AbortController()
    setTimeout(() => giveUp.abort(), 100)
    expect((await failedStart(folder, { signal: giveUp.signal })).code).toBe("START_ABORTED")
  })
})

describe("the end", () => {
  test("comes when all nodes have ended, and nothing is left open", async () => {
    using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }, { id: b, path: a.ts }]", {
      "a.ts": BRIEF,
    })
    await run(folder)
    const open = () => readdirSync("/proc/self/fd").length
    const before = open()
    const result = await run(folder)
    await listener.until(() => open() <= before)
    expect(result).toMatchObject({ ok: true, firstFailure: null, stopped: null })
    expect(result.nodes.map((node) => [node.node, node.ok, node.exitCode, node.cause])).toEqual([
      ["a", true, 0, "exit"],
      ["b", true, 0, "exit"],
    ])
  })

  test("names the first node that failed, with its exit and its last words", async () => {
    using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }, { id: b, path: b.ts }]", {
      "a.ts": BRIEF.replace(
        "process.exit()",
        "await Bun.sleep(300)\nprocess.kill(process.pid, 'SIGSEGV')",
      ),
      "b.ts": BRIEF.replace("process.exit()", "console.error('lens cap on')\nprocess.exit(7)"),
    })
    const result = await run(folder)
    expect(result.ok).toBe(false)
    expect(result.firstFailure).toMatchObject({
      node: "b",
      cause: "exit",
      exitCode: 7,
      command: [process.execPath, join(folder.path, "b.ts")],
      stderrTail: ["lens cap on"],
    })
    expect(listener.lines()).toEqual(["node b exited with code 7", "node a was killed by SIGSEGV"])
    expect(result.nodes[0]).toMatchObject({
      node: "a",
      ok: false,
      cause: "signal",
      signal: "SIGSEGV",
    })
  })

  test("a failure downstream of another one is a consequence", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: a, path: a.ts, outputs: [x] }, { id: b, path: b.ts, inputs: { x: a/x } }]",
      {
        "a.ts": BRIEF.replace("process.exit()", "process.exit(1)"),
        "b.ts": BRIEF.replace("process.exit()", "await Bun.sleep(500)\nprocess.exit(1)"),
      },
    )
    const { firstFailure, nodes } = await run(folder)
    expect(firstFailure?.node).toBe("a")
    expect(nodes[1]).toMatchObject({ node: "b", ok: false, cause: "cascade", causedBy: "a" })
  })

  test("does not wait for children of a node that hold its output, nor leaves them", async () => {
    using folder = new FlowFolder(one("a.ts"), {
      "a.ts": BRIEF.replace(
        "process.exit()",
        `Bun.spawn(["sh", "-c", "sleep 1000"], { stdout: "inherit", stderr: "inherit", stdin: "ignore" })
         Bun.spawn(["setsid", "sleep", "1001"], { stdout: "inherit", stderr: "inherit", stdin: "ignore" })
         console.log("last words")
         await Bun.sleep(100)
         process.exit()`,
      ),
    })
    const began = performance.now()
    const result = await run(folder)
    expect(result.ok).toBe(true)
    expect(performance.now() - began).toBeLessThan(3000)
    expect(listener.lines("a")).toEqual(["last words"])
  })
})

describe("a stop", () => {
  test("reaches the nodes as a Stop event and is no failure", async () => {
    using folder = new FlowFolder(one("a.ts"), {
      "a.ts": PATIENT.replace(
        "while ((await node.next()).length > 0) {}",
        "console.log(JSON.stringify([await node.next(), await node.next()]))",
      ),
    })
    const running = await start(folder)
    running.stop("test")
    running.stop("again")
    const result = await running.finished
    expect(listener.lines("a")).toEqual(["started", '[[{"type":"Stop"}],[]]'])
    expect(result).toMatchObject({ ok: true, stopped: { by: "test", term: [], kill: [] } })
  })

  test("comes by itself after the time that was asked for", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: a, path: a.ts, inputs: { tick: dora/timer/millis/100 } }]",
      { "a.ts": PATIENT },
    )
    const { ok, stopped, durationMs } = await run(folder, { stopAfterMs: 300 })
    expect(ok).toBe(true)
    expect(stopped).toEqual({
      by: "--stop-after",
      term: [],
      kill: [],
      waitingFor: ["node a (timer input tick)"],
    })
    expect(durationMs).toBeGreaterThan(290)
  })

  test("ends a node that ignores everything: grace, SIGTERM, half the grace, SIGKILL", async () => {
    using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }, { id: b, path: b.ts }]", {
      "a.ts": STUBBORN,
      "b.ts": PATIENT,
    })
    const running = await start(folder, { graceMs: 400 })
    await listener.until(() => listener.lines("a").includes("started"))
    const began = performance.now()
    running.stop()
    const { ok, stopped, nodes } = await running.finished
    const took = performance.now() - began
    expect(took).toBeGreaterThan(590)
    expect(took).toBeLessThan(2000)
    expect(listener.lines("a")).toContain("ignored SIGTERM")
    expect(stopped).toMatchObject({ term: ["a"], kill: ["a"] })
    expect(listener.lines()).toEqual([
      "node a did not heed the stop within 0.4 s: SIGTERM",
      "node a: SIGKILL",
    ])
    expect(nodes[0]).toMatchObject({ ok: true, cause: "grace", signal: "SIGKILL" })
    expect(ok).toBe(true)
  })

  test("kill does not wait", async () => {
    using folder = new FlowFolder(one("a.ts"), { "a.ts": STUBBORN })
    const running = await start(folder)
    running.stop()
    running.kill()
    const { stopped, durationMs } = await running.finished
    expect(stopped).toMatchObject({ term: [], kill: ["a"] })
    expect(durationMs).toBeLessThan(2000)
  })
})

describe("a running dataflow", () => {
  test("says what each node waits for", async () => {
    using folder = new FlowFolder(
      `nodes:
  - { id: source, path: patient.ts, outputs: [x, y] }
  - { id: sink, path: patient.ts, inputs: { in: source/x, tick: dora/timer/hz/1, logs: dora/logs } }
  - { id: late, path: patient.ts, inputs: { in: brief/z } }
  - { id: brief, path: brief.ts, outputs: [z] }`,
      { "patient.ts": PATIENT, "brief.ts": BRIEF },
    )
    const running = await start(folder)
    await listener.until(() => !running.waitingFor().some((text) => text.startsWith("node brief")))
    expect(running.waitingFor()).toEqual([
      "node source (still running, has no inputs)",
      "node sink (open input in from source/x, timer input tick, log input logs)",
      "node late (still running after all its inputs closed)",
    ])
    expect(running.edges().map((edge) => edge.to)).toContain("sink/in")
    running.stop()
    const { edges } = await running.finished
    expect(running.waitingFor()).toEqual([])
    expect(running.edges()).toEqual(edges)
  })

  test("closes outputs that a node closes over its session", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: a, path: a.ts, outputs: [x, y] }, { id: b, path: b.ts, inputs: { x: a/x, y: a/y } }]",
      {
        "a.ts": PATIENT.replace("while", "await node.closeOutputs(['x'])\nwhile"),
        "b.ts": PATIENT,
      },
    )
    const running = await start(folder)
    await listener.until(() => running.waitingFor().includes("node b (open input y from a/y)"))
    running.stop()
    await running.finished
  })

  test("runs beside another one in the same process", async () => {
    using folder = new FlowFolder(one("a.ts"), { "a.ts": PATIENT })
    const [first, second] = await Promise.all([start(folder), start(folder)])
    expect(first!.id).not.toBe(second!.id)
    first!.stop()
    expect((await first!.finished).ok).toBe(true)
    expect(second!.waitingFor()).toHaveLength(1)
    second!.stop()
    expect((await second!.finished).ok).toBe(true)
  })

  test("stays in control of a node that floods it with output", async () => {
    using folder = new FlowFolder(one("a.ts"), {
      "a.ts": `${PATIENT.replace("while", "Bun.spawn(['yes', 'flood'], { stdout: 'inherit' })\nwhile")}process.exit()`,
    })
    let lines = 0
    const running = await start(folder, { listener: () => void lines++ })
    while (lines < 1000) await Bun.sleep(2)
    const began = performance.now()
    running.stop()
    expect((await running.finished).ok).toBe(true)
    expect(performance.now() - began).toBeLessThan(3000)
  })

  test("hands no descriptor of its own to a node", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: a, path: a.sh, outputs: [o] }, { id: b, path: b.ts, inputs: { i: a/o } }]",
      { "a.sh": "#!/bin/sh\nls /proc/$$/fd\n", "b.ts": PATIENT },
    )
    await failedStart(folder)
    // 10 is the shell's own, its script.
    expect(listener.lines("a")).toEqual(["0", "1", "10", "2"])
  })

  test("writes each node's lines to its file", async () => {
    using folder = new FlowFolder(
      "nodes: [{ id: a, path: a.ts, min_log_level: info }, { id: b, path: b.ts }]",
      {
        "a.ts": BRIEF.replace(
          "process.exit()",
          `
          for (const level of ["debug", "info"])
            console.log(JSON.stringify({ level, timestamp: "2026-01-02T03:04:05Z", message: level, fields: { n: "1" } }))
          process.exit()`,
        ),
        "b.ts": BRIEF.replace(
          "process.exit()",
          "process.stderr.write('half a li')\nprocess.stderr.write('ne')\nprocess.exit()",
        ),
      },
    )
    const { id } = await run(folder, { outDir: join(folder.path, "logs") })
    const lines = (node: string) =>
      readFileSync(join(folder.path, "logs", id, `log_${node}.jsonl`), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    expect(lines("a")).toEqual([
      {
        ts: "2026-01-02T03:04:05Z",
        level: "info",
        node: "a",
        stream: "stdout",
        msg: "info",
        target: null,
        fields: { n: "1" },
      },
    ])
    expect(lines("b")).toMatchObject([
      { level: "stdout", node: "b", stream: "stderr", msg: "half a line" },
    ])
  })

  test("gives its nodes the environment that the file asks for, and says what it refuses", async () => {
    using folder = new FlowFolder(
      "env: { A: root, B: root, C: root }\nnodes: [{ id: a, path: a.ts, env: { C: node } }]",
      {
        "a.ts": BRIEF.replace(
          "process.exit()",
          "console.log(process.env.A, process.env.B, process.env.C, process.env.LD_PRELOAD, process.env.PYTHONUNBUFFERED)\nprocess.exit()",
        ),
      },
    )
    await run(folder, { env: { B: "flag", C: "flag", LD_PRELOAD: "x" } })
    expect(listener.lines("a")).toEqual(["root flag node undefined 1"])
    expect(listener.lines()).toEqual([
      "node a: a dataflow may not set the variable `LD_PRELOAD`; it is left out",
    ])
  })
})
