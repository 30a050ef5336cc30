import { describe, expect, test } from "bun:test"
import { byteSize } from "./quantity.ts"
import { errorsOf, problemsOf, warningsOf } from "./testing.ts"

const node = (fields: string) => `nodes: [{ id: a, path: sh, ${fields} }]`

// Each tried with the official tool, 1.1.0.
const SIZES: [string, number][] = [
  ["0", 0],
  ["5", 5],
  ["8 mb", 8 * 1024 * 1024],
  ["1.5 KB", 1536],
  ["2k", 2048],
  ["4GB", 4 * 1024 ** 3],
  ["10B", 10],
]
const BAD_SIZES: [string, string][] = [
  ["x", "invalid byte size: `x`"],
  ["1TB", "unknown byte size unit: `TB`"],
  ["1.2.3", "invalid number in byte size: `1.2.3`"],
  ["-1MB", "byte size must be a non-negative, finite number: `-1MB`"],
  ["99999999999GB", "byte size `99999999999GB` is too large"],
  ["1_000", "invalid byte size: `1_000`"],
]

describe("a size in bytes", () => {
  test.each(SIZES)("%s is %d", (text, bytes) => {
    expect(byteSize(text)).toEqual({ bytes })
  })

  test.each(BAD_SIZES)("%s: %s", (text, problem) => {
    expect(byteSize(text)).toEqual({ problem })
  })
})

describe("fields of later issues", () => {
  test.each([
    "shared_memory_pool_size: 8MB",
    "output_framing: { o: arrow-ipc }",
    "output_metadata: { o: [k] }",
    "pattern: service-server",
    "deploy: { machine: b, distribute: local, labels: { a: b }, working_dir: . }",
  ])("%s is accepted, and said to have no effect yet", (field) => {
    expect(errorsOf(node(field))).toEqual([])
    expect(warningsOf(node(field))).toEqual(["NOT_YET_SUPPORTED"])
  })

  test.each([
    "restart_policy: never",
    "max_restarts: ~",
    "startup_timeout: 5",
    "health_check_timeout: 5",
    "finish_grace_secs: 5",
    "cpu_affinity: [0, 1]",
    "deploy: null",
    "max_log_size: 1 MB",
    "max_rotated_files: 0",
  ])("%s changes nothing and is worth no warning", (field) => {
    expect(problemsOf(node(field))).toEqual([])
  })

  test("are warned about once for every use", () => {
    const text = "nodes:\n- { id: a, path: sh, pattern: x }\n- { id: b, path: sh, pattern: x }\n"
    expect(warningsOf(text)).toEqual(["NOT_YET_SUPPORTED", "NOT_YET_SUPPORTED"])
  })
})

test("a node that is started by hand is no problem", () => {
  expect(problemsOf("nodes: [{ id: a, path: dynamic }]")).toEqual([])
})

describe("nodes that can't run yet are refused, never ignored", () => {
  test.each(["hub: camera", "ros2: { topic: /a, message_type: b/C }"])("%s", (fields) => {
    expect(errorsOf(`nodes: [{ id: a, ${fields} }]`)).toEqual(["UNSUPPORTED_NODE_KIND"])
  })
})
