import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findProgram } from "./program.ts"

let folder = ""
const env: Record<string, string> = {}
const find = (path: string) => findProgram(path, join(folder, "flow"), (name) => env[name])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dora-program-"))
  await mkdir(join(folder, "flow"))
  await mkdir(join(folder, "bin"))
  for (const file of ["flow/node.ts", "flow/tool", "bin/tool", "bin/command", "bin/text"]) {
    await Bun.write(join(folder, file), "")
  }
  for (const file of ["bin/tool", "bin/command"]) await chmod(join(folder, file), 0o755)
  await symlink("node.ts", join(folder, "flow/link.ts"))
  env.PATH = `${join(folder, "none")}:${join(folder, "bin")}`
  env.HOME = join(folder, "bin")
  env.OTHER = "node"
})
afterAll(() => rm(folder, { recursive: true }))

describe("the program of a node", () => {
  test("is a file below the working directory before it is a command", () => {
    expect(find("tool")).toBe(join(folder, "flow/tool"))
    expect(find("./node.ts")).toBe(join(folder, "flow/node.ts"))
    expect(find("../bin/text")).toBe(join(folder, "bin/text"))
  })

  test("is a command on PATH when it has no slash and may be run", () => {
    expect(find("command")).toBe(join(folder, "bin/command"))
    expect(find("./command")).toBeNull()
    expect(find("text")).toBeNull()
  })

  test("keeps symbolic links, as virtual environments need", () => {
    expect(find("link.ts")).toBe(join(folder, "flow/link.ts"))
  })

  test("may name HOME and a few other variables, and no more", () => {
    expect(find("$HOME/command")).toBe(join(folder, "bin/command"))
    expect(find("${HOME}/command")).toBe(join(folder, "bin/command"))
    expect(find("$OTHER.ts")).toBeNull()
  })

  test.each(["gone", "", ".", "a\0b", "x".repeat(10_000)])("is not %p", (path) => {
    expect(find(path)).toBeNull()
  })
})
