// Dataflows with modules become the same nodes here as in official dora 1.1.0, or are refused by both.
import { describe, expect } from "bun:test"
import { join } from "node:path"
import YAML from "yaml"
import { DescriptorError, loadDataflow } from "../../src/descriptor/index.ts"
import { folder, start } from "../support/dora.ts"
import { INSTALL_LIMIT_MS, officialDora, withPython } from "../support/official.ts"

type Files = Record<string, string>
type Fields = Record<string, unknown>

const SENDER = "  - { id: cam, path: cam.py, outputs: [image, depth] }\n"
/** A module with an input, an optional input and an output. */
const FILTER = `
module: { name: filter, inputs: [image], inputs_optional: [mask], outputs: [clean] }
nodes:
  - id: blur
    path: blur.py
    args: --size $PARAM_SIZE --mode \${_param.mode} $PARAM_SIZES \${_param.none}
    env: { MODE: own, PARAM_SIZE: "1" }
    inputs: { image: _mod/image, mask: { source: _mod/mask, queue_size: 3 } }
    outputs: [blurred]
  - id: sharpen
    path: lib/sharpen.py
    inputs:
      image: { source: blur/blurred, queue_policy: backpressure }
      tick: dora/timer/millis/20
      logs: dora/logs/info/blur
    outputs: [clean]
`

const SAME: Record<string, Files> = {
  "a module in its own folder, and who reads from it": {
    "flow.yml": `nodes:\n${SENDER}  - { id: f, module: modules/filter.yml, inputs: { image: cam/image } }
  - { id: sink, path: sink.py, inputs: { a: f/clean, b: { source: f/clean, queue_size: 2 } } }`,
    "modules/filter.yml": FILTER,
  },
  "two uses of one file, with parameters, variables and the optional input": {
    "flow.yml": `nodes:\n${SENDER}
  - id: f
    module: filter.yml
    inputs: { image: { source: cam/image, queue_size: 7, queue_policy: backpressure }, mask: { source: cam/depth, queue_size: 9, input_timeout: 2.5 } }
    params: { size: 05, mode: a b }
    env: { MODE: outer, OTHER: x }
  - { id: g, module: filter.yml, inputs: { image: f/clean }, params: { Mode: "$HOME" } }
  - { id: sink, path: sink.py, inputs: { a: g/clean } }`,
    "filter.yml": FILTER,
  },
  "modules in modules, in folders beside each other": {
    "flow.yml": `nodes:\n${SENDER}
  - { id: o, module: a/outer.yml, inputs: { image: cam/image }, params: { size: 4 }, build: "b0" }
  - { id: sink, path: sink.py, inputs: { a: o/result } }`,
    "a/outer.yml": `
module: { name: outer, inputs: [image], outputs: [result] }
build: b1
nodes:
  - { id: f, module: ../b/filter.yml, inputs: { image: _mod/image }, build: b2, env: { X: 1 } }
  - { id: last, path: ./last.py, build: b3, inputs: { clean: f/clean }, outputs: [result] }
`,
    "b/filter.yml": `build: b4${FILTER}`,
  },
  "an output of a module that is that of a module in it": {
    "flow.yml": `nodes:\n${SENDER}
  - { id: o, module: outer.yml, inputs: { image: cam/image } }
  - { id: sink, path: sink.py, inputs: { a: o/clean } }`,
    "outer.yml": `
module: { name: outer, inputs: [image], outputs: [clean] }
nodes: [{ id: f, module: filter.yml, inputs: { image: _mod/image } }]
`,
    "filter.yml": FILTER,
  },
  "operators, alone and several": {
    "flow.yml": `nodes:\n${SENDER}
  - { id: m, module: ops/ops.yml, inputs: { image: cam/image } }
  - { id: sink, path: sink.py, inputs: { a: m/one, b: m/two } }`,
    "ops/ops.yml": `
module: { name: ops, inputs: [image], outputs: [one, two] }
build: make
nodes:
  - { id: single, operator: { python: op.py, build: own, inputs: { image: _mod/image }, outputs: [one] } }
  - id: several
    operators:
      - { id: p, python: { source: lib/p.py }, inputs: { image: _mod/image, one: single/one }, outputs: [two] }
      - { id: q, python: q.py, inputs: { two: several/p/two } }
  - { id: native, operator: { id: c, shared-library: ./c, inputs: { two: several/p/two } } }
`,
  },
  "nodes that are started by hand, or lie elsewhere": {
    "flow.yml": `nodes:\n${SENDER}
  - { id: m, module: m.yml, inputs: { image: cam/image } }`,
    "m.yml": `
module: { name: m, inputs: [image] }
nodes:
  - { id: hand, path: dynamic, inputs: { image: _mod/image } }
  - { id: far, path: /opt/far.py, inputs: { image: cam/depth } }
`,
  },
}

const FLOW = (rest: string) => `nodes:\n${SENDER}  - { id: f, module: m.yml${rest} }\n`
const IMAGE = ", inputs: { image: cam/image }"
const MODULE = "module: { name: m, inputs: [image], outputs: [o] }\n"
const NODE = "nodes: [{ id: n, path: n.py, inputs: { i: _mod/image }, outputs: [o] }]\n"
const GOOD = MODULE + NODE

/** What is refused, and the words that both say. */
const REFUSED: Record<string, [words: string, Files]> = {
  "no such file": ["module file not found", { "flow.yml": FLOW(IMAGE) }],
  "an absolute path": [
    "must be relative",
    { "flow.yml": FLOW(IMAGE).replace("m.yml", "/m.yml"), "m.yml": GOOD },
  ],
  "a file outside": [
    "escapes the project directory",
    { "in/flow.yml": FLOW(IMAGE).replace("m.yml", "../m.yml"), "m.yml": GOOD },
  ],
  "a program outside": [
    "resolves outside the project directory",
    { "in/flow.yml": FLOW(IMAGE), "in/m.yml": GOOD.replace("n.py", "../../n.py") },
  ],
  "a file that uses itself": [
    "circular module reference",
    {
      "flow.yml": FLOW(IMAGE),
      "m.yml": `${MODULE}nodes: [{ id: n, module: m.yml, inputs: { image: _mod/image } }]`,
    },
  ],
  "an input that is missing": [
    "declares required input `image` but node `f` does not provide it",
    { "flow.yml": FLOW(""), "m.yml": GOOD },
  ],
  "an input that the module has not": [
    "does not declare input `other` provided by node `f`",
    { "flow.yml": FLOW(", inputs: { image: cam/image, other: cam/depth }"), "m.yml": GOOD },
  ],
  "an output that the module has not": [
    "module `f` does not declare output `p`",
    {
      "flow.yml": `${FLOW(IMAGE)}  - { id: sink, path: s.py, inputs: { a: f/p } }`,
      "m.yml": GOOD,
    },
  ],
  "an output that nobody sends": [
    "declares output `o` but no inner node produces it",
    { "flow.yml": FLOW(IMAGE), "m.yml": GOOD.replace(", outputs: [o] }]", " }]") },
  ],
  "an output that two send": [
    "declares output `o` but multiple inner nodes produce it",
    {
      "flow.yml": FLOW(IMAGE),
      "m.yml": GOOD.replace("}]", "}, { id: p, path: p.py, outputs: [o] }]"),
    },
  ],
  "a port twice": [
    "has duplicate `inputs` entry `image`",
    { "flow.yml": FLOW(IMAGE), "m.yml": GOOD.replace("[image]", "[image, image]") },
  ],
  "a port that is required and optional": [
    "input `image` is declared as both required and optional",
    {
      "flow.yml": FLOW(IMAGE),
      "m.yml": GOOD.replace("outputs", "inputs_optional: [image], outputs"),
    },
  ],
  "a parameter with a dash": [
    "invalid param key `a-b`",
    { "flow.yml": FLOW(`${IMAGE}, params: { a-b: 1 }`), "m.yml": GOOD },
  ],
  "two parameters for one variable": [
    "both map to the env var `PARAM_A`",
    { "flow.yml": FLOW(`${IMAGE}, params: { a: 1, A: 2 }`), "m.yml": GOOD },
  ],
  "a field that belongs to the nodes inside": [
    "fields that are not allowed on Module nodes: args, outputs",
    { "flow.yml": FLOW(`${IMAGE}, args: x, outputs: [o]`), "m.yml": GOOD },
  ],
  "a field of the header that is none": [
    "unknown field `output`",
    { "flow.yml": FLOW(IMAGE), "m.yml": GOOD.replace("outputs", "output") },
  ],
  "an id that is there already": [
    "duplicate node ID `f.n`",
    { "flow.yml": `${FLOW(IMAGE)}  - { id: f.n, path: n.py }`, "m.yml": GOOD },
  ],
}

/** The fields of a node that an expansion can change, in one form. */
function plain(node: Fields): Fields {
  const { id, path, args, env, build, deploy, outputs, operator, operators } = node
  const parts = { args, env, build, deploy }
  return {
    id,
    path: path ?? null,
    ...Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, value ?? null])),
    ...ports(node),
    outputs: ((outputs ?? []) as string[]).toSorted(),
    operators: [...(operator ? [operator] : []), ...((operators as Fields[]) ?? [])].map(
      (inner) => {
        const { id: name, python, build: own, outputs: sent } = inner as Fields
        const file = python ?? (inner as Fields)["shared-library"]
        const source = typeof file === "object" ? (file as Fields).source : file
        return {
          id: name ?? null,
          source,
          build: own ?? null,
          outputs: sent ?? [],
          ...ports(inner as Fields),
        }
      },
    ),
  }
}

function ports(owner: Fields): Fields {
  const inputs = Object.entries((owner.inputs as Fields) ?? {}).map(([name, value]) => {
    const options = typeof value === "string" ? { source: value } : (value as Fields)
    const set = Object.entries(options).filter(([, option]) => option !== null)
    return [name, Object.fromEntries(set.sort())] as const
  })
  return { inputs: Object.fromEntries(inputs.sort()) }
}

function flowOf(files: Files): string {
  return Object.keys(files).find((name) => name.endsWith("flow.yml"))!
}

/** What the official tool makes of a dataflow, and what we do: the dataflow, or the error. */
async function expandBoth(files: Files) {
  using place = folder(files)
  const path = join(place.path, flowOf(files))
  const command = start([await officialDora(), "expand", path], { limitMs: 60_000 })
  const { code, stdout, stderr } = await command.finished
  const official = { code: code ?? -1, output: code === 0 ? stdout : stdout + stderr }
  const [ours] = await Promise.allSettled([loadDataflow(path)])
  return { official, ours }
}

describe("as official dora expands it", () => {
  for (const [name, files] of Object.entries(SAME)) {
    withPython(
      name,
      async () => {
        const { official, ours } = await expandBoth(files)
        expect(official).toMatchObject({ code: 0 })
        const theirs = (YAML.parse(official.output) as { nodes: Fields[] }).nodes.map(plain)
        if (ours.status === "rejected") throw ours.reason
        expect((ours.value.json as { nodes: Fields[] }).nodes.map(plain)).toEqual(theirs)
      },
      INSTALL_LIMIT_MS,
    )
  }
})

describe("refused by both", () => {
  for (const [name, [words, files]] of Object.entries(REFUSED)) {
    withPython(
      name,
      async () => {
        const { official, ours } = await expandBoth(files)
        expect(official.code).not.toBe(0)
        expect(official.output.replace(/\n +│? */g, " ")).toContain(words)
        const error = ours.status === "rejected" ? ours.reason : null
        expect(error).toBeInstanceOf(DescriptorError)
        expect((error as DescriptorError).message).toContain(words)
      },
      INSTALL_LIMIT_MS,
    )
  }
})
