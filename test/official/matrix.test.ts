// Every Arrow type between TypeScript, Python and Rust, in both directions: the official nodes unmodified beside ours.
import { describe, expect } from "bun:test"
import {
  INSTALL_LIMIT_MS,
  type Program,
  pythonNode,
  type Role,
  rustNode,
  typescriptNode,
  withBoth,
} from "../support/official.ts"
import { MixedFlow, NODE } from "./flow.ts"

const LANGUAGES = ["typescript", "python", "rust"] as const
type Language = (typeof LANGUAGES)[number]

const PROGRAMS: Record<Language, (role: Role) => Program | Promise<Program>> = {
  typescript: typescriptNode,
  python: pythonNode,
  rust: rustNode,
}
/** What apache-arrow has no vectors for: a TypeScript node gets such a message, and has no way to send one. */
const NO_VECTOR = ["list_view", "large_list_view", "run_end_encoded"]
/** What the source in TypeScript does not have beside these: apache-arrow has no builders for them. */
const NO_BUILDER = ["map", "month_day_nano", "sparse_union"]

const ECHO_TS = `${NODE}
using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  const { parameters } = event.metadata
  if (!${JSON.stringify(NO_VECTOR)}.includes(parameters.name)) await node.sendOutput("types", event.value, parameters)
}`
// The official API puts the stamp among the parameters, and would send it as one.
const ECHO_PY = `
from dora import Node
node = Node()
for event in node:
    if event["type"] == "INPUT":
        parameters = {k: v for k, v in event["metadata"].items() if k != "timestamp"}
        node.send_output("types", event["value"], parameters)
`
const queue = { queue_size: 100 }

type Report = { right: string[]; wrong: string[]; missing: string[] }

function reportOf(flow: MixedFlow, node: string): Report {
  const line = flow.said(node).find((said) => said.includes('"right"'))
  return JSON.parse(line ?? '{"right":[],"wrong":["no report"],"missing":[]}')
}

describe("every Arrow type", () => {
  for (const source of LANGUAGES) {
    withBoth(
      `from ${source} arrives in typescript, python and rust, directly and through an echo in each`,
      async () => {
        const echoes: Record<Language, Program> = {
          typescript: { path: "echo.ts", args: "" },
          python: { path: "echo.py", args: "" },
          rust: await rustNode("echo"),
        }
        const first = { id: "source", ...(await PROGRAMS[source]("source")), outputs: ["types"] }
        const middle = LANGUAGES.map((language) => ({
          id: `echo-${language}`,
          ...echoes[language],
          inputs: { types: { source: "source/types", ...queue } },
          outputs: ["types"],
        }))
        const last = [first, ...middle].flatMap(({ id: from }) =>
          LANGUAGES.map(async (language) => ({
            id: `${from}-to-${language}`,
            ...(await PROGRAMS[language]("sink")),
            inputs: { types: { source: `${from}/types`, ...queue } },
          })),
        )
        const sinks = await Promise.all(last)
        const files = { "echo.ts": ECHO_TS, "echo.py": ECHO_PY }
        await using flow = new MixedFlow([first, ...middle, ...sinks], files)
        await flow.finished
        for (const { id } of sinks) {
          const { right, wrong, missing } = reportOf(flow, id)
          const lost = id.startsWith("echo-typescript") ? NO_VECTOR : []
          const expected = source === "typescript" ? [...NO_VECTOR, ...NO_BUILDER] : lost
          expect({ id, wrong, missing }).toEqual({ id, wrong: [], missing: expect.any(Array) })
          expect(missing.toSorted()).toEqual(expected.toSorted())
          expect(right.length).toBeGreaterThan(40)
        }
      },
      INSTALL_LIMIT_MS,
    )
  }
})
