// Which file a node's `path` means.
import { accessSync, constants, statSync } from "node:fs"
import { isAbsolute, join, resolve } from "node:path"
import type { Lookup } from "./env.ts"

/** The only variables that `path` expands; others stay as written. */
const PATH_VARIABLES = new Set(["HOME", "USER", "DORA_WORKSPACE", "CARGO_MANIFEST_DIR", "PWD"])

/**
 * The program that a `path` names: a file below the working directory, else a command on PATH, else
 * null. Symbolic links are kept, which virtual environments depend on.
 *
 * @param workingDir  absolute
 * @example findProgram("camera.ts", "/flows", (name) => process.env[name]) // "/flows/camera.ts"
 */
export function findProgram(path: string, workingDir: string, lookup: Lookup): string | null {
  const expanded = expandPath(path, lookup)
  if (expanded === "") return null
  const file = resolve(workingDir, expanded)
  if (isFile(file)) return file
  if (expanded.includes("/") || isAbsolute(expanded)) return null
  for (const folder of (lookup("PATH") ?? "").split(":")) {
    if (folder === "") continue
    const command = join(folder, expanded)
    if (isFile(command) && isExecutable(command)) return command
  }
  return null
}

function expandPath(path: string, lookup: Lookup): string {
  return path.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? ""
    return PATH_VARIABLES.has(name) ? (lookup(name) ?? whole) : whole
  })
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
  } catch {
    // Unreadable, too long, or with a NUL in it: no file that could be started.
    return false
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
