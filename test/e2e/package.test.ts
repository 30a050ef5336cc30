// What a user gets from the registry: the tarball in an empty project.
import { afterAll, expect, test } from "bun:test"
import { readdirSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { folder, start } from "../support/dora.ts"
import { ROOT } from "../support/install.ts"
import { buildC, hasCc } from "../support/operators.ts"

const NODE = `
import { Node } from "dora-bun"
import type { InputEvent } from "dora-bun"

const seen = (event: InputEvent): number => (event.array as Int32Array).length
using node = await Node.init()
for await (const event of node) {
  if (event.type !== "INPUT") continue
  if (event.id === "tick") await node.sendOutput("numbers", Int32Array.of(1, 2, 3))
  else console.log(\`seen \${seen(event)}\`)
  break
}
`
const FLOW = `
nodes:
  - { id: a, path: node.ts, inputs: { tick: dora/timer/millis/10 }, outputs: [numbers] }
  - { id: b, path: node.ts, inputs: { numbers: a/numbers } }
`
const TSCONFIG = {
  compilerOptions: {
    module: "ESNext",
    moduleResolution: "bundler",
    target: "ESNext",
    lib: ["ESNext"],
    types: ["bun-types"],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  include: ["node.ts"],
}

/** A machine on which bun is installed: it is on PATH. */
const machine = folder({})
afterAll(() => machine[Symbol.dispose]())
symlinkSync(process.execPath, join(machine.path, "bun"))

async function bun(cwd: string, ...args: string[]) {
  const env = { PATH: `${machine.path}:${process.env.PATH}` }
  await using run = start([process.execPath, ...args], { cwd, env, limitMs: 120_000 })
  return await run.finished
}

test("the packed tarball runs a dataflow and the benchmarks in an empty project, and its types resolve", async () => {
  using pack = folder({})
  const packed = await bun(ROOT, "pm", "pack", "--destination", pack.path, "--quiet")
  expect(packed.code).toBe(0)
  const tarball = readdirSync(pack.path).find((name) => name.endsWith(".tgz"))!
  const listed = await new Bun.Archive(await Bun.file(join(pack.path, tarball)).bytes()).files()
  const names = [...listed.keys()]
  expect(names).toContain("package/src/cli/main.ts")
  expect(names).toContain("package/LICENSE")
  expect(names).toContain("package/bench/floor.c")
  expect(names).toContain("package/src/runtime/python/dora_bun/runtime.py")
  const prebuilt = names.filter((name) => name.startsWith("package/ffi/prebuilt/"))
  expect(prebuilt).toEqual(hasCc ? [expect.stringMatching(/operator-shim-\w+-x64\.so$/)] : [])
  // Neither tests, nor what examples and builds have left in the tree.
  expect(names.filter((name) => /\.test\.ts$|\/out\/|\/target\/|__pycache__/.test(name))).toEqual(
    [],
  )

  using project = folder({
    "package.json": JSON.stringify({ name: "empty", private: true, type: "module" }),
    "tsconfig.json": JSON.stringify(TSCONFIG),
    "node.ts": NODE,
    "flow.yml": FLOW,
  })
  await Bun.$`rm -rf node_modules`.cwd(project.path)
  const added = await bun(project.path, "add", join(pack.path, tarball), "bun-types@1.4.5")
  expect(added.stderr).not.toContain("error")
  expect(added.code).toBe(0)

  const run = await bun(project.path, "x", "dora", "run", "flow.yml")
  expect(run.stdout).toContain("b: seen 3")
  expect(run.code).toBe(0)

  const bench = await bun(project.path, "x", "dora", "bench", "--quick", "--part", "latency")
  expect([bench.code, bench.stdout]).toEqual([0, expect.stringContaining("64 B copied, recv()")])

  const types = await bun(project.path, "check", "--no-script")
  expect([types.code, types.stdout]).toEqual([0, ""])
  if (hasCc) await runsOperator(project.path)
}, 180_000)

/** An operator in C where nobody can compile the shim: no compiler on PATH, and Bun's own is off. */
async function runsOperator(path: string): Promise<void> {
  const library = await buildC(join(ROOT, "examples/operators/smooth.c"), join(path, "out"))
  const [sensor, sink] = [join(ROOT, "examples/operators/sensor.ts"), join(path, "sink.ts")]
  await Bun.write(sink, NODE.replace("Int32Array", "Float32Array"))
  const input = { source: "smooth/op/window", queue_policy: "backpressure" }
  const operator = {
    "shared-library": library,
    inputs: { window: { source: "sensor/window", queue_policy: "backpressure" } },
    outputs: ["window"],
  }
  const nodes = [
    { id: "sensor", path: sensor, outputs: ["window"] },
    { id: "smooth", operator },
    { id: "sink", path: sink, inputs: { window: input } },
  ]
  await Bun.write(join(path, "operator.yml"), JSON.stringify({ nodes }))
  const command = [process.execPath, "x", "dora", "run", "operator.yml"]
  const bare = { PATH: machine.path, HOME: path, XDG_CACHE_HOME: join(path, "cache") }
  const run = async () => {
    const env = { ...bare, BUN_OPTIONS: "--no-ffi-cc" }
    await using started = start(command, { cwd: path, env, limitMs: 60_000 })
    return await started.finished
  }
  const { code, stdout } = await run()
  expect([code, stdout.includes("sink: seen ")]).toEqual([0, true])
  rmSync(join(path, "node_modules/dora-bun/ffi/prebuilt"), { recursive: true })
  const without = await run()
  expect([without.code, without.stderr.includes("install a C compiler")]).toEqual([1, true])
}
