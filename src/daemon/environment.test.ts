import { expect, test } from "bun:test"
import { composeEnvironment, ownEnvironment } from "./environment.ts"
import { MARKER } from "./guard.ts"

test("later sources win, and the daemon last", () => {
  const { env } = composeEnvironment({
    inherited: { A: "shell", B: "shell", C: "shell", D: "shell" },
    given: [{ B: "file", C: "file", D: "file" }, { C: "flag", D: "flag" }, { D: "node" }],
    own: { E: "daemon" },
  })
  expect(env).toEqual({ A: "shell", B: "file", C: "flag", D: "node", E: "daemon" })
})

test("what belongs to another daemon or loads foreign code is not inherited", () => {
  const inherited = {
    LD_PRELOAD: "x",
    DORA_NODE_CONFIG: "x",
    DORA_BUN_PLAN: "x",
    DORA_AUTH_TOKEN: "x",
    ZENOH_CONFIG: "x",
    DORA_ZENOH_CONFIG_OVERLAY: "x",
    LD_LIBRARY_PATH: "kept",
    DORA_ZENOH_OPEN_TIMEOUT_MS: "kept",
  }
  const { env } = composeEnvironment({ inherited, given: [], own: {} })
  expect(env).toEqual({ LD_LIBRARY_PATH: "kept", DORA_ZENOH_OPEN_TIMEOUT_MS: "kept" })
})

test("what a dataflow may not set is left out and named", () => {
  const given: Record<string, string>[] = [
    { LD_LIBRARY_PATH: "x", OK: "1", "": "x" },
    { "A B": "x", "A=B": "x", DORA_RUN_PARENT_PID: "1", NUL: "a\0b" },
  ]
  const { env, refused } = composeEnvironment({ inherited: {}, given, own: {} })
  expect(env).toEqual({ OK: "1" })
  expect(refused).toEqual(["LD_LIBRARY_PATH", "", "A B", "A=B", "DORA_RUN_PARENT_PID", "NUL"])
})

test("a dataflow inside a node of another one carries both marks", () => {
  const before = process.env[MARKER]
  process.env[MARKER] = "outer"
  try {
    expect(ownEnvironment("inner")[MARKER]).toBe("outer,inner")
  } finally {
    if (before === undefined) delete process.env[MARKER]
    else process.env[MARKER] = before
  }
})
