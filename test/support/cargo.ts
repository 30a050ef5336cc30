// Rust programs built by cargo into a target folder outside the tree: `${XDG_CACHE_HOME:-~/.cache}/dora-bun/cargo/`. It is
// one for all crates, since what they share takes minutes. Cargo locks it itself.
import { homedir } from "node:os"
import { join } from "node:path"

const TARGET = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "dora-bun", "cargo")

/** The program, or null when there is none. */
export const cargo = Bun.which("cargo")

const built = new Map<string, Promise<string>>()

/**
 * Builds the crate in a folder, optimized, with the versions of its Cargo.lock.
 *
 * @param folder   where Cargo.toml is
 * @param program  name of the executable
 * @returns the executable's path
 * @throws Error  no cargo, or it failed; with its output
 * @example const node = await cargoBuild(join(import.meta.dir, "nodes/rust"), "official-node")
 */
export function cargoBuild(folder: string, program: string): Promise<string> {
  const known = built.get(folder)
  if (known) return known
  const promise = build(folder, program)
  built.set(folder, promise)
  return promise
}

async function build(folder: string, program: string): Promise<string> {
  if (!cargo) throw new Error("there is no cargo on PATH")
  const child = Bun.spawn([cargo, "build", "--release", "--locked", "--quiet"], {
    cwd: folder,
    env: { ...process.env, CARGO_TARGET_DIR: TARGET },
    stdout: "ignore",
    stderr: "pipe",
  })
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`cargo build in ${folder} failed with ${code}:\n${said}`)
  return join(TARGET, "release", program)
}
