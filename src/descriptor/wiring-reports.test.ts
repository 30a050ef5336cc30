import { describe, expect, test } from "bun:test"
import { dedent, reportOf, type Case } from "./testing.ts"

const CASES: Case[] = [
  {
    name: "an unknown source node",
    text: `
      nodes:
        - { id: camera, path: sh, outputs: [image] }
        - id: edges
          path: sh
          inputs:
            image: camra/image
`,
    report: `
      flow.yml:6:14: error[UNKNOWN_NODE]: source node \`camra\` mapped to input \`edges/image\` does not exist
        6 |       image: camra/image
          |              ^^^^^
        hint: did you mean \`camera\`?
`,
  },
  {
    name: "an unknown output",
    text: `
      nodes:
        - { id: camera, path: sh, outputs: [image, depth] }
        - id: edges
          path: sh
          inputs:
            image: { source: camera/imgae, queue_size: 1 }
`,
    report: `
      flow.yml:6:31: error[UNKNOWN_OUTPUT]: output \`camera/imgae\` mapped to input \`edges/image\` does not exist
        6 |       image: { source: camera/imgae, queue_size: 1 }
          |                               ^^^^^
        hint: did you mean \`image\`? \`camera\` has the outputs \`image\`, \`depth\`
`,
  },
  {
    name: "an output of a node that has none",
    text: `
      nodes:
        - { id: a, path: sh }
        - { id: b, path: sh, inputs: { i: a/o } }
`,
    report: `
      flow.yml:3:39: error[UNKNOWN_OUTPUT]: output \`a/o\` mapped to input \`b/i\` does not exist
        3 |   - { id: b, path: sh, inputs: { i: a/o } }
          |                                       ^
        hint: \`a\` has no outputs; add \`outputs: [o]\` to it
`,
  },
  {
    name: "a duplicate node id",
    text: `
      nodes:
        - id: a
          path: sh
        - id: a
          path: sh
`,
    report: `
      flow.yml:4:9: error[DUPLICATE_NODE]: duplicate node ID \`a\` — each node must have a unique \`id\`
        4 |   - id: a
          |         ^
        hint: first used at flow.yml:2:9
`,
  },
  {
    name: "a timer of zero",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/millis/0 } }]
`,
    report: `
      flow.yml:1:59: error[BAD_TIMER]: timer interval must be non-zero
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/millis/0 } }]
          |                                                           ^
`,
  },
  {
    name: "a timer with a fraction",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/0.5 } }]
`,
    report: `
      flow.yml:1:57: error[BAD_TIMER]: secs must be an integer (got \`0.5\`)
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/0.5 } }]
          |                                                         ^^^
        hint: write \`dora/timer/millis/500\`
`,
  },
  {
    name: "a negative timer",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/-1 } }]
`,
    report: `
      flow.yml:1:57: error[BAD_TIMER]: secs must be an integer (got \`-1\`)
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/-1 } }]
          |                                                         ^^
`,
  },
  {
    name: "a timer beyond 64 bits",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/18446744073709551616 } }]
`,
    report: `
      flow.yml:1:57: error[BAD_TIMER]: secs must be an integer (got \`18446744073709551616\`)
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs/18446744073709551616 } }]
          |                                                         ^^^^^^^^^^^^^^^^^^^^
`,
  },
  {
    name: "an unknown timer unit",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/milis/5 } }]
`,
    report: `
      flow.yml:1:52: error[BAD_TIMER]: timer unit must be \`secs\`, \`millis\`, \`micros\`, \`nanos\`, or \`hz\`
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/milis/5 } }]
          |                                                    ^^^^^
        hint: did you mean \`millis\`?
`,
  },
  {
    name: "a timer without a value",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs } }]
`,
    report: `
      flow.yml:1:41: error[BAD_TIMER]: timer input must specify unit and value (e.g. \`secs/5\`, \`millis/100\`, or \`hz/30\`)
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/secs } }]
          |                                         ^^^^^^^^^^^^^^^
`,
  },
  {
    name: "a frequency that is no number",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timer/hz/fast } }]
`,
    report: `
      flow.yml:1:55: error[BAD_TIMER]: hz must be a positive finite number
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timer/hz/fast } }]
          |                                                       ^^^^
`,
  },
  {
    name: "an unknown input of dora",
    text: `
      nodes: [{ id: a, path: sh, inputs: { t: dora/timers/secs/1 } }]
`,
    report: `
      flow.yml:1:46: error[BAD_SOURCE]: unknown dora input \`timers\`
        1 | nodes: [{ id: a, path: sh, inputs: { t: dora/timers/secs/1 } }]
          |                                              ^^^^^^
        hint: did you mean \`dora/timer\`?
`,
  },
  {
    name: "an unknown log level",
    text: `
      nodes: [{ id: a, path: sh, inputs: { l: dora/logs/eror } }]
`,
    report: `
      flow.yml:1:51: error[BAD_SOURCE]: unknown log level \`eror\`, expected one of: error, warn, info, debug, trace, stdout
        1 | nodes: [{ id: a, path: sh, inputs: { l: dora/logs/eror } }]
          |                                                   ^^^^
        hint: did you mean \`error\`?
`,
  },
  {
    name: "an input without an output name",
    text: `
      nodes: [{ id: a, path: sh, inputs: { i: camera } }]
`,
    report: `
      flow.yml:1:41: error[BAD_SOURCE]: input must start with \`<source>/\`
        1 | nodes: [{ id: a, path: sh, inputs: { i: camera } }]
          |                                         ^^^^^^
        hint: name the output too: \`camera/<output>\`
`,
  },
]

describe("reports: how nodes are connected", () => {
  test.each(CASES)("$name", ({ text, report }) => {
    expect(reportOf(dedent(text))).toBe(dedent(report).trimEnd())
  })
})
