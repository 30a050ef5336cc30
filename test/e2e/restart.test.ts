// TypeScript nodes and operators that are started again, while their neighbours stay.
import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TestFlow } from "../support/flow.ts"

const LIMIT_MS = 30_000
const COUNT = 60
const lossless = { queue_size: 8, queue_policy: "backpressure" }
const NUMBERS = Array.from({ length: COUNT }, (_, i) => `in:${i + 1}`)

/** Source, a node that dies, and who listens to it. */
function flow(how: string, words: number, more: object) {
  const env = { WORDS: words }
  return {
    source: { run: `relay source ${COUNT}`, env, outputs: ["out"] },
    crasher: {
      run: `relay crash ${how} 15`,
      env,
      inputs: { in: { source: "source/out", ...lossless } },
      outputs: ["out"],
      ...more,
    },
    sink: { run: "receive for-await", inputs: { in: { source: "crasher/out", ...lossless } } },
  }
}

describe("a node that dies and is started again goes on with the next message, and its neighbours miss nothing", () => {
  const SIZES = [
    ["small messages", 1],
    ["large messages", 50_000],
  ] as const
  for (const [what, words] of SIZES) {
    test.each(["exit", "throw", "kill"])(
      `${what}, by %s`,
      async (how) => {
        await using run = new TestFlow(flow(how, words, { restart_policy: "on-failure" }))
        await run.end()
        const [seen] = run.said("sink") as [string[]]
        const inputs = seen.filter((word) => word.startsWith("in:"))
        // What was taken and not yet passed on is lost with the process; here it dies after it has passed it on.
        expect(inputs).toEqual(NUMBERS)
        expect(seen.filter((word) => !word.startsWith("in:"))).toEqual([
          "NODE_RESTARTED crasher",
          "NODE_RESTARTED crasher",
          "INPUT_CLOSED in",
          "STOP ALL_INPUTS_CLOSED",
        ])
      },
      LIMIT_MS,
    )
  }

  test(
    "only as often as it may; then it has failed, and the end is passed on",
    async () => {
      const more = { restart_policy: "on-failure", max_restarts: 1 }
      await using run = new TestFlow(flow("exit", 1, more))
      const result = await run.end({ failing: ["crasher"] })
      const [seen] = run.said("sink") as [string[]]
      expect(seen.filter((word) => word.startsWith("in:"))).toEqual(NUMBERS.slice(0, 30))
      expect(seen).toContain("INPUT_CLOSED in")
      const edge = result.edges.find(({ to }) => to === "sink/in")!
      expect([edge.sent, edge.taken, edge.dropped]).toEqual([30, 30, 0])
    },
    LIMIT_MS,
  )

  test(
    "and not at all when the dataflow is killed",
    async () => {
      const restart = { restart_policy: "always", inputs: { tick: "dora/timer/secs/1" } }
      await using run = new TestFlow({ idle: { run: "idle", ...restart } })
      const running = await run.running
      running.kill()
      const ended = await Promise.race([running.finished, Bun.sleep(LIMIT_MS / 2)])
      expect(ended).toMatchObject({ nodes: [{ node: "idle", signal: "SIGKILL" }] })
      expect(run.records.filter(({ msg }) => msg.includes("it is started again"))).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    "and not at all while the dataflow is stopped",
    async () => {
      const nodes = flow("kill", 1, { restart_policy: "always", restart_delay: 600 })
      await using run = new TestFlow(nodes)
      await run.untilDaemon("it is started again")
      const result = await run.stop().catch((error: Error) => error)
      expect(result).toBeDefined()
      expect(run.records.filter(({ msg }) => msg.includes("it is started again"))).toHaveLength(1)
    },
    LIMIT_MS,
  )
})

test(
  "an operator that fails or crashes takes its runtime with it, and both are started again",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "dora-restart-"))
    const operator = join(folder, "operator.ts")
    writeFileSync(
      operator,
      `import { existsSync, writeFileSync } from "node:fs"
      let seen = 0
      export default class {
        onEvent(event, sendOutput) {
          if (event.type !== "INPUT") return
          sendOutput("out", event.array.slice())
          if (++seen < 20) return
          for (const [life, die] of [["1", () => process.kill(process.pid, "SIGSEGV")], ["2", () => { throw new Error("on purpose") }]]) {
            const file = ${JSON.stringify(folder)} + "/" + life
            if (existsSync(file)) continue
            writeFileSync(file, "")
            die()
          }
        }
      }`,
    )
    try {
      await using run = new TestFlow({
        source: { run: `relay source ${COUNT}`, outputs: ["out"] },
        runtime: {
          restart_policy: "on-failure",
          operators: [
            {
              id: "op",
              typescript: operator,
              inputs: { in: { source: "source/out", ...lossless } },
              outputs: ["out"],
            },
          ],
        },
        sink: {
          run: "receive for-await",
          inputs: { in: { source: "runtime/op/out", ...lossless } },
        },
      })
      await run.end()
      const [seen] = run.said("sink") as [string[]]
      const inputs = seen.filter((word) => word.startsWith("in:"))
      // What is sent in a call that ends the process may go with it: the twentieth of a life.
      const rest = NUMBERS.filter((word) => inputs.includes(word) || !/^in:(20|39|40)$/.test(word))
      expect(inputs).toEqual(rest)
      expect(inputs.length).toBeGreaterThanOrEqual(COUNT - 2)
      expect(seen.filter((word) => word.startsWith("NODE_RESTARTED"))).toHaveLength(2)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  LIMIT_MS,
)
