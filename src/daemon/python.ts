// Which Python runs a node, and what is wrong with it when a node can't import what it needs.
import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import type { NodeSpec } from "../descriptor/types.ts"
import { CommandError } from "./command-error.ts"
import { configurationTrouble, type Trouble, WHEEL } from "./failure.ts"
import type { NodeResult } from "./types.ts"

const PROBE_TIMEOUT_MS = 10_000

/**
 * The interpreter of a node: that of the active environment, the project's as uv sees it, `python` unless it is Python 2,
 * `python3`.
 *
 * @throws CommandError
 */
export function findPython(node: NodeSpec, cwd: string, env: Record<string, string>): string {
  const active = env.VIRTUAL_ENV && join(env.VIRTUAL_ENV, "bin", "python")
  if (active && existsSync(active)) return active
  const search = { PATH: env.PATH ?? "" }
  const uv = Bun.which("uv", search)
  const fromUv = uv && outputOf([uv, "python", "find"], cwd, env)
  if (fromUv) return fromUv
  const python = Bun.which("python", search)
  if (python && outputOf([python, "--version"], cwd, env)?.startsWith("Python 3")) return python
  const python3 = Bun.which("python3", search)
  if (python3) return python3
  throw new CommandError(node, "there is no Python 3 on PATH", "install Python 3 or uv")
}

/** What `--uv` puts before a command. @throws CommandError */
export function uvRun(node: NodeSpec, env: Record<string, string>): string[] {
  const uv = Bun.which("uv", { PATH: env.PATH ?? "" })
  if (uv) return [uv, "run"]
  throw new CommandError(node, "`--uv` was given, and there is no uv on PATH", "install uv")
}

/** What stands before a command that conda runs in one of its environments. @throws CommandError */
export function condaRun(node: NodeSpec, name: string, env: Record<string, string>): string[] {
  const conda = Bun.which("conda", { PATH: env.PATH ?? "" })
  if (conda) return [conda, "run", "--no-capture-output", "-n", name]
  const what = `its \`conda_env\` is \`${name}\`, and there is no conda on PATH`
  throw new CommandError(
    node,
    what,
    "install conda, or remove `conda_env` and activate the environment",
  )
}

/** The versions of an interpreter and of the official package in it, on two lines; nothing that a node may have broken. */
const PROBE = `
import sys
print(sys.version.split()[0])
from importlib.metadata import version, PackageNotFoundError
try: print(version("dora-rs"))
except PackageNotFoundError: print("")
`

/** What to say of a node that failed, as its last words tell; null when they tell nothing that is known. */
export function troubleOf({ ok, command, stderrTail }: NodeResult): Trouble | null {
  return ok ? null : (importTrouble(command, stderrTail) ?? configurationTrouble(stderrTail))
}

/**
 * A node could not import something: which interpreter it was, which version of the official package that has, and the remedy.
 *
 * @param command  as the node was started
 * @param tail     last lines of its stderr
 */
function importTrouble(command: readonly string[], tail: readonly string[]): Trouble | null {
  const interpreter = command.find((word) => /^python[\d.]*$/.test(basename(word)))
  const error = tail.findLast((line) => /^(ModuleNotFoundError|ImportError): /.test(line.trim()))
  if (!interpreter || !error) return null
  const probed = outputOf([interpreter, "-c", PROBE], "/", { PATH: process.env.PATH ?? "" })
  const [python = "an unknown version", wheel = ""] = probed?.split("\n") ?? []
  const package_ = wheel === "" ? "has no package `dora-rs`" : `has dora-rs ${wheel}`
  const what = `${error.trim()}; its interpreter ${interpreter} is Python ${python} and ${package_}`
  const missing = /No module named '([\w.]+)'/.exec(error)?.[1]?.split(".")[0]
  const pip = `${interpreter} -m pip`
  if (missing === undefined && wheel !== "") {
    return { what, fix: `packages there don't fit each other: \`${pip} check\` says which` }
  }
  const wanted = missing === undefined || missing === "dora" ? WHEEL : missing
  const fix = `install it there: \`${pip} install ${wanted}\`, or activate the environment that has it`
  return { what, fix }
}

function outputOf(argv: string[], cwd: string, env: Record<string, string>): string | null {
  const { exitCode, stdout } = Bun.spawnSync(argv, {
    cwd,
    env,
    stdout: "pipe",
    stderr: "ignore",
    timeout: PROBE_TIMEOUT_MS,
  })
  return exitCode === 0 ? stdout.toString().trim() : null
}
