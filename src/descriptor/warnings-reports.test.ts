import { describe, expect, test } from "bun:test"
import { dedent, reportOf, type Case } from "./testing.ts"

const CASES: Case[] = [
  {
    name: "a queue size of zero",
    text: `
      nodes:
        - { id: a, path: sh, outputs: [o], inputs: { i: { source: a/o, queue_size: 0 } } }
`,
    report: `
      flow.yml:2:78: warning[QUEUE_SIZE]: \`queue_size: 0\` is treated as 1: an input that holds nothing receives nothing
        2 |   - { id: a, path: sh, outputs: [o], inputs: { i: { source: a/o, queue_size: 0 } } }
          |                                                                              ^
        hint: write \`queue_size: 1\`
`,
  },
  {
    name: "a repeated output",
    text: `
      nodes: [{ id: a, path: sh, outputs: [x, y, x] }]
`,
    report: `
      flow.yml:1:44: warning[DUPLICATE_OUTPUT]: duplicate output \`x\` of node \`a\`: it counts once
        1 | nodes: [{ id: a, path: sh, outputs: [x, y, x] }]
          |                                            ^
        hint: first used at flow.yml:1:38
`,
  },
  {
    name: "an input given twice",
    text: `
      nodes:
        - id: a
          path: sh
          outputs: [x, y]
          inputs:
            i: a/x
            i: a/y
`,
    report: `
      flow.yml:7:7: warning[DUPLICATE_KEY]: duplicate input \`i\`: the last one wins
        7 |       i: a/y
          |       ^
        hint: first used at flow.yml:6:7
`,
  },
  {
    name: "a field that has no effect yet",
    text: `
      nodes:
        - id: a
          path: sh
          pattern: service-server
`,
    report: `
      flow.yml:4:5: warning[NOT_YET_SUPPORTED]: \`pattern\` is accepted but has no effect yet
        4 |     pattern: service-server
          |     ^^^^^^^
`,
  },
  {
    name: "lines for an output that is not there",
    text: `
      nodes:
        - id: a
          path: sh
          send_stdout_as: log
`,
    report: `
      flow.yml:4:21: warning[UNDECLARED_OUTPUT]: \`send_stdout_as: log\` names no output, so nobody can read it
        4 |     send_stdout_as: log
          |                     ^^^
        hint: add \`log\` to \`outputs\`
`,
  },
  {
    name: "a variable that is not passed on",
    text: `
      nodes: [{ id: a, path: sh, env: { LD_PRELOAD: x.so } }]
`,
    report: `
      flow.yml:1:35: warning[ENV_REFUSED]: environment variable \`LD_PRELOAD\` is not passed on: it loads foreign code into the node
        1 | nodes: [{ id: a, path: sh, env: { LD_PRELOAD: x.so } }]
          |                                   ^^^^^^^^^^
        hint: remove it from the dataflow
`,
  },
  {
    name: "a value that changes on its way",
    text: `
      nodes: [{ id: a, path: sh, env: { ZIP: "01234" } }]
`,
    report: `
      flow.yml:1:40: warning[ENV_COERCED]: this value reaches the node as \`1234\`, not as \`01234\`
        1 | nodes: [{ id: a, path: sh, env: { ZIP: "01234" } }]
          |                                        ^^^^^^^
        hint: dora reads every value that looks like a number as a number, even in quotes
`,
  },
  {
    name: "a program that is not there",
    text: `
      nodes: [{ id: a, path: ./gone.ts }]
`,
    report: `
      flow.yml:1:24: warning[MISSING_PROGRAM]: Could not find source path \`./gone.ts\`
        1 | nodes: [{ id: a, path: ./gone.ts }]
          |                        ^^^^^^^^^
        hint: looked in /flows
`,
  },
  {
    name: "the old place of a node's fields",
    text: `
      nodes:
        - id: a
          custom:
            source: sh
            envs: { A: b }
            outputs: [x]
`,
    report: `
      flow.yml:3:5: warning[LEGACY_FIELD]: \`custom\` is the old place of \`source\`, \`envs\`, \`outputs\`
        3 |     custom:
          |     ^^^^^^
        hint: move its fields to the node itself; \`source\` is now \`path\`; \`envs\` is now \`env\`
`,
  },
  {
    name: "a section of old versions",
    text: `
      communication: { zenoh: {} }
      nodes: [{ id: a, path: sh }]
`,
    report: `
      flow.yml:1:1: warning[LEGACY_FIELD]: \`communication\` has no effect any more
        1 | communication: { zenoh: {} }
          | ^^^^^^^^^^^^^
        hint: remove it
`,
  },
  {
    name: "a cycle that can stand still",
    text: `
      nodes:
        - id: a
          path: sh
          inputs: { i: { source: b/o, queue_policy: backpressure } }
          outputs: [o]
        - id: b
          path: sh
          inputs: { i: { source: a/o, queue_policy: backpressure } }
          outputs: [o]
`,
    report: `
      flow.yml:8:28: warning[BACKPRESSURE_CYCLE]: every input of the cycle \`a\` → \`b\` → \`a\` has \`queue_policy: backpressure\`: with all queues full, each node waits for the next
        8 |     inputs: { i: { source: a/o, queue_policy: backpressure } }
          |                            ^^^
        hint: let one of these inputs use \`queue_policy: drop_oldest\`
`,
  },
  {
    name: "logs of a node that is not there",
    text: `
      nodes:
        - { id: viewer, path: sh, inputs: { l: dora/logs/info/viewr } }
`,
    report: `
      flow.yml:2:57: warning[UNKNOWN_NODE]: input \`viewer/l\` wants the logs of \`viewr\`, and there is no such node
        2 |   - { id: viewer, path: sh, inputs: { l: dora/logs/info/viewr } }
          |                                                         ^^^^^
        hint: did you mean \`viewer\`?
`,
  },
]

describe("reports: what is legal and probably not meant", () => {
  test.each(CASES)("$name", ({ text, report }) => {
    expect(reportOf(dedent(text))).toBe(dedent(report).trimEnd())
  })
})
