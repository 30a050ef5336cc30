import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { parseDataflow } from "./load.ts"
import { replaceParams } from "./module-node.ts"
import { DescriptorError } from "./problems.ts"
import { formatProblems } from "./report.ts"
import type { Dataflow, Problem } from "./types.ts"
import { dedent } from "./testing.ts"

const ENV = { PATH: "/usr/bin:/bin", HOME: "/home/me" }
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

/** Files in a folder of their own; `flow.yml` is the dataflow. */
class Place implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "dora-module-"))

  constructor(files: Record<string, string | Uint8Array>) {
    for (const [name, text] of Object.entries(files)) this.write(name, text)
  }

  write(name: string, text: string | Uint8Array): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true })
    writeFileSync(join(this.path, name), text)
  }

  load(text: string): Dataflow {
    return parseDataflow(text, join(this.path, "flow.yml"), { env: ENV })
  }

  problems(text: string): { problems: readonly Problem[]; report: string } {
    let found: Pick<Dataflow, "texts"> & { problems: readonly Problem[] }
    try {
      const { warnings, texts } = this.load(text)
      found = { problems: warnings, texts }
    } catch (error) {
      if (!(error instanceof DescriptorError)) throw error
      found = error
    }
    const report = formatProblems(found.problems, found.texts)
    return { problems: found.problems, report: report.replaceAll(`${this.path}/`, "") }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

const FLOW = dedent(`
      nodes:
        - { id: cam, path: sh, outputs: [image] }
        - { id: f, module: lib/m.yml, inputs: { image: cam/image } }
        - { id: sink, path: sh, inputs: { clean: f/clean } }
`)
const MODULE = dedent(`
      module:
        name: filter
        inputs: [image]
        outputs: [clean]
      nodes:
        - id: blur
          path: sh
          inputs:
            image: _mod/image
          outputs: [clean]
`)

describe("a module", () => {
  test("becomes its nodes, whose places are in its file", () => {
    using place = new Place({ "lib/m.yml": MODULE })
    const { nodes, warnings, json } = place.load(FLOW)
    expect(warnings).toEqual([])
    expect(nodes.map(({ id }) => id)).toEqual(["cam", "f.blur", "sink"])
    const [, blur, sink] = nodes
    const file = join(place.path, "lib/m.yml")
    expect(blur!.position).toEqual({ file, line: 6, column: 5 })
    expect(blur!.inputs).toMatchObject([
      { id: "image", source: { kind: "output", node: "cam", output: "image" } },
    ])
    expect(sink!.inputs[0]!.source).toEqual({ kind: "output", node: "f.blur", output: "clean" })
    expect(json).toMatchObject({ nodes: [{ id: "cam" }, { id: "f.blur" }, { id: "sink" }] })
  })

  test("has its files beside its own, and commands on PATH", () => {
    using place = new Place({ "lib/m.yml": MODULE, "lib/run.ts": "" })
    const paths = (path: string) => {
      place.write("lib/m.yml", MODULE.replace("path: sh", `path: ${path}`))
      const { nodes, warnings } = place.load(FLOW)
      return [nodes[1]!.path, warnings.map(({ code }) => code)]
    }
    expect(paths("run.ts")).toEqual(["lib/run.ts", []])
    expect(paths("./run.ts")).toEqual(["lib/run.ts", []])
    expect(paths("sh")).toEqual(["sh", []])
    expect(paths("/bin/sh")).toEqual(["/bin/sh", []])
    expect(paths("$HOME/x")).toEqual(["$HOME/x", ["MISSING_PROGRAM"]])
    expect(paths("none.ts")).toEqual(["lib/none.ts", ["MISSING_PROGRAM"]])
    place.write("lib/sh", "")
    expect(paths("sh")).toEqual(["lib/sh", []])
  })

  test("passes parameters on as they are written, and its environment unless a node has its own", () => {
    using place = new Place({
      "lib/m.yml": MODULE.replace(
        "path: sh",
        "path: sh\n    env: { A: own }\n    args: -c $PARAM_X",
      ),
    })
    const outer = "env: { A: outer, B: 1.0 }, params: { x: '2.0', home: $HOME }, inputs: { image"
    const [, blur] = place.load(FLOW.replace("inputs: { image", outer)).nodes
    expect(blur!.env).toEqual({ A: "own", B: "1", PARAM_X: "2.0", PARAM_HOME: "$HOME" })
    expect(blur!.args).toEqual(["-c", "2.0"])
  })

  test("leaves out an optional input that nothing is wired to, and its type", () => {
    const more = "_mod/image\n      mask: _mod/mask\n    input_types: { mask: std/core/v1/Bytes }"
    const text = MODULE.replace("_mod/image", more)
    using place = new Place({
      "lib/m.yml": text.replace("name:", "inputs_optional: [mask]\n  name:"),
    })
    const { nodes, warnings } = place.load(FLOW)
    expect(warnings).toEqual([])
    expect(nodes[1]!.inputs.map(({ id }) => id)).toEqual(["image"])
  })

  test("gives an input the options of both sides, the inner ones first", () => {
    const inner = "{ source: _mod/image, queue_size: 3 }"
    using place = new Place({ "lib/m.yml": MODULE.replace("_mod/image", inner) })
    const outer = "{ queue_size: 9, source: cam/image, queue_policy: backpressure }"
    const { nodes } = place.load(FLOW.replace("image: cam/image", `image: ${outer}`))
    expect(nodes[1]!.inputs[0]).toMatchObject({ queueSize: 3, queuePolicy: "backpressure" })
    const [, plain] = place.load(FLOW).nodes
    expect(plain!.inputs[0]).toMatchObject({ queueSize: 3, queuePolicy: "drop_oldest" })
  })

  test("is read once, however often it is used, and may be of an older dora", () => {
    const old = dedent(`
      module: { name: old, inputs: [image], outputs: [clean] }
      nodes:
        - id: n
          custom: { source: sh, inputs: { image: _mod/image }, outputs: [clean] }
`)
    using place = new Place({ "lib/m.yml": old })
    const more = "  - { id: g, module: ./lib/../lib/m.yml, inputs: { image: f/clean } }\n"
    const { nodes, warnings } = place.load(FLOW + more)
    expect(warnings.map(({ code }) => code)).toEqual(["LEGACY_FIELD"])
    expect(nodes.at(-1)!.inputs[0]!.source).toMatchObject({ node: "f.n", output: "clean" })
  })
})

describe("parameters in a text", () => {
  test("are replaced once, and what names none stays", () => {
    const params = new Map([
      ["a", { text: "$PARAM_B ${_param.B}" }],
      ["B", { text: "b" }],
    ])
    expect(replaceParams("$PARAM_A $PARAM_AB ${_param.B}-$PARAM_B.x", params)).toBe(
      "$PARAM_B ${_param.B} $PARAM_AB b-b.x",
    )
    expect(replaceParams("${_param.A} ${_param. $ $$PARAM_a ${_param.B", params)).toBe(
      "${_param.A} ${_param. $ $$PARAM_a ${_param.B",
    )
  })
})

describe("what is wrong is told with its place", () => {
  test("in the file of the module", () => {
    const text = MODULE.replace("path: sh", "path: sh\n    ouputs: []").replace(
      "[clean]",
      "[claen]",
    )
    using place = new Place({ "lib/m.yml": text })
    expect(place.problems(FLOW).report).toBe(
      dedent(`
      flow.yml:4:44: error[UNKNOWN_OUTPUT]: node \`sink\` references \`f/clean\` but module \`f\` does not declare output \`clean\`
        4 |   - { id: sink, path: sh, inputs: { clean: f/clean } }
          |                                            ^^^^^^^
        hint: did you mean \`claen\`?

      lib/m.yml:4:13: error[UNKNOWN_OUTPUT]: module \`filter\` declares output \`claen\` but no inner node produces it
        4 |   outputs: [claen]
          |             ^^^^^
        hint: did you mean \`clean\`?

      lib/m.yml:8:5: error[UNKNOWN_FIELD]: unknown field \`ouputs\` in node \`f.blur\`
        8 |     ouputs: []
          |     ^^^^^^
        hint: did you mean \`outputs\`?
`).trimEnd(),
    )
  })

  test("in the dataflow, where it wires a module", () => {
    using place = new Place({ "lib/m.yml": MODULE })
    expect(place.problems(FLOW.replace("image: cam/image", "imgae: cam/image")).report).toBe(
      dedent(`
      flow.yml:3:11: error[MISSING_INPUT]: module \`filter\` declares required input \`image\` but node \`f\` does not provide it
        3 |   - { id: f, module: lib/m.yml, inputs: { imgae: cam/image } }
          |           ^
        hint: add \`image: <source_node>/<output>\` to the node's inputs

      flow.yml:3:43: error[UNKNOWN_INPUT]: module \`filter\` does not declare input \`imgae\` provided by node \`f\`
        3 |   - { id: f, module: lib/m.yml, inputs: { imgae: cam/image } }
          |                                           ^^^^^
        hint: did you mean \`image\`?
`).trimEnd(),
    )
    expect(place.problems(FLOW.replace("image: cam/image", "image: cma/image")).report).toBe(
      dedent(`
      flow.yml:3:50: error[UNKNOWN_NODE]: source node \`cma\` mapped to input \`f.blur/image\` does not exist
        3 |   - { id: f, module: lib/m.yml, inputs: { image: cma/image } }
          |                                                  ^^^
        hint: did you mean \`cam\`?
`).trimEnd(),
    )
  })

  const inFile = (text: string | Uint8Array, ...codes: string[]) => ({ text, codes })
  for (const [name, { text, codes }] of Object.entries({
    "an empty file": inFile("", "BAD_MODULE"),
    "a list": inFile("[a]", "WRONG_TYPE"),
    "no YAML": inFile("module: {", "YAML_SYNTAX"),
    "no text": inFile(new Uint8Array([0x6e, 0xff]), "BAD_MODULE"),
    "too large a file": inFile(`#${"x".repeat(2 ** 20)}`, "BAD_MODULE"),
    "a dataflow": inFile("nodes: []", "MISSING_FIELD"),
    "no nodes": inFile("module: { name: m }", "MISSING_FIELD"),
    "a header that is none": inFile("module: m\nnodes: []", "WRONG_TYPE"),
    "a header without a name": inFile("module: {}\nnodes: []", "MISSING_FIELD"),
    "ports that are none": inFile(
      "module: { name: m, inputs: [[a], b c] }\nnodes: []",
      "WRONG_TYPE",
      "BAD_ID",
    ),
    "a build that is none": inFile("module: { name: m }\nbuild: [a]\nnodes: []", "WRONG_TYPE"),
    "an unknown port": inFile(MODULE.replace("_mod/image", "_mod/imgae"), "UNKNOWN_INPUT"),
    "a node without an id": inFile(MODULE.replace("id: blur", "name: blur"), "MISSING_FIELD"),
    "a node that is none": inFile(`${MODULE}  - blur\n`, "WRONG_TYPE"),
    "a field of a node that is no mapping": inFile(`${MODULE}    env: []\n`, "WRONG_TYPE"),
  })) {
    test(name, () => {
      using place = new Place({ "lib/m.yml": text })
      const params = FLOW.replace("module:", "params: { x: 1 }, module:")
      const { problems, report } = place.problems(params)
      const errors = problems.filter(({ severity }) => severity === "error")
      // That the module can't be used is told once, and not again for everyone who reads from it.
      expect({ report, codes: errors.map(({ code }) => code) }).toMatchObject({ codes })
      expect(report).toMatch(/lib\/m\.yml/)
    })
  }

  test("a folder, a pipe and a link that leads out of the project", () => {
    using place = new Place({ "in/x": "", "m.yml": MODULE })
    const codeOf = (path: string) => {
      const flow = FLOW.replace("lib/m.yml", path)
      const { problems } = place.problems(flow)
      return problems.map(({ code, message }) => [code, message.replaceAll(place.path, "")])
    }
    expect(codeOf("in")).toEqual([
      ["BAD_MODULE", "failed to read module file `/in`: /in is no file"],
    ])
    expect(Bun.spawnSync(["mkfifo", join(place.path, "pipe")]).exitCode).toBe(0)
    expect(codeOf("pipe")[0]![0]).toBe("BAD_MODULE")
    symlinkSync("/etc/hostname", join(place.path, "link.yml"))
    expect(codeOf("link.yml")).toEqual([
      ["OUTSIDE_PROJECT", "module path `link.yml` escapes the project directory (node `f`)"],
    ])
    symlinkSync("m.yml", join(place.path, "alias.yml"))
    expect(codeOf("alias.yml")).toEqual([])
  })

  test("modules that contain each other", () => {
    const one = (other: string) =>
      MODULE.replace("path: sh", `module: ${other}`).replace("    outputs: [clean]\n", "")
    using place = new Place({ "lib/m.yml": one("b.yml"), "lib/b.yml": one("m.yml") })
    const { report } = place.problems(FLOW)
    expect(report).toContain("lib/b.yml:7:13: error[MODULE_CYCLE]")
    expect(report).toContain("uses the next: `lib/m.yml` → `lib/b.yml` → `lib/m.yml`")
  })

  test("modules in modules without end, or too many of them", () => {
    using place = new Place({})
    const nested = (level: number, uses: number) => {
      const nodes = Array.from(
        { length: uses },
        (_, i) => `  - { id: n${i}, module: ${level + 1}.yml }\n`,
      )
      return `module: { name: m }\nnodes:\n${nodes.join("")}`
    }
    const flow = "nodes: [{ id: a, module: 0.yml }]"
    for (let level = 0; level < 7; level++) place.write(`${level}.yml`, nested(level, 2))
    place.write("7.yml", "module: { name: m }\nnodes: [{ id: n, path: sh }]")
    expect(place.load(flow).nodes).toHaveLength(128)
    place.write("7.yml", nested(7, 1))
    place.write("8.yml", "module: { name: m }\nnodes: []")
    expect(place.problems(flow).report).toContain("7.yml:3:23: error[MODULE_DEPTH]")
    for (let level = 0; level < 7; level++) place.write(`${level}.yml`, nested(level, 40))
    place.write("7.yml", "module: { name: m }\nnodes: []")
    expect(place.problems(flow).problems.map(({ code }) => code)).toContain("FILE_TOO_LARGE")
  })
})

test(`any text of a module gives a dataflow or problems with places (FUZZ_SEED=${SEED})`, () => {
  using place = new Place({})
  const pieces =
    "module: |nodes:|name: |inputs: |[image]|[clean]|- id: |_mod/image|: |\n|  |{|}|[|]|,|*a|&a |build: |params: |~".split(
      "|",
    )
  const edit = fc.record({
    at: fc.nat(MODULE.length),
    cut: fc.nat(12),
    insert: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })),
  })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce(
        (before, { at, cut, insert }) => before.slice(0, at) + insert + before.slice(at + cut),
        MODULE,
      )
      place.write("lib/m.yml", text)
      const { problems } = place.problems(FLOW.replace("module:", "params: { x: 1 }, module:"))
      const lines = new Map([
        ["flow.yml", FLOW.split("\n")],
        ["lib/m.yml", text.replace(/^\ufeff/, "").split("\n")],
      ])
      for (const { position } of problems) {
        const line = lines.get(position.file.slice(place.path.length + 1))?.[position.line - 1]
        expect(line).toBeDefined()
      }
    }),
    { seed: SEED, numRuns: 500 },
  )
})
