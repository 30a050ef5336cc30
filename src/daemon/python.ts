// Which Python runs a node.
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { NodeSpec } from "../descriptor/types.ts"
import { CommandError } from "./command-error.ts"

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

/** What a command prints; null when it fails or takes too long. */
export function outputOf(argv: string[], cwd: string, env: Record<string, string>): string | null {
  const { exitCode, stdout } = Bun.spawnSync(argv, {
    cwd,
    env,
    stdout: "pipe",
    stderr: "ignore",
    timeout: PROBE_TIMEOUT_MS,
  })
  return exitCode === 0 ? stdout.toString().trim() : null
}
