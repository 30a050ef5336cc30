// Rust programs built by cargo into a target folder outside the tree: `${XDG_CACHE_HOME:-~/.cache}/dora-bun/cargo/`. It is
// one for all crates, since what they share takes minutes. Cargo locks it itself.
import { homedir } from "node:os"
import { join } from "node:path"
import { ROOT } from "./install.ts"
import { saidWhileSlow } from "./slow.ts"

const TARGET = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "dora-bun", "cargo")
/** So often a build is said to go on. */
const SLOW_MS = 30_000

/** The program, or null when there is none. */
export const cargo = Bun.which("cargo")

/** Time for a test that may be the first to compile the crates. */
export const CARGO_LIMIT_MS = 1_200_000

/** The environment of a build for tests: not optimized, which takes half as long, and otherwise as released. */
export const UNOPTIMIZED = {
  CARGO_TARGET_DIR: TARGET,
  CARGO_INCREMENTAL: "0",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
} as const

/** What the tests need. They are built together, so that the crates below them have the same features and are compiled once. */
const TEST_PACKAGES = [
  "official-node",
  "native-v0",
  "native-v1",
  "native-daemons",
  "native-teardown",
  "native-node-libraries",
  "dora-node-api-c",
  "dora-node-api-cxx",
]

const built = new Map<string, Promise<string>>()

/**
 * Builds the crate in a folder, optimized, with the versions of its Cargo.lock.
 *
 * @param folder   where Cargo.toml is
 * @param program  name of the executable
 * @returns the executable's path
 * @throws Error  no cargo, or it failed; with its output
 * @example const node = await cargoBuild(join(import.meta.dir, "peers/dora-rs"), "dora-bun-peer")
 */
export async function cargoBuild(folder: string, program: string): Promise<string> {
  return join(await once(folder, [], { CARGO_TARGET_DIR: TARGET }), program)
}

/**
 * Builds the crates of test/Cargo.toml.
 *
 * @returns the folder with their programs and libraries
 * @throws Error  no cargo, or it failed; with its output
 * @example join(await testCrates(), "libnative_v1.so")
 */
export function testCrates(): Promise<string> {
  const packages = TEST_PACKAGES.flatMap((name) => ["--package", name])
  return once(join(ROOT, "test"), packages, UNOPTIMIZED)
}

/**
 * Builds the Rust operators of the tests as benchmarks need them: optimized, in a target folder of their own.
 *
 * @returns the folder with libnative_v1.so
 */
export async function optimizedOperators(): Promise<string> {
  const env = { CARGO_TARGET_DIR: join(TARGET, "operators-native") }
  return await build(join(ROOT, "test"), ["--package", "native-v1"], env)
}

/** What the C++ library generates while it is built: its header and its source. */
export const CXX_BRIDGE: string = join(TARGET, "cxxbridge/dora-node-api-cxx/install")

type Environment = Record<string, string> & { CARGO_TARGET_DIR: string }

function once(folder: string, options: string[], env: Environment): Promise<string> {
  const known = built.get(folder)
  if (known) return known
  const promise = build(folder, options, env)
  built.set(folder, promise)
  return promise
}

async function build(folder: string, options: string[], more: Environment) {
  if (!cargo) throw new Error("there is no cargo on PATH")
  const child = Bun.spawn([cargo, "build", "--release", "--locked", "--quiet", ...options], {
    cwd: folder,
    env: { ...process.env, ...more },
    stdout: "ignore",
    stderr: "pipe",
  })
  const ended = Promise.all([new Response(child.stderr).text(), child.exited])
  const what = `cargo build in ${folder}, or its wait for another one,`
  const [said, code] = await saidWhileSlow(ended, what, SLOW_MS)
  if (code !== 0) throw new Error(`cargo build in ${folder} failed with ${code}:\n${said}`)
  return join(more.CARGO_TARGET_DIR, "release")
}
