import { afterAll, afterEach, beforeAll, expect, spyOn, test } from "bun:test"
import { Log } from "./log.ts"

const lines: string[] = []
let spy: { mockRestore(): void }
beforeAll(() => {
  spy = spyOn(console, "log").mockImplementation((line: string) => void lines.push(line))
})
afterEach(() => void lines.splice(0))
// Other test files share this process.
afterAll(() => spy.mockRestore())

test("a log line for the daemon is one line of JSON in dora's form", () => {
  const log = new Log("camera", true)
  log.warn("two\nlines", {
    frames: 3,
    size: [640, 480],
    missing: undefined,
    error: new Error("no"),
  })
  const record = JSON.parse(lines[0]!)
  expect(lines[0]).not.toContain("\n")
  expect(record).toMatchObject({
    level: "WARN",
    node_id: "camera",
    target: "dora-bun",
    message: "two\nlines",
  })
  expect(Math.abs(Date.parse(record.timestamp) - Date.now())).toBeLessThan(5000)
  const { frames, size, missing, error } = record.fields
  expect({ frames, size, missing }).toEqual({
    frames: "3",
    size: "[ 640, 480 ]",
    missing: "undefined",
  })
  expect(error).toContain("no")
})

test("every level has its name", () => {
  const log = new Log("camera", true)
  const levels = ["error", "warn", "info", "debug", "trace"] as const
  for (const level of levels) log[level]("x")
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(levels.map((l) => l.toUpperCase()))
})

test("without a daemon a line is text", () => {
  new Log("camera", false).info("ready", { frames: 3 })
  expect(lines).toEqual(["INFO camera: ready frames=3"])
})
