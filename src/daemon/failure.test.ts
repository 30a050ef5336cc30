import { expect, test } from "bun:test"
import { FlowFolder } from "../testing/folder.ts"
import { failedSource, judge } from "./failure.ts"

const calm = { started: true, forced: null, blamed: null }
const ended = (code: number | null, signal: string | null = null) => ({ code, signal })

test("a node is judged by its end and by what led to it", () => {
  expect(judge(ended(0), calm)).toEqual({ ok: true, cause: "exit" })
  expect(judge(ended(2), calm)).toEqual({ ok: false, cause: "exit" })
  expect(judge(ended(null, "SIGSEGV"), calm)).toEqual({ ok: false, cause: "signal" })
  expect(judge(ended(0), { ...calm, started: false })).toEqual({ ok: false, cause: "startup" })
  expect(judge(ended(1), { ...calm, blamed: "b" })).toEqual({ ok: false, cause: "cascade" })
  expect(judge(ended(0), { ...calm, blamed: "b" })).toEqual({ ok: true, cause: "exit" })
  const killed = (forced: "stop" | "finish") => judge(ended(null, "SIGKILL"), { ...calm, forced })
  expect(killed("stop")).toEqual({ ok: true, cause: "grace" })
  expect(killed("finish")).toEqual({ ok: false, cause: "grace" })
  for (const end of [ended(null, "SIGTERM"), ended(0), ended(143)])
    expect(judge(end, { ...calm, forced: "finish" })).toEqual({ ok: true, cause: "grace" })
  expect(judge(ended(null), { ...calm, forced: "stop" })).toEqual({ ok: false, cause: "stuck" })
})

test("the nearest failed node upstream is to blame, through any number of others and around cycles", () => {
  using folder = new FlowFolder(
    `nodes:
  - { id: a, path: n, outputs: [o], inputs: { i: d/o } }
  - { id: b, path: n, outputs: [o], inputs: { i: a/o } }
  - { id: c, path: n, outputs: [o], inputs: { i: b/o, t: dora/timer/hz/1 } }
  - { id: d, path: n, outputs: [o], inputs: { i: c/o } }
  - { id: e, path: n }`,
    { n: "" },
  )
  const blame = (node: string, ...failed: string[]) =>
    failedSource(folder.flow, node, new Set(failed))
  expect(blame("c", "a")).toBe("a")
  expect(blame("c", "a", "b")).toBe("b")
  expect(blame("c", "e")).toBeNull()
  expect(blame("c", "c")).toBeNull()
  expect(blame("e", "a")).toBeNull()
})
