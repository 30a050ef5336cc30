// WebAssembly operators for tests, compiled from C.
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
  const child = Bun.spawn(["clang", ...how, ...flags, "-o", wasm, source], { stderr: "pipe" })
  const [code, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (code !== 0) throw new Error(`clang ended with ${code}\n${errors}`)
  return wasm
}
