import { describe, expect, test } from "bun:test"
import { dedent, reportOf, type Case } from "./testing.ts"

const CASES: Case[] = [
  {
    name: "a number in quotes",
    text: `
      nodes:
        - { id: a, path: sh, outputs: [o], inputs: { i: { source: a/o, queue_size: "5" } } }
`,
    report: `
      flow.yml:2:78: error[WRONG_TYPE]: \`queue_size\`: expected a whole number, found a string
        2 |   - { id: a, path: sh, outputs: [o], inputs: { i: { source: a/o, queue_size: "5" } } }
          |                                                                              ^^^
        hint: remove the quotes
`,
  },
  {
    name: "a boolean of YAML 1.1",
    text: `
      exit_when_nodes_finish: yes
      nodes: [{ id: a, path: sh }]
`,
    report: `
      flow.yml:1:25: error[WRONG_TYPE]: \`exit_when_nodes_finish\`: expected \`true\` or \`false\`, found a string
        1 | exit_when_nodes_finish: yes
          |                         ^^^
        hint: write \`true\`, without quotes
`,
  },
  {
    name: "an unknown queue policy",
    text: `
      nodes:
        - { id: a, path: sh, outputs: [o], inputs: { i: { source: a/o, queue_policy: drop-oldest } } }
`,
    report: `
      flow.yml:2:80: error[BAD_VALUE]: \`queue_policy\`: unknown variant \`drop-oldest\`, expected one of \`drop_oldest\`, \`backpressure\`
        2 |   - { id: a, path: sh, outputs: [o], inputs: { i: { source: a/o, queue_policy: drop-oldest } } }
          |                                                                                ^^^^^^^^^^^
        hint: did you mean \`drop_oldest\`?
`,
  },
  {
    name: "an undefined variable",
    text: `
      nodes:
        - id: a
          path: sh
          env:
            HOST: "$HOST_NAME:\${PORT}"
`,
    report: `
      flow.yml:5:14: error[UNDEFINED_VARIABLE]: environment variable \`HOST_NAME\` is not defined
        5 |       HOST: "$HOST_NAME:\${PORT}"
          |              ^^^^^^^^^^
        hint: set HOST_NAME, give a default with \`\${HOST_NAME:-value}\`, or write \`$$\` for a dollar sign

      flow.yml:5:25: error[UNDEFINED_VARIABLE]: environment variable \`PORT\` is not defined
        5 |       HOST: "$HOST_NAME:\${PORT}"
          |                         ^^^^^^^
        hint: set PORT, give a default with \`\${PORT:-value}\`, or write \`$$\` for a dollar sign
`,
  },
  {
    name: "a bad variable name",
    text: `
      nodes: [{ id: a, path: sh, env: { "A B": 1, "": 2 } }]
`,
    report: `
      flow.yml:1:35: error[BAD_ENV_NAME]: environment variable name \`A B\` must not contain white space
        1 | nodes: [{ id: a, path: sh, env: { "A B": 1, "": 2 } }]
          |                                   ^^^^^

      flow.yml:1:45: error[BAD_ENV_NAME]: environment variable name must not be empty
        1 | nodes: [{ id: a, path: sh, env: { "A B": 1, "": 2 } }]
          |                                             ^^
`,
  },
  {
    name: "a quote in args that is never closed",
    text: `
      nodes:
        - id: a
          path: sh
          args: |
            --name "one two"
            --text 'three
`,
    report: `
      flow.yml:6:14: error[BAD_QUOTING]: invalid quoting in node args: --name "one two"␊--text 'three
        6 |       --text 'three
          |              ^
        hint: this quote is never closed
`,
  },
  {
    name: "a quote in build that is never closed",
    text: `
      nodes:
        - id: a
          path: sh
          build: |
            make all
            make "all
`,
    report: `
      flow.yml:6:12: error[BAD_QUOTING]: invalid quoting in build command: make "all
        6 |       make "all
          |            ^
        hint: this quote is never closed
`,
  },
  {
    name: "nodes without a command line, and kinds that can't run yet",
    text: `
      nodes:
        - { id: a, path: shell }
        - { id: b, path: https://example.org/node } # can be had
        - { id: c, operator: { wasm: https://example.org/op, outputs: [o] } }
        - { id: d, path: sh, inputs: { i: c/op/o } }
`,
    report: `
      flow.yml:2:20: error[MISSING_FIELD]: shell node \`a\` has no \`args\`
        2 |   - { id: a, path: shell }
          |                    ^^^^^
        hint: write the command line into \`args\`

      flow.yml:4:32: error[UNSUPPORTED_OPERATOR]: operator \`c/op\` is downloaded (a URL as \`wasm\`), which this version can't do yet
        4 |   - { id: c, operator: { wasm: https://example.org/op, outputs: [o] } }
          |                                ^^^^^^^^^^^^^^^^^^^^^^
        hint: download it and name the file
`,
  },
  {
    name: "two kinds at once",
    text: `
      nodes: [{ id: a, path: sh, operator: { python: op.py } }]
`,
    report: `
      flow.yml:1:28: error[EXCLUSIVE_FIELDS]: node \`a\` has multiple exclusive fields set, only one of \`path\`, \`operators\`, \`operator\`, \`ros2\`, and \`module\` is allowed
        1 | nodes: [{ id: a, path: sh, operator: { python: op.py } }]
          |                            ^^^^^^^^
`,
  },
  {
    name: "many problems at once",
    text: `
      env: { TOKEN: $MISSING }
      nodes:
        - id: camera
          pth: sh
          outputs: [image]
        - id: edges
          path: sh
          inputs:
            image: camera/imag
            tick: dora/timer/hz/0
          env: { LD_PRELOAD: evil.so }
`,
    report: `
      flow.yml:1:15: error[UNDEFINED_VARIABLE]: environment variable \`MISSING\` is not defined
        1 | env: { TOKEN: $MISSING }
          |               ^^^^^^^^
        hint: set MISSING, give a default with \`\${MISSING:-value}\`, or write \`$$\` for a dollar sign

      flow.yml:3:9: error[MISSING_PATH]: node \`camera\` requires a \`path\`, \`operators\`, \`operator\`, \`ros2\`, or \`module\` field
        3 |   - id: camera
          |         ^^^^^^
        hint: add \`path: <program or script>\`

      flow.yml:4:5: error[UNKNOWN_FIELD]: unknown field \`pth\` in node \`camera\`
        4 |     pth: sh
          |     ^^^
        hint: did you mean \`path\`?

      flow.yml:9:21: error[UNKNOWN_OUTPUT]: output \`camera/imag\` mapped to input \`edges/image\` does not exist
        9 |       image: camera/imag
          |                     ^^^^
        hint: did you mean \`image\`? \`camera\` has the output \`image\`

      flow.yml:10:27: error[BAD_TIMER]: hz must be a positive finite number
        10 |       tick: dora/timer/hz/0
           |                           ^

      flow.yml:11:12: warning[ENV_REFUSED]: environment variable \`LD_PRELOAD\` is not passed on: it loads foreign code into the node
        11 |     env: { LD_PRELOAD: evil.so }
           |            ^^^^^^^^^^
        hint: remove it from the dataflow
`,
  },
]

describe("reports: values of fields", () => {
  test.each(CASES)("$name", ({ text, report }) => {
    expect(reportOf(dedent(text))).toBe(dedent(report).trimEnd())
  })
})
