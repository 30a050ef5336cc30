// How nodes end, what their timers and logs do, and what they cost while nothing happens.
import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { TestFlow } from "../support/flow.ts"
import { ROOT } from "../support/install.ts"

const LIMIT_MS = 30_000
const ALL = ["in:1", "in:2", "in:3", "in:4", "in:5", "INPUT_CLOSED in", "STOP ALL_INPUTS_CLOSED"]
const TICKS_PER_SECOND = 100

describe("what a node has sent arrives, and then the end, when it", () => {
  const ends: [string, string, boolean][] = [
    ["closes itself", "close", true],
    ["leaves a using block", "using", true],
    ["ends naturally", "naturally", true],
    ["ends naturally after waiting", "after-waiting", true],
    ["exits", "exit", true],
    ["throws", "throw", false],
    ["leaves a rejection unhandled", "reject", false],
    ["crashes", "abort", false],
  ]
  test(
    "ends, in whatever way",
    async () => {
      const nodes = ends.flatMap(([, way]) => [
        [way, { run: `end ${way}`, outputs: ["out"] }] as const,
        [`of-${way}`, { run: "receive for-await", inputs: { in: `${way}/out` } }] as const,
      ])
      await using flow = new TestFlow(Object.fromEntries(nodes))
      const failing = ends.filter(([, , ok]) => !ok).map(([, way]) => way)
      const result = await flow.end({ failing })
      for (const [name, way, ok] of ends) {
        const [seen] = flow.said(`of-${way}`) as string[][]
        const failures = seen!.filter((one) => one.startsWith("NODE_FAILED"))
        // It comes from the daemon, once that has seen the exit, if the node is still there; the others keep their order.
        expect([[], ok ? [] : [`NODE_FAILED ${way}`]]).toContainEqual(failures)
        expect([name, seen!.filter((one) => !failures.includes(one))]).toEqual([name, ALL])
      }
      const tail = (way: string) =>
        result.nodes.find(({ node }) => node === way)!.stderrTail.join("\n")
      expect(tail("throw")).toContain("thrown on purpose")
      expect(tail("reject")).toContain("rejected on purpose")
      const { sent, taken, dropped } = result.edges[0]!
      expect({ sent, taken, dropped }).toEqual({ sent: 5, taken: 5, dropped: 0 })
    },
    LIMIT_MS,
  )

  test(
    "closes its outputs and goes on",
    async () => {
      await using flow = new TestFlow({
        node: { run: "end outputs", outputs: ["out"] },
        sink: { run: "receive for-await", inputs: { in: "node/out" } },
      })
      expect(await flow.until("sink", 1)).toEqual([ALL])
      const run = await flow.running
      while (run.waitingFor().length > 1) await Bun.sleep(5)
      expect(run.waitingFor()[0]).toContain("node node")
      await flow.stop()
    },
    LIMIT_MS,
  )
})

test(
  "a node that is stopped gets STOP as its last event, and inputs of its own end by themselves",
  async () => {
    await using flow = new TestFlow({
      source: { run: "idle", outputs: ["out"] },
      blocked: { run: "receive recv", inputs: { in: "dora/timer/secs/100" } },
      waiting: { run: "receive next", inputs: { in: "dora/timer/secs/100" } },
      ticking: { run: "receive for-await", inputs: { in: "dora/timer/secs/100" } },
    })
    await flow.until("source", 1)
    await flow.stop()
    expect(flow.said("source").at(-1)).toBe("MANUAL")
    for (const node of ["blocked", "waiting", "ticking"]) {
      const words = flow.said(node)[0] as string[]
      expect([node, words.at(-1)]).toEqual([node, "STOP MANUAL"])
      expect(words.filter((word) => word.startsWith("STOP")).length).toBe(1)
    }
  },
  LIMIT_MS,
)

test(
  "the end of an input comes after its last message, however slow the consumer is",
  async () => {
    await using flow = new TestFlow({
      source: { run: "count 5", outputs: ["out"] },
      slow: { run: "receive slow", inputs: { in: "source/out" } },
    })
    await flow.end()
    expect(flow.said("slow")).toEqual([ALL])
  },
  LIMIT_MS,
)

describe("exit_when_nodes_finish", () => {
  test.each([true, false])(
    "%p decides whether a timer keeps a node",
    async (exitWhenNodesFinish) => {
      const inputs = { in: "source/out", tick: "dora/timer/secs/100" }
      await using flow = new TestFlow(
        {
          source: { run: "count 2", outputs: ["out"] },
          sink: { run: "receive for-await", inputs, env: { EACH: 1 } },
        },
        { exitWhenNodesFinish },
      )
      await flow.until("sink", 4)
      await (exitWhenNodesFinish ? flow.end() : flow.stop())
      const words = flow.said("sink").at(-1) as string[]
      const cause = exitWhenNodesFinish ? "ALL_INPUTS_CLOSED" : "MANUAL"
      expect(words.toSorted()).toEqual(
        ["in:1", "in:2", "tick:", "INPUT_CLOSED in", `STOP ${cause}`].toSorted(),
      )
    },
    LIMIT_MS,
  )
})

describe("a timer", () => {
  test(
    "ticks at once, without data, and does not drift",
    async () => {
      const count = 1.2 * TICKS_PER_SECOND
      await using flow = new TestFlow({
        node: { run: `ticks ${count}`, inputs: { tick: `dora/timer/hz/${TICKS_PER_SECOND}` } },
        slow: { run: "ticks 1", inputs: { tick: "dora/timer/secs/100" } },
      })
      const result = await flow.end()
      expect((flow.said("slow")[0] as { times: number[] }).times[0]).toBeLessThan(5000)
      const { times, data } = flow.said("node")[0] as { times: number[]; data: number }
      expect(data).toBe(0)
      // Being late is the machine's; ticks that were on time show the timer's own pace.
      const period = 1000 / TICKS_PER_SECOND
      const phase = (time: number) =>
        time - times[0]! - period * Math.round((time - times[0]!) / period)
      const best = (part: number[]) => Math.min(...part.map(phase))
      expect(Math.abs(best(times.slice(-40)) - best(times.slice(1, 41)))).toBeLessThan(period / 4)
      const { sent, taken, dropped } = result.edges[0]!
      expect([taken, sent]).toEqual([count, count + dropped])
      expect(times.at(-1)! - times[0]!).toBeGreaterThan((sent - 2) * period)
    },
    LIMIT_MS,
  )

  test(
    "skips what a busy node has missed, and counts it",
    async () => {
      await using flow = new TestFlow({
        node: { run: "ticks 4 205", inputs: { tick: "dora/timer/millis/20" } },
      })
      const { edges } = await flow.end()
      const { times } = flow.said("node")[0] as { times: number[] }
      const { sent, taken, dropped } = edges[0]!
      expect([taken, sent - dropped]).toEqual([4, 4])
      expect(dropped).toBeGreaterThanOrEqual(9)
      // Not in a burst: one tick for all that was missed, and then the next one in its time.
      expect(times[1]! - times[0]!).toBeGreaterThan(200)
      expect(times[3]! - times[1]!).toBeGreaterThan(20)
    },
    LIMIT_MS,
  )
})

test(
  "logs have levels and fields, and reach those who listen for them",
  async () => {
    await using flow = new TestFlow({
      talker: { run: "logs talk" },
      all: { run: "logs listen", inputs: { log: { source: "dora/logs", queue_size: 100 } } },
      warnings: {
        run: "logs listen",
        inputs: { log: { source: "dora/logs/warn/talker", queue_size: 100 } },
      },
    })
    await flow.until("all", 8)
    await flow.until("warnings", 2)
    await flow.stop()
    const heard = flow.said("all") as Heard[]
    const fromTalker = heard.filter(({ from }) => from === "talker")
    const levels = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE", "stdout", "stdout", "INFO"]
    expect(fromTalker.map(({ level }) => level).toSorted()).toEqual(levels.toSorted())
    const info = fromTalker.find(({ msg }) => msg === "at info")!
    expect(info.fields).toEqual({ count: "3", name: "lens", list: '[ 1, "a" ]', none: "undefined" })
    expect(fromTalker.find(({ msg }) => msg === "complained")!.stream).toBe("stderr")
    expect(Math.max(...fromTalker.map(({ length }) => length))).toBe(15_000)
    const texts = (flow.said("warnings") as Heard[]).map(({ msg }) => msg)
    expect(texts.toSorted()).toEqual(["at error", "at warn"])
    const record = flow.records.find(({ msg }) => msg === "at info")!
    expect(record).toMatchObject({ level: "info", node: "talker", target: "dora-bun" })
  },
  LIMIT_MS,
)

type Heard = {
  level: string
  from: string
  msg: string
  length: number
  fields: Record<string, string> | null
  stream: string
}

test(
  "a flow of three nodes that wait costs less than 1 % of a core",
  async () => {
    await using flow = new TestFlow({
      a: { run: "idle", outputs: ["out"] },
      b: { run: "idle", inputs: { in: "a/out" }, outputs: ["out"] },
      c: { run: "idle recv", inputs: { in: "b/out" } },
    })
    const pids: number[] = []
    for (const node of ["a", "b", "c"]) {
      pids.push(((await flow.until(node, 1))[0] as { pid: number }).pid)
    }
    // What their start has left to do is no part of it: measure again when they were not quiet yet.
    let spent: Record<string, number> = {}
    for (let tries = 0; tries < 3; tries++) {
      const before = threadTimes(pids)
      await Bun.sleep(3000)
      spent = Object.fromEntries(
        Object.entries(threadTimes(pids)).map(([name, ms]) => [name, ms - (before[name] ?? 0)]),
      )
      if (sum(spent) < 30) break
    }
    // All threads of all three, in 3 s.
    expect([sum(spent) < 30, spent]).toEqual([true, spent])
    await flow.stop()
  },
  LIMIT_MS,
)

const sum = (times: Record<string, number>) => Object.values(times).reduce((a, b) => a + b, 0)

/** Milliseconds that each thread of some processes has spent on a processor. */
function threadTimes(pids: number[]): Record<string, number> {
  const times: Record<string, number> = {}
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`
      const name = `${pid}/${readFileSync(`${folder}/comm`, "utf8").trim()}/${thread}`
      times[name] = Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e6
    }
  }
  return times
}

test("a program outside of a dataflow is told how to get into one", async () => {
  const index = JSON.stringify(join(ROOT, "src/index.ts"))
  const program = `import { Node } from ${index}
    for (let i = 0; i < 2; i++) await Node.init().catch((e) => console.log(e.name, e.code, e.message))`
  const { DORA_NODE_CONFIG: _, DORA_BUN_PLAN: __, ...env } = process.env
  const child = Bun.spawn([process.execPath, "-e", program], { env, stderr: "inherit" })
  const text = await child.stdout.text()
  expect(text.match(/NotInDataflowError NOT_IN_DATAFLOW/g)).toHaveLength(2)
  expect(text).toContain("run it with `dora run flow.yml`")
  expect(await child.exited).toBe(0)
})
