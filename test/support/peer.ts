// Programs and libraries in C that play the other end of a header of ffi/, each beside the test that it is for.
import { afterAll, beforeAll } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ROOT } from "./install.ts"
import { type NamedTest, needs } from "./toolchain.ts"

const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang")
const STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"]

/** For {@link buildPeer}: a library, for `dlopen`. */
export const LIBRARY = ["-shared", "-fPIC"]

/** A test that needs a peer. */
export const withCc: NamedTest = needs("a C compiler", compiler !== null)

/**
 * Builds `ffi/<name>.c` before the tests of a file, with all warnings as errors, where there is a compiler; afterwards it is removed.
 *
 * @param ready  gets its path
 * @example buildPeer("ring_peer", [], (path) => { program = path })
 */
export function buildPeer(name: string, flags: string[], ready: (path: string) => void): void {
  let folder: string | null = null
  beforeAll(() => {
    if (!compiler) return
    folder = mkdtempSync(join(tmpdir(), "dora-bun-peer-"))
    const path = join(folder, name)
    const source = join(ROOT, "ffi", `${name}.c`)
    const built = Bun.spawnSync([compiler, ...STRICT, ...flags, "-o", path, source])
    if (!built.success) throw new Error(built.stderr.toString())
    ready(path)
  })
  afterAll(() => {
    if (folder) rmSync(folder, { recursive: true })
  })
}
