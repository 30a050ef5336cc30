import type { OperatorKind } from "../core/operator.ts"
import type { Host } from "./host.ts"

/** The host of a kind of operators; what is not needed is not loaded. */
export async function hostOf(kind: OperatorKind): Promise<Host> {
  switch (kind) {
    case "module":
      return new (await import("./module.ts")).ModuleHost()
    case "shared-library":
      return (await import("./library.ts")).libraryHost
    case "wasm":
      return new (await import("./wasm.ts")).WasmHost()
    case "python":
      // src/runtime/python is the program of such a node.
      throw new Error("operators in Python are hosted by Python")
  }
}
