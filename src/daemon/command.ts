// From `path` in the dataflow file to a command line. Order: section 10 of the descriptor reference, plus scripts for Bun.
import { accessSync, constants } from "node:fs"
import { extname, join, resolve } from "node:path"
import { findProgram } from "../descriptor/program.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import { CommandError } from "./command-error.ts"
import { isPython } from "./operators.ts"
import { condaRun, findPython, uvRun } from "./python.ts"
import type { RunOptions } from "./types.ts"

/** A command line, and the variables it needs. */
export type Command = {
  argv: string[]
  env: Record<string, string>
  /** A script for Bun: it knows shared memory. Any other program may be an official node. */
  script: boolean
}

/** What runs operators, and those in Python. */
const RUNTIME = join(import.meta.dir, "../runtime/main.ts")
const PYTHON_RUNTIME = join(import.meta.dir, "../runtime/python/main.py")
/** What may be run, and how. */
export type CommandOptions = {
  /** Python comes from `uv run`. */
  uv?: boolean
  /** Nodes may run a shell. */
  shell?: boolean
}

/** What the options of a run say of it. */
export function commandOptions({ uv, allowShellNodes }: RunOptions): CommandOptions {
  return {
    uv: uv ?? false,
    shell: allowShellNodes ?? process.env.DORA_ALLOW_SHELL_NODES === "true",
  }
}

const SCRIPTS = new Set([".ts", ".tsx", ".js", ".mjs"])
/**
 * Finds the program of a node.
 *
 * @param cwd  where the node will run
 * @param env  its environment, for PATH
 * @throws CommandError
 */
export function resolveCommand(
  node: NodeSpec,
  cwd: string,
  env: Record<string, string>,
  { uv = false, shell = false }: CommandOptions = {},
): Command {
  if (isPython(node)) {
    const conda = node.operators[0]!.condaEnv
    const python =
      conda === null ? pythonOf(node, cwd, env, uv) : [...condaRun(node, conda, env), "python"]
    return { argv: [...python, "-u", PYTHON_RUNTIME, node.id], env: {}, script: false }
  }
  if (node.operators.length > 0) {
    // The id is there for who looks at the list of processes.
    return { argv: [process.execPath, RUNTIME, node.id], env: bunEnvironment(), script: true }
  }
  if (node.shell) return shellCommand(node, shell)
  const file = findProgram(node.path, cwd, (name) => env[name])
  if (!file) throw missing(node, cwd)
  const extension = extname(file)
  if (SCRIPTS.has(extension)) {
    return { argv: [process.execPath, file, ...node.args], env: bunEnvironment(), script: true }
  }
  if (extension === ".py") {
    return {
      argv: [...pythonOf(node, cwd, env, uv), "-u", file, ...node.args],
      env: {},
      script: false,
    }
  }
  if (!isExecutable(file)) {
    throw new CommandError(
      node,
      `${file} is not executable`,
      `make it executable (chmod +x), or give it one of the endings ${[...SCRIPTS].join(" ")} .py`,
    )
  }
  const before = uv ? uvRun(node, env) : []
  return { argv: [...before, file, ...node.args], env: {}, script: false }
}

/** Whoever may write a dataflow file could run anything anyway; that it looks like a path is what makes it worth a permission. */
function shellCommand(node: NodeSpec, isAllowed: boolean): Command {
  if (isAllowed) return { argv: ["/bin/sh", "-c", ...node.args], env: {}, script: false }
  const why = "shell nodes are disabled by default (security risk)"
  const fix =
    "read its `args`; then `--allow-shell-nodes`, or DORA_ALLOW_SHELL_NODES=true, allows it"
  throw new CommandError(node, why, fix)
}

function pythonOf(node: NodeSpec, cwd: string, env: Record<string, string>, uv: boolean): string[] {
  return uv ? [...uvRun(node, env), "python"] : [findPython(node, cwd, env)]
}

function missing(node: NodeSpec, cwd: string): CommandError {
  const bare = !node.path.includes("/")
  return new CommandError(
    node,
    `there is no file ${resolve(cwd, node.path)}${bare ? ", and no such program on PATH" : ""}`,
    node.build.length > 0
      ? "see whether its `build` makes it; paths start at the directory of the dataflow file"
      : "check the spelling; paths start at the directory of the dataflow file",
  )
}

/** A compiled `dora` carries Bun in itself and is told by a variable to be just that. */
function bunEnvironment(): Record<string, string> {
  return Bun.main.startsWith("/$bunfs/") || process.env.BUN_BE_BUN ? { BUN_BE_BUN: "1" } : {}
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
