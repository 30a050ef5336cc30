import { expect, test } from "bun:test"
import type { ArgsDef } from "citty"
import { durationFlag, envFlag, readFlags, UsageError } from "./flags.ts"

const args: ArgsDef = {
  dataflow: { type: "positional", valueHint: "flow.yml" },
  "stop-after": { type: "string", valueHint: "duration" },
  wait: { type: "enum", options: ["busy", "adaptive", "park"] },
  env: { type: "string", valueHint: "KEY=VALUE" },
  finish: { type: "boolean" },
  help: { type: "boolean", alias: "h" },
}

function problem(...raw: string[]): string {
  try {
    const flags = readFlags(raw, args)
    durationFlag(flags, "stop-after")
    envFlag(flags)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return (error as UsageError).message
  }
  throw new Error(`accepted: ${raw.join(" ")}`)
}

test("flags are read with = or a space, anywhere, and repeated ones keep all values", () => {
  const flags = readFlags(["--env", "A=1", "flow.yml", "--wait=park", "--env=B=x=y"], args)
  expect(flags.positionals).toEqual(["flow.yml"])
  expect(flags.values.get("wait")).toEqual(["park"])
  expect(envFlag(flags)).toEqual({ A: "1", B: "x=y" })
})

test("a boolean flag stands alone, takes a value after =, and can be negated", () => {
  const finish = (...raw: string[]) => readFlags(["f", ...raw], args).values.get("finish")
  expect(finish("--finish")).toEqual(["true"])
  expect(finish("--finish=false")).toEqual(["false"])
  expect(finish("--no-finish")).toEqual(["false"])
  expect(finish()).toBeUndefined()
  expect(readFlags(["f", "-h"], args).values.has("help")).toBe(true)
})

test("after -- everything is an argument", () => {
  expect(readFlags(["--", "--odd.yml"], args).positionals).toEqual(["--odd.yml"])
})

test("an unknown flag is refused with the one that was meant", () => {
  expect(problem("f", "--stop-afer", "1s")).toBe(
    "unknown flag --stop-afer\n  fix: did you mean --stop-after?",
  )
  expect(problem("f", "--xyzzy")).toContain("see --help")
})

test("wrong values, missing values and extra arguments are refused", () => {
  expect(problem("f", "--wait", "prak")).toContain("did you mean park?")
  expect(problem("f", "--wait", "nonsense")).toContain("one of: busy, adaptive, park")
  expect(problem("f", "--stop-after")).toContain("--stop-after needs a value")
  expect(problem("f", "--stop-after", "--finish")).toContain("--stop-after needs a value")
  expect(problem("f", "--stop-after", "soon")).toContain("not a duration")
  expect(problem("f", "--finish=maybe")).toContain("one of: true, false")
  expect(problem("f", "--env", "A")).toContain("KEY=VALUE")
  expect(problem("f", "g")).toContain("unexpected argument g")
  expect(problem()).toContain("missing argument <flow.yml>")
})
