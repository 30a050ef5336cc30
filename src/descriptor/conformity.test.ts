import { describe, expect, test } from "bun:test"
import { errorsOf, warningsOf } from "./testing.ts"

// Verdicts of the official tool, 1.1.0, each tried out. A node's fields follow `id: a, path: sh`.
const ACCEPTED_FIELDS = [
  "inputs: {i: dora/timer/hz/0.001}",
  "inputs: {i: dora/timer/nanos/18446744073709551615}",
  "inputs: {i: dora/timer/secs/18446744073709551615}",
  "inputs: {i: dora/timer/secs/+5}",
  "inputs: {i: dora/timer/secs/05}",
  "inputs: {i: dora/logs/INFO}",
  "inputs: {i: dora/logs/}",
  "inputs: {i: {source: a/o, queue_size: 0}}, outputs: [o]",
  "inputs: {i: {source: a/o, queue_size: ~, queue_policy: ~, input_timeout: ~}}, outputs: [o]",
  "inputs: {i: {source: a/o, input_timeout: 1}}, outputs: [o]",
  "outputs: [1, true]",
  "min_log_level: WARN",
  "inputs: {i: b/op/o}},{id: b, path: sh, outputs: [op/o]",
  "cpu_affinity: [0, 1]",
  "inputs: , outputs: , env: ",
  "env: {A: 1, A: 2}",
  "deploy: ~",
  "max_log_size: 5",
  "output_framing: {o: arrow-ipc}",
  "output_types: {o: 5}",
  "pattern: foo",
  "inputs: {dora: a/o, .x: a/o}, outputs: [o]",
  'inputs: {i: "dora/timer/hz/5e-10"}, outputs: [o]',
  'inputs: {i: "dora/timer/hz/+.5"}, outputs: [o]',
  'inputs: {i: "dora/timer/hz/1.9e9"}, outputs: [o]',
  'inputs: {i: "dora/timer/hz/2e9"}, outputs: [o]',
  'inputs: {i: "dora/logs/info/nobody"}, outputs: [o]',
]
const ACCEPTED_FILES = [
  '{"nodes": [{"id": "a", "path": "x"}]}',
  "nodes: [{id: a, path: !foo x, build: !!str 5}]",
  "nodes: [{id: 12_3, path: 0x10, name: 1.50, description: true}]",
  "nodes: ",
  `nodes: []
type_rules: [{from: a, to: b}]
strict_types: false`,
  `nodes: []
deploy: {machine: x}`,
  `nodes: []
health_check_interval: ~`,
  `nodes: []
exit_when_nodes_finish: ~`,
  `nodes:
  - &n {id: a, path: sh}
  - {id: b, path: sh, outputs: &o [o], inputs: {i: b/o}}
  - {id: c, path: sh, outputs: *o}`,
]
const REFUSED_FIELDS = [
  "env: {A: [1]}",
  "inputs: {i: dora/timer/secs/0}",
  "inputs: {i: dora/timer/hz/1e12}",
  "inputs: {i: dora/timer/hz/1e-30}",
  "inputs: {i: dora/timer/secs/18446744073709551616}",
  "inputs: {i: dora/timer/secs/ 5}",
  "inputs: {i: dora/timer/hz/inf}",
  "inputs: {i: dora/timer/secs/1/2}",
  "inputs: {i: dora/timer/secs}",
  "inputs: {i: dora/logs/info/a/b}",
  "inputs: {i: dora/logs/info/}",
  "inputs: {i: dora/foo}",
  "inputs: {i: {source: a/o, queue_size: -1}}, outputs: [o]",
  "inputs: {i: {source: a/o, queue_size: 1.5}}, outputs: [o]",
  "inputs: {i: {source: a/o, queue_size: 1.0}}, outputs: [o]",
  "inputs: {i: {source: a/o, queue_size: 99999999999999999999}}, outputs: [o]",
  "inputs: {i: {source: a/o, input_timeout: -1}}, outputs: [o]",
  "inputs: {i: {source: a/o, input_timeout: .inf}}, outputs: [o]",
  'inputs: {i: {source: a/o, input_timeout: "1"}}, outputs: [o]',
  "outputs: o",
  "outputs: {o: 1}",
  "outputs: [~]",
  "args: [a, b]",
  "inputs: {a: nobody}",
  "inputs: {a: /x}",
  "inputs: {a: x/}",
  "inputs: {a: x/y z}",
  "inputs: {a: [x]}",
  "inputs: [x]",
  "inputs: {a: x/y, a: z/y}",
  "min_log_level: warning",
  "shared_memory_pool_size: 1TB",
  "restart_policy: On_failure",
  "foo: 1",
  "inputs: {i: b/o}},{id: a, path: x",
  "inputs: {i: b/o}},{id: b, path: x",
  "inputs: {i: b/o, j: c/o}",
  "cpu_affinity: [-1]",
  "cpu_affinity: 1",
  "inputs: ~",
  "inputs: , outputs: ~",
  "inputs: {i: b/o}, inputs: {j: b/o}",
  "deploy: {machine: b, foo: 1}",
  "restart_delay: -1",
  "max_restarts: -1",
  "max_restarts: 4294967296",
  "health_check_timeout: .nan",
  "max_rotated_files: 101",
  "max_rotated_files: -1",
  "max_log_size: 1TB",
  'send_stdout_as: "std out"',
  "output_framing: {o: foo}",
  "output_metadata: {o: x}",
  "branch: foo",
  'git: "http://x", branch: foo, tag: b',
  "params: {a: b}",
  "operator: {python: b}",
  "min_log_level: 5",
  "inputs: {i: {source: a/o, queue_policy: Drop_oldest}}, outputs: [o]",
  "inputs: {i: {}}, outputs: [o]",
  "inputs: {i: ~}, outputs: [o]",
  'inputs: {"a b": a/o}, outputs: [o]',
  'outputs: ["é"]',
  "outputs: [a//b]",
  'inputs: {i: "a/o "}, outputs: [o]',
  'inputs: {i: "_mod/x"}, outputs: [o]',
  'inputs: {i: "dora"}, outputs: [o]',
  'inputs: {i: "dora/timer/millis/-5"}, outputs: [o]',
  'inputs: {i: "dora/timer/hours/5"}, outputs: [o]',
  'inputs: {i: "dora/timer/hz/5/3"}, outputs: [o]',
  'inputs: {i: "dora/timer/hz/2.1e9"}, outputs: [o]',
  'inputs: {i: "dora/timer/Secs/1"}, outputs: [o]',
  'inputs: {i: "dora/timer/nanos/0"}, outputs: [o]',
  'inputs: {i: "dora/logs/warning"}, outputs: [o]',
  'inputs: {i: "dora/logs/info/x y"}, outputs: [o]',
]
const REFUSED_FILES = [
  "nodes: [{id: a, path: ~}]",
  "nodes: [{id: a, path: null, name: null, description: null, args: null, build: null, inputs: null, outputs: null, env: null, min_log_level: null}]",
  "nodes: ~",
  "nodes: {}",
  "nodes: foo",
  "- a",
  "foo",
  `nodes: []
env: {A: b}
exit_when_nodes_finish: "true"`,
  `nodes: []
health_check_interval: 0`,
  `nodes: []
health_check_interval: "5"`,
  `nodes: []
exit_when_nodes_finish: yes`,
  "nodes: [~]",
  "nodes: [a]",
  "nodes: [{}]",
  "nodes: [{id: a}]",
  "nodes: [{path: sh}]",
  `nodes: []
foo: 1`,
  "nodes: [{id: ~, path: sh}]",
  "nodes: [{id: [a], path: sh}]",
  `nodes: [{id: a, path: sh}]
---
nodes: []`,
  "nodes: [{id: a, path: dynamic, startup_timeout: 1}]",
  `nodes: []
type_rules: [{from: a}]`,
  `nodes: []
debug: {enable_debug_inspection: true, foo: 1}`,
  `nodes: []
health_check_interval: 1e-10`,
  `nodes: []
health_check_interval: -1`,
  "nodes: [{id: a/b, path: sh}]",
  "nodes: [{id: dora, path: sh}]",
  "nodes: [{id: .a, path: sh}]",
  'nodes: [{id: "", path: sh}]',
  `a: &x [1]
nodes: [{id: a, path: sh}]`,
]
// The official tool accepts these and fails, or does something else, when the dataflow runs.
const STRICTER = [
  'nodes: [{id: a, path: sh, env: {1: b, true: c, "a b": 1}}]',
  'nodes: [{id: a, path: ""}]',
  'nodes: [{id: a, path: sh, args: "a \'b"}]',
  "nodes: [{id: a, path: sh, path_sha256: b}]",
  "nodes: [{id: a, path: sh, inputs: {i: {source: a/o, foo: 1}}, outputs: [o]}]",
]

const node = (fields: string) => `nodes: [{id: a, path: sh, ${fields}}]`

describe("the official tool accepts, and so do we", () => {
  test.each([...ACCEPTED_FIELDS.map(node), ...ACCEPTED_FILES])("%s", (text) => {
    expect(errorsOf(text)).toEqual([])
  })
})

describe("the official tool refuses, and so do we", () => {
  test.each([...REFUSED_FIELDS.map(node), ...REFUSED_FILES])("%s", (text) => {
    expect(errorsOf(text)).not.toEqual([])
  })
})

describe("we refuse before the start what goes wrong after it", () => {
  test.each(STRICTER)("%s", (text) => {
    expect(errorsOf(text)).toHaveLength(1)
  })
})

describe("we accept what older versions of dora accepted, and say what it is called today", () => {
  test.each([
    "nodes: [{ id: a, custom: { source: sh, args: x, build: make, envs: { A: b }, outputs: [o] } }]",
    "nodes: [{ id: a, custom: { path: sh, env: { A: b }, inputs: { i: dora/logs } } }]",
    "nodes: [{ id: a, source: sh }]",
    "nodes: [{ id: a, path: sh }]\ncommunication: { zenoh: { prefix: x } }",
    "nodes: [{ id: a, path: sh }]\ndaemon_config: { anything: 1 }",
  ])("%s", (text) => {
    expect(errorsOf(text)).toEqual([])
    expect(warningsOf(text)).toEqual(["LEGACY_FIELD"])
  })

  test("with fields that have no effect yet", () => {
    const text =
      "nodes: [{ id: a, path: sh, _unstable_deploy: { machine: b } }]\n_unstable_debug: { publish_all_messages_to_zenoh: true }"
    expect(errorsOf(text)).toEqual([])
    expect(warningsOf(text).toSorted()).toEqual([
      "LEGACY_FIELD",
      "LEGACY_FIELD",
      "NOT_YET_SUPPORTED",
      "NOT_YET_SUPPORTED",
    ])
  })

  test("but not both spellings at once", () => {
    const twice = "nodes: [{ id: a, path: sh, custom: { source: sh } }]"
    expect(errorsOf(twice)).toEqual(["DUPLICATE_KEY"])
    expect(errorsOf("nodes: [{ id: a, path: sh, source: sh }]")).toEqual(["UNKNOWN_FIELD"])
  })
})
