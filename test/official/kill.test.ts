// kill -9 of official nodes and of their neighbours, at any moment.
import { describe, expect } from "bun:test"
import { Random } from "../faults/random.ts"
import { isAlive } from "../support/dora.ts"
import {
  bytesNode,
  INSTALL_LIMIT_MS,
  type Language,
  LANGUAGES,
  withCompilers,
} from "../support/official.ts"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

/** Kills of each node of a chain. */
const KILLS = Number(process.env.DORA_TEST_RUNS) || 4
/** A new life takes as long as Python's start, or less. */
const LATEST_KILL_MS = 40

/** From a source through two relays to a sink: TypeScript, Python and Rust all send to each other, and to C and C++ others do. */
const CHAINS: Language[][] = [
  ["typescript", "python", "rust", "typescript"],
  ["python", "typescript", "rust", "python"],
  ["c", "typescript", "cxx", "c"],
]
const tick = { tick: "dora/timer/millis/10" }

/** The processes of a node so far, in the order of its lives. */
function livesOf(flow: MixedFlow, node: string): number[] {
  return flow.saidJson(node).flatMap(({ pid }) => (pid === undefined ? [] : [Number(pid)]))
}

/** Kills the present process of a node, which is at work. */
function kill(flow: MixedFlow, node: string): void {
  process.kill(livesOf(flow, node).at(-1)!, "SIGKILL")
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const drawn = items.map((item) => [random.next(), item] as const)
  return drawn.sort(([a], [b]) => a - b).map(([, item]) => item)
}

describe("kill -9", () => {
  for (const chain of CHAINS) {
    withCompilers(
      `of each in ${chain.join(" → ")}: it starts again, the others go on, what arrives is whole and in order (${KILLS} times each)`,
      async () => {
        const random = Random.forSuite(`kill -9 in ${chain.join(" → ")}`)
        const programs = chain.map(async (language, i) => ({
          id: `${i}-${language}`,
          ...(await bytesNode(language, i === 0 ? "bytes" : i === 3 ? "check" : "echo")),
          inputs: i === 0 ? tick : { bytes: `${i - 1}-${chain[i - 1]}/bytes` },
          outputs: ["bytes"],
          env: { COUNT: -1, GAPS: 1 },
          restart_policy: "always",
        }))
        const nodes = await Promise.all(programs)
        const sink = nodes[3]!.id
        await using flow = new MixedFlow(nodes, {})
        const atWork = (id: string, life: number) =>
          flow.untilTrue(`life ${life} of ${id}`, () => livesOf(flow, id).length >= life)
        for (const { id } of nodes) await atWork(id, 1)
        for (let round = 1; round <= KILLS; round++) {
          for (const { id } of shuffled(nodes, random)) {
            await Bun.sleep(random.between(0, LATEST_KILL_MS))
            kill(flow, id)
            await atWork(id, round + 1)
          }
        }
        await flow.stop()
        const lives = nodes.map(({ id }) => livesOf(flow, id))
        expect(lives.map(({ length }) => length)).toEqual(nodes.map(() => KILLS + 1))
        expect(await Promise.all(lives.flat().map(isAlive))).not.toContain(true)
        const said = flow.saidJson(sink)
        expect(said.filter(({ wrong }) => wrong !== undefined)).toEqual([])
        // Numbers begin again with each life of the source, and a sink begins in the middle.
        const began = said.filter((line) => line.began !== undefined)
        expect(began.length).toBeWithin(KILLS + 1, 2 * KILLS + 2)
        expect(said.at(-1)).toEqual({ right: { bytes: expect.any(Number) } })
        const warnings = flow.said(null)
        expect(warnings.filter((line) => !line.includes("it is started again"))).toEqual([])
        expect(warnings).toHaveLength(KILLS * nodes.length)
      },
      INSTALL_LIMIT_MS + KILLS * 20_000,
    )
  }

  withCompilers(
    "of relays in every language that are not started again: the sink ends after the last one, the source goes on",
    async () => {
      const random = Random.forSuite("kill -9 for good")
      const relays = LANGUAGES.map(async (language) => ({
        id: language,
        ...(await bytesNode(language, "echo")),
        inputs: { bytes: "source/bytes" },
        outputs: ["bytes"],
      }))
      const victims = await Promise.all(relays)
      const env = { COUNT: -1, GAPS: 1 }
      const inputs = Object.fromEntries(LANGUAGES.map((id) => [id, `${id}/bytes`]))
      const nodes = [
        {
          id: "source",
          ...(await bytesNode("python", "bytes")),
          inputs: tick,
          outputs: ["bytes"],
          env,
        },
        ...victims,
        { id: "sink", ...(await bytesNode("typescript", "check")), inputs, env },
      ]
      await using flow = new MixedFlow(nodes, {})
      for (const { id } of victims)
        await flow.untilTrue(`work of ${id}`, () => livesOf(flow, id).length > 0)
      for (const { id } of shuffled(victims, random)) {
        await Bun.sleep(random.between(0, LATEST_KILL_MS))
        kill(flow, id)
      }
      await flow.untilTrue(
        "the sink's end",
        () => flow.saidJson("sink").at(-1)?.right !== undefined,
      )
      expect(await isAlive(livesOf(flow, "source")[0]!)).toBe(true)
      ;(await flow.running).stop()
      await flow.end([...LANGUAGES])
      const said = flow.saidJson("sink")
      expect(said.filter(({ wrong }) => wrong !== undefined)).toEqual([])
      const closed = said.flatMap(({ event, id }) => (event === "INPUT_CLOSED" ? [id] : []))
      expect(closed.toSorted()).toEqual([...LANGUAGES].toSorted())
      expect(said).toContainEqual({ event: "STOP", id: "ALL_INPUTS_CLOSED" })
    },
    INSTALL_LIMIT_MS,
  )

  withWheel(
    "of a TypeScript consumer holds up no Python producer, of a producer ends the input",
    async () => {
      const producer = `
from dora import Node
import pyarrow as pa
import numpy as np
node = Node()
for i in range(60):
    node.send_output("out", pa.array(np.zeros(300_000 if i % 2 else 10, dtype=np.uint8)))
print("sent", flush=True)
for event in node:
    print(event["type"], event["id"], flush=True)
`
      const consumer = `${NODE}
        using node = await Node.init()
        await node.next()
        process.kill(process.pid, "SIGKILL")`
      const nodes = [
        {
          id: "producer",
          path: "producer.py",
          inputs: { in: "victim/out" },
          outputs: ["out"],
        },
        {
          id: "victim",
          path: "victim.ts",
          inputs: { in: { source: "producer/out", queue_policy: "backpressure", queue_size: 2 } },
          outputs: ["out"],
        },
      ]
      const files = { "producer.py": producer, "victim.ts": consumer }
      await using flow = new MixedFlow(nodes, files)
      await flow.end(["victim"])
      const said = flow.said("producer")
      for (const line of ["sent", "INPUT_CLOSED in"]) expect(said).toContain(line)
    },
    60_000,
  )
})
