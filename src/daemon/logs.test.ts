import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogRecord } from "../core/log.ts"
import { STDERR_TAIL_LINES } from "../core/limits.ts"
import type { LogSpec } from "../descriptor/types.ts"
import { LogDirectoryError, Logs } from "./logs.ts"

const directory = mkdtempSync(join(tmpdir(), "dora-logs-"))
afterAll(() => rmSync(directory, { recursive: true }))

const QUIET: LogSpec = {
  minLevel: null,
  stdoutAs: null,
  recordsAs: null,
  maxBytes: null,
  maxFiles: 5,
}

function openLogs(name: string) {
  const records: LogRecord[] = []
  const path = join(directory, name)
  const file = (node: string) =>
    readFileSync(join(path, `log_${node}.jsonl`), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
  return { logs: new Logs(path, (record) => records.push(record)), records, file }
}

test("a print is a line of level stdout with the keys of the official log file", () => {
  const { logs, records, file } = openLogs("plain")
  using _ = logs
  logs.node("a", QUIET).line("stderr", "{not json")
  expect(records).toHaveLength(1)
  expect(file("a")).toEqual([
    {
      ts: records[0]!.ts,
      level: "stdout",
      node: "a",
      stream: "stderr",
      msg: "{not json",
      target: null,
      fields: null,
    },
  ])
  expect(Object.keys(file("a")[0])).toEqual([
    "ts",
    "level",
    "node",
    "stream",
    "msg",
    "target",
    "fields",
  ])
})

test("a JSON line with level and timestamp is taken at its word", () => {
  const { logs, records } = openLogs("structured")
  using _ = logs
  const line = {
    level: "WARN",
    timestamp: "2026-01-02T03:04:05.6Z",
    message: "hot",
    target: "cam",
    fields: { t: 9, s: "x" },
  }
  logs.node("a", QUIET).line("stdout", JSON.stringify(line))
  expect(records).toEqual([
    {
      ts: "2026-01-02T03:04:05.6Z",
      level: "warn",
      node: "a",
      stream: "stdout",
      msg: "hot",
      target: "cam",
      fields: { t: "9", s: "x" },
    },
  ])
})

test("min_log_level drops lines everywhere, but not from the report of a failure", () => {
  const { logs, records } = openLogs("filter")
  using _ = logs
  const log = logs.node("a", { ...QUIET, minLevel: "warn" })
  log.line("stderr", "Error: plain")
  for (const level of ["info", "error"]) {
    log.line("stdout", JSON.stringify({ level, timestamp: "2026-01-02T03:04:05Z", message: level }))
  }
  expect(records.map((record) => record.msg)).toEqual(["error"])
  expect(log.stderrTail).toEqual(["Error: plain"])
})

test("only the end of stderr is kept", () => {
  const { logs } = openLogs("tail")
  using _ = logs
  const log = logs.node("a", QUIET)
  for (let i = 0; i < 1000; i++) log.line("stderr", `line ${i}`)
  expect(log.stderrTail).toHaveLength(STDERR_TAIL_LINES)
  expect(log.stderrTail.at(-1)).toBe("line 999")
})

test("what is kept is that of the newest process, in plain text", () => {
  const { logs } = openLogs("plain")
  using _ = logs
  const log = logs.node("a", QUIET)
  log.line("stderr", "\x1b[1m\x1b[92m   Compiling\x1b[0m a v0.1.0")
  expect(log.stderrTail).toEqual(["   Compiling a v0.1.0"])
  log.begin()
  log.line("stderr", "\x1b[31mError\x1b[0m: lens cap on")
  expect(log.stderrTail).toEqual(["Error: lens cap on"])
})

test("a full file is kept under a number, the newest first, and the oldest goes", () => {
  const { logs } = openLogs("rotation")
  using _ = logs
  // Each line is a little more than the limit.
  const log = logs.node("a", { ...QUIET, maxBytes: 100, maxFiles: 2 })
  for (let i = 0; i < 5; i++) log.line("stdout", `line ${i}`)
  const kept = readdirSync(join(directory, "rotation")).toSorted()
  expect(kept).toEqual(["log_a.1.jsonl", "log_a.2.jsonl", "log_a.jsonl"])
  const messages = kept.map((name) => {
    const text = readFileSync(join(directory, "rotation", name), "utf8")
    return text.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line).msg))
  })
  expect(messages).toEqual([["line 4"], ["line 3"], []])
})

test("with no files to keep, only the one that is written is there", () => {
  const { logs, file } = openLogs("one-file")
  using _ = logs
  const log = logs.node("a", { ...QUIET, maxBytes: 300, maxFiles: 0 })
  for (let i = 0; i < 7; i++) log.line("stdout", `line ${i}`)
  expect(readdirSync(join(directory, "one-file"))).toEqual(["log_a.jsonl"])
  expect(file("a").at(-1).msg).toBe("line 6")
  expect(file("a").length).toBeLessThan(7)
})

test("a directory that can't be made is an error by name", () => {
  writeFileSync(join(directory, "file"), "")
  expect(() => new Logs(join(directory, "file", "logs"), () => {})).toThrow(LogDirectoryError)
})

test("a tracing event of an official node is one clean line", () => {
  const { logs, records } = openLogs("tracing")
  using _ = logs
  const timestamp = "2026-01-02T03:04:05.678901Z"
  const rust = {
    timestamp,
    level: "WARN",
    fields: { message: "queue is full", input: "image" },
    target: "dora_node_api::node",
  }
  const fields = { file: "/a/b.py", line: 4, target: "x.y", message: "hot" }
  const span = { ...fields, name: "dora.python.log.warn" }
  const python = { timestamp, level: "ERROR", fields, target: "dora", span, spans: [span] }
  const log = logs.node("a", QUIET)
  for (const line of [rust, python]) log.line("stdout", JSON.stringify(line))
  const common = { ts: timestamp, node: "a", stream: "stdout" as const }
  expect(records).toEqual([
    {
      ...common,
      level: "warn",
      msg: "queue is full",
      target: "dora_node_api::node",
      fields: { input: "image" },
    },
    { ...common, level: "error", msg: "hot", target: "x.y", fields: null },
  ])
})
