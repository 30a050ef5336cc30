// `path: shell`: a command line as a node.
import { describe, expect, test } from "bun:test"
import { dora, folder } from "../support/dora.ts"

const LIMIT_MS = 30_000
const LISTENER = `
import { Node } from "dora-bun"
using node = await Node.init()
await node.sendOutput("word", "hello")
for await (const { type, id } of node) console.log(type, id ?? "")
`

async function run(
  lines: Record<string, string>,
  args: string[] = ["--allow-shell-nodes"],
  env = {},
) {
  const nodes = Object.entries(lines).map(([id, line]) => ({
    id,
    path: "shell",
    args: line,
    inputs: { word: "ts/word" },
    outputs: ["out"],
  }))
  const inputs = Object.fromEntries(nodes.map(({ id }) => [id, `${id}/out`]))
  const script = { id: "ts", path: "listener.ts", outputs: ["word"], inputs }
  const flow = JSON.stringify({ nodes: [script, ...nodes] })
  using place = folder({ "flow.yml": flow, "listener.ts": LISTENER })
  return await dora(["run", "flow.yml", ...args], { cwd: place.path, env, limitMs: LIMIT_MS })
}

describe("a node with `path: shell`", () => {
  test(
    "is read by a shell, needs no dora, and its outputs close when it ends",
    async () => {
      const { code, stdout, stderr } = await run({
        a: "echo $WORD | tr a-z A-Z; sleep 0.2; echo 'two  words'",
        b: "exec true",
      })
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(stdout).toContain("a: two  words\n")
      expect(stdout).toContain("ts: INPUT_CLOSED a\n")
      expect(stdout).toContain("ts: INPUT_CLOSED b\n")
      expect(stdout).toContain("ts: STOP")
    },
    LIMIT_MS,
  )

  test(
    "may become a node that knows dora",
    async () => {
      const { code, stdout } = await run({ a: `exec ${process.execPath} listener.ts` })
      expect(code).toBe(1)
      expect(stdout).toContain("UnknownOutputError: node `a` has no output `word`")
    },
    LIMIT_MS,
  )

  test(
    "fails the start when it fails before it",
    async () => {
      const early = await run({ a: "echo no >&2; exit 3" })
      expect(early.code).toBe(1)
      expect(early.stderr).toContain("node a exited with code 3 before the dataflow had started")
    },
    LIMIT_MS,
  )

  test(
    "is refused, with its place and before anything runs, unless it is allowed by flag or variable",
    async () => {
      const lines = { a: "echo ran" }
      const refused = await run(lines, [])
      expect([refused.code, refused.stdout]).toEqual([1, ""])
      expect(refused.stderr).toMatch(/flow\.yml:1:\d+: node a: can't run `shell`/)
      expect(refused.stderr).toContain("--allow-shell-nodes")
      const allowed = await run(lines, [], { DORA_ALLOW_SHELL_NODES: "true" })
      expect([allowed.code, allowed.stdout.includes("a: ran")]).toEqual([0, true])
      const off = await run(lines, [], { DORA_ALLOW_SHELL_NODES: "1" })
      expect(off.code).toBe(1)
    },
    LIMIT_MS,
  )
})
