// From `path` in the dataflow file to a command line. Order: section 10 of the descriptor reference, plus scripts for Bun.
import { accessSync, constants } from "node:fs"
import { extname, join, resolve } from "node:path"
import { DoraError } from "../core/errors.ts"
import { findProgram } from "../descriptor/program.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import { placeOf } from "./failure.ts"

/** A command line, and the variables it needs. */
export type Command = {
  argv: string[]
  env: Record<string, string>
  /** A script for Bun: it knows shared memory. Any other program may be an official node. */
  script: boolean
}

/** The program of a node is not there, or can't be run. */
export class CommandError extends DoraError {
  constructor(node: NodeSpec, why: string, fix: string) {
    super("COMMAND_NOT_FOUND", {
      what: `node ${node.id}: can't run \`${node.path}\``,
      where: placeOf(node),
      why,
      fix,
    })
  }
}

/** What runs operators. */
const RUNTIME = join(import.meta.dir, "../runtime/main.ts")
const SCRIPTS = new Set([".ts", ".tsx", ".js", ".mjs"])
/**
 * Finds the program of a node.
 *
 * @param cwd  where the node will run
 * @param env  its environment, for PATH
 * @throws CommandError
 */
export function resolveCommand(node: NodeSpec, cwd: string, env: Record<string, string>): Command {
  if (node.operators.length > 0) {
    // The id is there for who looks at the list of processes.
    return { argv: [process.execPath, RUNTIME, node.id], env: bunEnvironment(), script: true }
  }
  const file = findProgram(node.path, cwd, (name) => env[name])
  if (!file) throw missing(node, cwd)
  const extension = extname(file)
  if (SCRIPTS.has(extension)) {
    return { argv: [process.execPath, file, ...node.args], env: bunEnvironment(), script: true }
  }
  if (extension === ".py") {
    return { argv: [findPython(node, cwd, env), "-u", file, ...node.args], env: {}, script: false }
  }
  if (!isExecutable(file)) {
    throw new CommandError(
      node,
      `${file} is not executable`,
      `make it executable (chmod +x), or give it one of the endings ${[...SCRIPTS].join(" ")} .py`,
    )
  }
  return { argv: [file, ...node.args], env: {}, script: false }
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

/** The project's interpreter as uv sees it, else `python` unless it is Python 2, else `python3`. */
function findPython(node: NodeSpec, cwd: string, env: Record<string, string>): string {
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

function outputOf(argv: string[], cwd: string, env: Record<string, string>): string | null {
  const { exitCode, stdout } = Bun.spawnSync(argv, {
    cwd,
    env,
    stdout: "pipe",
    stderr: "ignore",
    timeout: 10_000,
  })
  return exitCode === 0 ? stdout.toString().trim() : null
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
