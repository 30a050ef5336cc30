// Nodes in C and C++, linked with the official libraries, beside ours and those in the other languages.
import { describe, expect } from "bun:test"
import { bytesNode, INSTALL_LIMIT_MS, LANGUAGES, withCompilers } from "../support/official.ts"
import { MixedFlow, NODE } from "./flow.ts"

const NATIVE = ["c", "cxx"] as const
/** As many as a node sends that is not told otherwise: two of each length. */
const COUNT = 12
const tick = { tick: "dora/timer/millis/5" }

describe("bytes", () => {
  for (const source of LANGUAGES) {
    withCompilers(
      `from ${source} arrive in every language, directly and through an echo in each`,
      async () => {
        const first = {
          id: "source",
          ...(await bytesNode(source, "bytes")),
          inputs: tick,
          outputs: ["bytes"],
        }
        const echoes = LANGUAGES.map(async (language) => ({
          id: `echo-${language}`,
          ...(await bytesNode(language, "echo")),
          inputs: { bytes: { source: "source/bytes", queue_size: 100 } },
          outputs: ["bytes"],
        }))
        const middle = await Promise.all(echoes)
        const inputs = Object.fromEntries(
          [first, ...middle].map(({ id }) => [id, { source: `${id}/bytes`, queue_size: 100 }]),
        )
        const sinks = LANGUAGES.map(async (language) => ({
          id: `check-${language}`,
          ...(await bytesNode(language, "check")),
          inputs,
        }))
        const last = await Promise.all(sinks)
        await using flow = new MixedFlow([first, ...middle, ...last], {})
        await flow.end()
        const right = Object.fromEntries(Object.keys(inputs).map((id) => [id, COUNT]))
        for (const { id } of last) expect([id, flow.saidJson(id).at(-1)]).toEqual([id, { right }])
        expect(flow.said(null)).toEqual([])
      },
      INSTALL_LIMIT_MS,
    )
  }
})

for (const language of NATIVE) {
  describe(`a node in ${language}`, () => {
    withCompilers(
      "gets timer ticks until it is stopped, and its log lines have their level",
      async () => {
        const node = { id: "a", ...(await bytesNode(language, "timer")), inputs: tick }
        await using flow = new MixedFlow([node], {})
        await flow.until("a", 5)
        await flow.stop()
        const said = flow.saidJson("a")
        expect(said).toContainEqual({ event: "INPUT", id: "tick", length: 0 })
        expect(said).toContainEqual({ event: "STOP" })
        const hello = flow.records.find(({ node: id, msg }) => id === "a" && msg === "at work")
        expect(hello).toMatchObject({ level: "info", fields: null })
      },
      INSTALL_LIMIT_MS,
    )

    withCompilers(
      "leaves when it has what it wants, and the others go on; learns that an input is closed",
      async () => {
        const source = `${NODE}
          using node = await Node.init()
          for (let i = 0; i < 5; i++) await node.sendOutput("out", new Uint8Array(i))`
        const timer = { ...(await bytesNode(language, "timer")), inputs: { in: "source/out" } }
        const nodes = [
          { id: "source", path: "source.ts", outputs: ["out"] },
          { id: "short", ...timer, env: { COUNT: 2 } },
          { id: "long", ...timer },
        ]
        await using flow = new MixedFlow(nodes, { "source.ts": source })
        await flow.end()
        const inputs = [0, 1, 2, 3, 4].map((length) => ({ event: "INPUT", id: "in", length }))
        const closed = [{ event: "INPUT_CLOSED" }, { event: "STOP" }]
        // Events overtake messages that wait in a node.
        const inOrder = (id: string) =>
          flow.saidJson(id).toSorted((a, b) => Number(!a.id) - Number(!b.id))
        expect(inOrder("short").slice(0, 2)).toEqual(inputs.slice(0, 2))
        expect(inOrder("long")).toEqual([...inputs, ...closed])
      },
      INSTALL_LIMIT_MS,
    )
  })
}

describe("a node in c", () => {
  withCompilers(
    "sees no bytes in a message of another type, and goes on",
    async () => {
      const source = `${NODE}
        using node = await Node.init()
        for (const sent of [Int32Array.of(1), Uint8Array.of(1, 2), ["text"]]) await node.sendOutput("out", sent)`
      const nodes = [
        { id: "source", path: "source.ts", outputs: ["out"] },
        { id: "a", ...(await bytesNode("c", "timer")), inputs: { in: "source/out" } },
      ]
      await using flow = new MixedFlow(nodes, { "source.ts": source })
      await flow.end()
      const lengths = flow.saidJson("a").flatMap(({ length }) => length ?? [])
      expect(lengths).toEqual([0, 2, 0])
    },
    INSTALL_LIMIT_MS,
  )
})

describe("a node in cxx", () => {
  withCompilers(
    "is told which neighbour was started again, and which has failed",
    async () => {
      const victim = `${NODE}
        using node = await Node.init()
        await node.sendOutput("out", Uint8Array.of(1))
        process.exit(3)`
      const nodes = [
        {
          id: "victim",
          path: "victim.ts",
          inputs: tick,
          outputs: ["out"],
          restart_policy: "on-failure",
          max_restarts: 1,
        },
        { id: "a", ...(await bytesNode("cxx", "timer")), inputs: { in: "victim/out" } },
      ]
      await using flow = new MixedFlow(nodes, { "victim.ts": victim })
      await flow.end(["victim"])
      const said = flow.saidJson("a")
      const events = said.filter(({ event }) => String(event).startsWith("NODE"))
      expect(events).toEqual([
        { event: "NODE_RESTARTED", id: "victim" },
        { event: "NODE_FAILED", source_node_id: "victim" },
      ])
      expect(said.filter(({ event }) => event === "INPUT")).toHaveLength(2)
    },
    INSTALL_LIMIT_MS,
  )
})
