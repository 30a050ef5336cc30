import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FlowFolder } from "../testing/folder.ts"
import { commandOptions, resolveCommand } from "./command.ts"
import { CommandError } from "./command-error.ts"

const env = { PATH: process.env.PATH ?? "", HOME: "/nowhere" }

function folderWith(files: Record<string, string>): FlowFolder {
  return new FlowFolder("nodes: [{ id: a, path: a, args: -v 'two words' }]", { a: "", ...files })
}

function command(folder: FlowFolder, path: string, variables: Record<string, string> = env) {
  const node = { ...folder.flow.nodes[0]!, path }
  return resolveCommand(node, folder.path, variables).argv
}

test("a script is run by the Bun that runs us", () => {
  using folder = folderWith({ "x.ts": "", "lib/x.mjs": "", "x.js": "", "x.tsx": "" })
  for (const script of ["x.ts", "lib/x.mjs", "./x.js", "x.tsx"]) {
    expect(command(folder, script)).toEqual([
      process.execPath,
      join(folder.path, script),
      "-v",
      "two words",
    ])
  }
})

test("a Python file is run by Python 3 without buffering", () => {
  using folder = folderWith({ "x.py": "" })
  const [python, ...rest] = command(folder, "x.py")
  expect(Bun.spawnSync([python!, "--version"]).stdout.toString()).toStartWith("Python 3")
  expect(rest).toEqual(["-u", join(folder.path, "x.py"), "-v", "two words"])
})

test("Python operators are run by our host, with the interpreter of Python nodes, uv or conda", () => {
  using folder = folderWith({ "x.py": "", "bin/uv": "#!/bin/sh\n", "bin/conda": "#!/bin/sh\n" })
  const operator = { kind: "python" as const, id: "op", path: "x.py", threads: false }
  const { position } = folder.flow.nodes[0]!
  const resolve = (condaEnv: string | null, path: string, uv = false) => {
    const operators = [{ ...operator, condaEnv, position }]
    const node = { ...folder.flow.nodes[0]!, path: "", operators }
    return resolveCommand(node, folder.path, { ...env, PATH: path }, { uv }).argv
  }
  const bin = join(folder.path, "bin")
  const host = join(import.meta.dir, "../runtime/python/main.py")
  const [python, ...rest] = resolve(null, env.PATH)
  expect([python === "", ...rest]).toEqual([false, "-u", host, "a"])
  const uv = [join(bin, "uv"), "run", "python", "-u", host, "a"]
  expect(resolve(null, bin, true)).toEqual(uv)
  const conda = [
    join(bin, "conda"),
    "run",
    "--no-capture-output",
    "-n",
    "e",
    "python",
    "-u",
    host,
    "a",
  ]
  expect(resolve("e", bin)).toEqual(conda)
  expect(() => resolve("e", "/bin")).toThrow("there is no conda on PATH")
})

test("`python` is passed over when it is Python 2", () => {
  using folder = folderWith({
    "x.py": "",
    "bin/python": "#!/bin/sh\necho Python 2.7.18\n",
    "bin/python3": "#!/bin/sh\necho Python 3.12.1\n",
  })
  const bin = join(folder.path, "bin")
  expect(command(folder, "x.py", { PATH: `${bin}:/bin` })[0]).toBe(join(bin, "python3"))
})

test("a command line is run by a shell when that is allowed", () => {
  const args = "echo $HOME | tr a-z A-Z; echo 'two  words\""
  using folder = new FlowFolder(
    `nodes: [{ id: a, path: shell, args: ${JSON.stringify(args)} }]`,
    {},
  )
  const [node] = folder.flow.nodes
  expect(folder.flow.warnings).toEqual([])
  expect(resolveCommand(node!, folder.path, env, { shell: true })).toMatchObject({
    argv: ["/bin/sh", "-c", args],
    script: false,
  })
  expect(() => resolveCommand(node!, folder.path, env)).toThrow(
    /flow\.yml:1:9: node a: can't run `shell`\n.*disabled by default[\s\S]*--allow-shell-nodes/,
  )
  expect(commandOptions({ allowShellNodes: true })).toEqual({ uv: false, shell: true })
  expect(commandOptions({})).toEqual({ uv: false, shell: false })
})

test("a program lies in the dataflow's directory, or on the PATH of the node", () => {
  using folder = folderWith({ tool: "#!/bin/sh\n", "bin/other": "#!/bin/sh\n" })
  expect(command(folder, "tool")[0]).toBe(join(folder.path, "tool"))
  expect(command(folder, "other", { PATH: join(folder.path, "bin") })[0]).toBe(
    join(folder.path, "bin/other"),
  )
  expect(command(folder, "$HOME/tool", { HOME: folder.path })[0]).toBe(join(folder.path, "tool"))
})

test("links are not followed: a virtual environment depends on it", () => {
  using folder = folderWith({ tool: "#!/bin/sh\n" })
  symlinkSync(join(folder.path, "tool"), join(folder.path, "link"))
  expect(command(folder, "link")[0]).toBe(join(folder.path, "link"))
})

test("what can't be run is refused with its place, the reason and a way out", () => {
  using folder = folderWith({ plain: "" })
  chmodSync(join(folder.path, "plain"), 0o644)
  mkdirSync(join(folder.path, "folder"))
  writeFileSync(join(folder.path, "x.py"), "")
  const refusals: [string, string][] = [
    ["nothing", `there is no file ${folder.path}/nothing, and no such program on PATH`],
    ["./nothing.ts", `there is no file ${folder.path}/nothing.ts\n`],
    ["folder", "there is no file"],
    ["plain", `${folder.path}/plain is not executable`],
  ]
  for (const [path, why] of refusals) {
    expect(() => command(folder, path)).toThrow(CommandError)
    expect(() => command(folder, path)).toThrow(why)
    expect(() => command(folder, path)).toThrow(`${folder.flow.path}:1:`)
  }
  expect(() => command(folder, "x.py", { PATH: "" })).toThrow("there is no Python 3 on PATH")
})
