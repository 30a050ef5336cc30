import { describe, expect, test } from "bun:test"
import { dedent, reportOf, type Case } from "./testing.ts"

const CASES: Case[] = [
  {
    name: "an unknown field of a node",
    text: `
      nodes:
        - id: a
          path: sh
          ouputs: [x]
`,
    report: `
      flow.yml:4:5: error[UNKNOWN_FIELD]: unknown field \`ouputs\` in node \`a\`
        4 |     ouputs: [x]
          |     ^^^^^^
        hint: did you mean \`outputs\`?
`,
  },
  {
    name: "an unknown field of the root",
    text: `
      nodez: []
      nodes: [{ id: a, path: sh }]
`,
    report: `
      flow.yml:1:1: error[UNKNOWN_FIELD]: unknown field \`nodez\` in the dataflow
        1 | nodez: []
          | ^^^^^
        hint: did you mean \`nodes\`?
`,
  },
  {
    name: "a field that is like no other lists the known ones",
    text: `
      nodes:
        - id: a
          path: sh
          inputs: { i: { source: a/o, colour: red } }
          outputs: [o]
`,
    report: `
      flow.yml:4:33: error[UNKNOWN_FIELD]: unknown field \`colour\` in input \`a/i\`
        4 |     inputs: { i: { source: a/o, colour: red } }
          |                                 ^^^^^^
        hint: known fields: \`source\`, \`queue_size\`, \`queue_policy\`, \`input_timeout\`
`,
  },
  {
    name: "a duplicate field",
    text: `
      nodes:
        - id: a
          path: sh
          path: bash
`,
    report: `
      flow.yml:4:5: error[DUPLICATE_KEY]: duplicate field \`path\` in node \`a\`
        4 |     path: bash
          |     ^^^^
        hint: first used at flow.yml:3:5
`,
  },
  {
    name: "an empty file",
    text: `
`,
    report: `
      flow.yml:1:1: error[MISSING_FIELD]: missing field \`nodes\`: the file is empty
        hint: a dataflow needs \`nodes:\` with a list of nodes, each with an \`id\` and a \`path\`
`,
  },
  {
    name: "a file of comments",
    text: `
      # nothing yet
`,
    report: `
      flow.yml:1:1: error[MISSING_FIELD]: missing field \`nodes\`: the file is empty
        1 | # nothing yet
          | ^
        hint: a dataflow needs \`nodes:\` with a list of nodes, each with an \`id\` and a \`path\`
`,
  },
  {
    name: "a file without nodes",
    text: `
      env: { A: b }
`,
    report: `
      flow.yml:1:1: error[MISSING_FIELD]: missing field \`nodes\`
        1 | env: { A: b }
          | ^^^
        hint: add \`nodes:\` with a list of nodes, each with an \`id\` and a \`path\`
`,
  },
  {
    name: "a file that is a list",
    text: `
      - id: a
`,
    report: `
      flow.yml:1:1: error[WRONG_TYPE]: \`dataflow\`: expected a mapping with \`nodes\`, found a list
        1 | - id: a
          | ^^^^^^^
        hint: a dataflow needs \`nodes:\` with a list of nodes, each with an \`id\` and a \`path\`
`,
  },
  {
    name: "a YAML syntax error",
    text: `
      nodes:
        - id: a
          path: "sh
`,
    report: `
      flow.yml:3:14: error[YAML_SYNTAX]: invalid YAML: missing closing "quote
        3 |     path: "sh
          |              ^
`,
  },
  {
    name: "an unclosed list",
    text: `
      nodes:
        - id: a
          path: sh
          outputs: [x, y
`,
    report: `
      flow.yml:4:19: error[YAML_SYNTAX]: invalid YAML: flow sequence in block collection must be sufficiently indented and end with a ]
        4 |     outputs: [x, y
          |                   ^
`,
  },
  {
    name: "tabs as indentation",
    text: `
      nodes:
        - id: a
      \tpath: sh
`,
    report: `
      flow.yml:3:1: error[TAB_INDENTATION]: a tab is used for indentation; YAML allows only spaces
        3 | \tpath: sh
          | ^
        hint: replace the tab with spaces
`,
  },
  {
    name: "a second document",
    text: `
      nodes: []
      ---
      nodes: []
`,
    report: `
      flow.yml:2:1: error[MULTIPLE_DOCUMENTS]: deserializing from YAML containing more than one document is not supported
        2 | ---
          | ^^^
        hint: put every dataflow into a file of its own
`,
  },
  {
    name: "an unknown anchor",
    text: `
      nodes:
        - { id: a, path: sh, outputs: &outs [x] }
        - { id: b, path: sh, outputs: *out }
`,
    report: `
      flow.yml:3:33: error[UNKNOWN_ANCHOR]: unknown anchor \`*out\`
        3 |   - { id: b, path: sh, outputs: *out }
          |                                 ^^^^
        hint: did you mean \`*outs\`?
`,
  },
  {
    name: "a bad node id",
    text: `
      nodes:
        - id: my node
          path: sh
`,
    report: `
      flow.yml:2:9: error[BAD_ID]: identifier contains invalid character ' ' -- only [a-zA-Z0-9_.-] are allowed
        2 |   - id: my node
          |         ^^^^^^^
`,
  },
  {
    name: "a reserved node id",
    text: `
      nodes: [{ id: dora, path: sh }]
`,
    report: `
      flow.yml:1:15: error[BAD_ID]: identifier 'dora' is reserved for built-in inputs (dora/timer/..., dora/logs) and cannot be used as a node id
        1 | nodes: [{ id: dora, path: sh }]
          |               ^^^^
`,
  },
  {
    name: "a bad output name",
    text: `
      nodes: [{ id: a, path: sh, outputs: [x//y] }]
`,
    report: `
      flow.yml:1:38: error[BAD_ID]: identifier 'x//y' has empty path segment -- leading, trailing, or consecutive '/' are not allowed
        1 | nodes: [{ id: a, path: sh, outputs: [x//y] }]
          |                                      ^^^^
`,
  },
  {
    name: "a missing id",
    text: `
      nodes:
        - path: sh
          outputs: [x]
`,
    report: `
      flow.yml:2:5: error[MISSING_FIELD]: missing field \`id\` in \`nodes[0]\`
        2 |   - path: sh
          |     ^^^^
        hint: add \`id: <name>\`, unique in this file
`,
  },
  {
    name: "a missing path",
    text: `
      nodes:
        - id: a
          outputs: [x]
`,
    report: `
      flow.yml:2:9: error[MISSING_PATH]: node \`a\` requires a \`path\`, \`operators\`, \`operator\`, \`ros2\`, or \`module\` field
        2 |   - id: a
          |         ^
        hint: add \`path: <program or script>\`
`,
  },
  {
    name: "a list where a string belongs",
    text: `
      nodes:
        - id: a
          path: sh
          args: [--fast, now]
`,
    report: `
      flow.yml:4:11: error[WRONG_TYPE]: \`args\`: expected a string, found a list
        4 |     args: [--fast, now]
          |           ^^^^^^^^^^^^^
`,
  },
  {
    name: "a string where a list belongs",
    text: `
      nodes: [{ id: a, path: sh, outputs: image }]
`,
    report: `
      flow.yml:1:37: error[WRONG_TYPE]: \`outputs\`: expected a list, found a string
        1 | nodes: [{ id: a, path: sh, outputs: image }]
          |                                     ^^^^^
        hint: write \`[image]\`
`,
  },
]

describe("reports: what the file looks like", () => {
  test.each(CASES)("$name", ({ text, report }) => {
    expect(reportOf(dedent(text))).toBe(dedent(report).trimEnd())
  })
})
