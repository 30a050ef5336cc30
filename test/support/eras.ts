// Official dora of former times for tests: Python packages, each in an environment of its own.
import { join } from "node:path"
import type { Program, Role } from "./official.ts"
import { pythonWith } from "./python.ts"

const NODES = join(import.meta.dir, "../official/nodes/python")

/** The releases of dora 0.x that take part, by the version of the wheel. */
export const OLD_RELEASES = ["0.4.1", "0.5.0"] as const
/** One of {@link OLD_RELEASES}. */
export type OldVersion = (typeof OLD_RELEASES)[number]

/** An interpreter that can import that dora, pyarrow and numpy. */
export function oldPython(version: OldVersion): Promise<string> {
  return pythonWith([`dora-rs==${version}`, "pyarrow", "numpy"])
}

/** One of the nodes in test/official/nodes, run by that dora. */
export function oldNode(version: OldVersion, role: Role): Promise<Program> {
  return oldScript(version, join(NODES, `${role}.py`))
}

/** Any script, run by that dora. @param script  a path, and arguments */
export async function oldScript(version: OldVersion, script: string): Promise<Program> {
  return { path: await oldPython(version), args: `-u ${script}` }
}
