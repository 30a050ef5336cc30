import { dlopen, FFIType } from "bun:ffi"
import type { OperatorPlan } from "../shm/plan.ts"

/** SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV. */
const CRASHES = [4, 6, 7, 8, 11]

/**
 * Lets a crash in a library end the process as it ends any other program. Bun's own report of it would say that Bun is to
 * blame; the daemon says which operator it was. WebAssembly needs the handlers that are taken away here.
 */
export function crashPlainly(plans: readonly OperatorPlan[]): void {
  if (plans.some(({ kind }) => kind === "wasm")) return
  if (!plans.some(({ kind }) => kind === "shared-library")) return
  const args = [FFIType.i32, FFIType.ptr]
  const { symbols } = dlopen("libc.so.6", { signal: { args, returns: FFIType.ptr } })
  for (const signal of CRASHES) symbols.signal(signal, null)
}
