/** How an operator is written, and so how it is loaded. */
export type OperatorKind = "module" | "shared-library" | "wasm" | "python"
