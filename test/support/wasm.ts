// WebAssembly operators for tests, compiled from C and Rust.
import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import { ROOT } from "./install.ts"

/** Is there a compiler for WebAssembly? */
export const hasClang = Bun.which("clang") !== null && Bun.which("wasm-ld") !== null

/** Compiles an operator into `folder`; its path. */
export async function buildWasm(
  source: string,
  folder: string,
  flags: string[] = [],
): Promise<string> {
  const wasm = join(folder, basename(source).replace(/\.c$/, ".wasm"))
  const how = ["--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", `-I${join(ROOT, "ffi")}`]
  await compile(["clang", ...how, ...flags, "-o", wasm, source])
  return wasm
}

const RUST_TARGET = "wasm32-unknown-unknown"

/** A Rust compiler that has the target for WebAssembly, be it the one on the path or the system's; or null. */
export function wasmRustc(): string | null {
  const found = [Bun.which("rustc"), "/usr/bin/rustc"].find((rustc) => {
    if (rustc === null || !existsSync(rustc)) return false
    const run = Bun.spawnSync([rustc, "--print", "target-libdir", "--target", RUST_TARGET])
    return run.success && existsSync(run.stdout.toString().trim())
  })
  return found ?? null
}

/** Compiles an operator in Rust into `folder`; its path. */
export async function buildWasmRust(
  rustc: string,
  source: string,
  folder: string,
): Promise<string> {
  const wasm = join(folder, basename(source).replace(/\.rs$/, "-rs.wasm"))
  const kind = ["--edition=2021", "--target", RUST_TARGET, "--crate-type=cdylib"]
  await compile([rustc, ...kind, "-Copt-level=2", "-Cpanic=abort", "-o", wasm, source])
  return wasm
}

async function compile(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stderr: "pipe" })
  const [code, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}\n${errors}`)
}
