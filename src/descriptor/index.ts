// YAML text → checked dataflow with positions.
export { loadDataflow, parseDataflow, type LoadOptions } from "./load.ts"
export { DescriptorError } from "./problems.ts"
export { findProgram } from "./program.ts"
export { formatProblems, problemsToJson, type ReportOptions } from "./report.ts"
export type * from "./types.ts"
