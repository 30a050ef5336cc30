// The other way round: TypeScript nodes in a dataflow that official dora 1.1.0 runs.
import { expect } from "bun:test"
import { join } from "node:path"
import { eventually, folder, isAlive, start } from "../support/dora.ts"
import { ROOT } from "../support/install.ts"
import {
  INSTALL_LIMIT_MS,
  officialDora,
  pythonNode,
  runOfficially,
  rustNode,
  typescriptNode,
  withBoth,
  withPython,
} from "../support/official.ts"

/** What apache-arrow has no builder for. */
const NOT_SENT = [
  "large_list_view",
  "list_view",
  "map",
  "month_day_nano",
  "run_end_encoded",
  "sparse_union",
]
const queue = (source: string) => ({ source, queue_size: 1000 })

withBoth(
  "TypeScript nodes, Python nodes and Rust nodes send each other every Arrow type under the official daemon",
  async () => {
    const [python, rust] = [await pythonNode("sink"), await rustNode("sink")]
    const typescript = typescriptNode("sink")
    await using run = await runOfficially([
      { id: "ts", ...typescriptNode("source"), outputs: ["types"] },
      { id: "py", ...(await pythonNode("source")), outputs: ["types"] },
      { id: "rs", ...(await rustNode("source")), outputs: ["types"] },
      { id: "ts-ts", ...typescript, inputs: { types: queue("ts/types") } },
      { id: "ts-py", ...python, inputs: { types: queue("ts/types") } },
      { id: "ts-rs", ...rust, inputs: { types: queue("ts/types") } },
      { id: "py-ts", ...typescript, inputs: { types: queue("py/types") } },
      { id: "rs-ts", ...typescript, inputs: { types: queue("rs/types") } },
    ])
    expect(await run.command.finished).toMatchObject({ code: 0 })
    for (const id of ["ts-ts", "ts-py", "ts-rs"]) {
      const { wrong, missing } = run.said(id).at(-1) as { wrong: string[]; missing: string[] }
      expect({ id, wrong, missing: missing.sort() }).toEqual({ id, wrong: [], missing: NOT_SENT })
    }
    for (const id of ["py-ts", "rs-ts"]) {
      expect({ id, ...run.said(id).at(-1) }).toMatchObject({ id, wrong: [], missing: [] })
    }
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "messages of 4 MB go from TypeScript through Python to TypeScript, all of them and in order",
  async () => {
    const env = { SIZE: 4_000_000, COUNT: 30 }
    await using run = await runOfficially([
      { id: "source", ...typescriptNode("burst"), env, outputs: ["numbers"] },
      {
        id: "echo",
        ...(await pythonNode("echo")),
        inputs: { numbers: { ...queue("source/numbers"), queue_policy: "backpressure" } },
        outputs: ["numbers"],
      },
      {
        id: "sink",
        ...typescriptNode("count"),
        // As slow as it is, its queue never holds more than two of them.
        env: { DELAY_MS: 20 },
        inputs: {
          numbers: { source: "echo/numbers", queue_size: 2, queue_policy: "backpressure" },
        },
      },
      {
        id: "blocking",
        ...typescriptNode("count"),
        env: { RECV: 1 },
        inputs: { numbers: queue("source/numbers") },
      },
    ])
    const finished = await run.command.finished
    expect(finished).toMatchObject({ code: 0 })
    const all = { received: 30, disordered: 0, bytes: 120_000_000, first: 0, last: 29 }
    expect(run.said("sink").at(-1)).toMatchObject(all)
    expect(run.said("blocking").at(-1)).toMatchObject(all)
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "timers of the official daemon tick in a TypeScript node, and a stop ends it",
  async () => {
    await using run = await runOfficially([
      {
        id: "clock",
        ...typescriptNode("timer"),
        inputs: { tick: "dora/timer/millis/20" },
        outputs: ["ticks"],
      },
      {
        id: "blocking",
        ...typescriptNode("count"),
        env: { RECV: 1 },
        inputs: { n: "clock/ticks" },
      },
    ])
    // The official daemon may lose a node's first messages, and its stop overtakes the last ones.
    await eventually("twenty ticks", () => run.said("clock").length >= 20)
    expect(run.said("clock")[0]).toEqual({ event: "INPUT", id: "tick", length: 0 })
    run.command.signal("SIGINT")
    expect(await run.command.finished).toMatchObject({ code: 0 })
    expect(run.said("clock").at(-1)).toEqual({ event: "STOP", id: "MANUAL" })
    const [stop, counted] = run.said("blocking").slice(-2)
    expect(stop).toMatchObject({ event: "STOP" })
    expect(Number(counted!.received)).toBeGreaterThanOrEqual(10)
    expect(counted).toMatchObject({ disordered: 0 })
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "the error of a TypeScript node is that of the dataflow, and what it had sent arrives",
  async () => {
    await using run = await runOfficially([
      { id: "failing", ...typescriptNode("burst"), env: { EXIT: 3 }, outputs: ["numbers"] },
      { id: "sink", ...typescriptNode("count"), inputs: { numbers: queue("failing/numbers") } },
    ])
    const { code, stdout, stderr } = await run.command.finished
    expect(code).toBe(1)
    expect(stdout + stderr).toContain("told to fail with 3")
    expect(run.said("sink").at(-1)).toMatchObject({ received: 100, disordered: 0 })
    expect(run.said("sink")).toContainEqual({ event: "STOP", id: "ALL_INPUTS_CLOSED" })
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "what was sent right before process.exit() arrives, and a message beyond a frame is told as an error",
  async () => {
    const quick = [
      'import { Node } from "dora-bun"',
      "const node = await Node.init()",
      'for (let i = 0n; i < 50n; i++) node.sendOutputSync("numbers", BigInt64Array.of(i))',
      "process.exit(0)",
    ]
    const large = [
      'import { Node } from "dora-bun"',
      "using node = await Node.init()",
      'await node.sendOutput("bytes", new Uint8Array(80_000_000))',
      "const { type, error } = await node.next()",
      "console.log(JSON.stringify({ type, message: error.message }))",
    ]
    using place = folder({ "quick.ts": quick.join("\n"), "large.ts": large.join("\n") })
    const at = (name: string) => ({ path: process.execPath, args: join(place.path, name) })
    await using run = await runOfficially([
      { id: "quick", ...at("quick.ts"), outputs: ["numbers"] },
      { id: "sink", ...typescriptNode("count"), inputs: { numbers: queue("quick/numbers") } },
      { id: "large", ...at("large.ts"), outputs: ["bytes"] },
    ])
    expect(await run.command.finished).toMatchObject({ code: 0 })
    expect(run.said("sink").at(-1)).toMatchObject({ received: 50, disordered: 0, last: 49 })
    const [said] = run.said("large")
    expect(said).toMatchObject({ type: "ERROR", message: expect.stringContaining("`bytes`") })
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "a TypeScript node says whose start has failed, and ends",
  async () => {
    await using run = await runOfficially([
      { id: "early", path: process.execPath, args: "-e process.exit(4)" },
      { id: "clock", ...typescriptNode("timer"), inputs: { tick: "dora/timer/millis/20" } },
    ])
    const { code, stdout, stderr } = await run.command.finished
    expect(code).toBe(1)
    expect(stdout + stderr).toMatch(/clock: .*early.* exited before initializing/)
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "no TypeScript node outlives an official daemon that was killed",
  async () => {
    const env = { COUNT: 100_000, INTERVAL_MS: 5 }
    await using run = await runOfficially([
      { id: "source", ...typescriptNode("burst"), env, outputs: ["numbers"] },
    ])
    await run.command.until("all nodes are ready")
    const pid = Number(/source: .*spawned node with pid (\d+)/.exec(run.command.output())?.[1])
    expect(await isAlive(pid)).toBe(true)
    run.command.signal("SIGKILL")
    await eventually("the node's end", async () => !(await isAlive(pid)))
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "one dataflow file with the same programs runs under both daemons",
  async () => {
    const nodes = [
      { id: "source", ...typescriptNode("burst"), outputs: ["numbers"] },
      {
        id: "echo",
        ...typescriptNode("echo"),
        inputs: { numbers: queue("source/numbers") },
        outputs: ["numbers"],
      },
      { id: "sink", ...typescriptNode("count"), inputs: { numbers: queue("echo/numbers") } },
    ]
    const all = /"received":100,"disordered":0,"bytes":800,"first":0,"last":99/
    using place = folder({ "flow.yml": JSON.stringify({ nodes }) })
    const commands = [
      [await officialDora(), "run", "flow.yml"],
      [process.execPath, join(ROOT, "src/cli/main.ts"), "run", "flow.yml"],
    ]
    for (const command of commands) {
      await using run = start(command, { cwd: place.path })
      expect(await run.finished).toMatchObject({ code: 0, stdout: expect.stringMatching(all) })
    }
  },
  INSTALL_LIMIT_MS,
)
