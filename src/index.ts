// The public API of dora-bun: nodes and operators.
export type { LoanType, Sendable } from "./arrow/encoder.ts"
export { ArrowDataError, ArrowTypeError, PayloadTooLargeError } from "./arrow/errors.ts"
export type { ElementArray } from "./core/elements.ts"
export { DoraError } from "./core/errors.ts"
export { Float, type Parameter, type Parameters } from "./core/parameters.ts"
export {
  DaemonConnectionError,
  LoanClosedError,
  NodeAlreadyInitializedError,
  NodeClosedError,
  NotInDataflowError,
  OutputClosedError,
  PrintedOutputError,
  SelfDeadlockError,
  SendInterruptedError,
  TooManyPendingSendsError,
  UnknownOutputError,
} from "./node/errors.ts"
export {
  type Event,
  type InputEvent,
  Metadata,
  type StopCause,
  type Timestamp,
} from "./node/event.ts"
export type { Log, LogFields } from "./node/log.ts"
export { Node } from "./node/node.ts"
export type { Loan, LoanLayout } from "./node/loan.ts"
export { DoraStatus, type OperatorEvent } from "./runtime/host.ts"
export type {
  OperatorAnswer,
  OperatorInfo,
  SendOutput,
  TypeScriptOperator,
} from "./runtime/module.ts"
export { EdgePoisonedError } from "./shm/errors.ts"
export { ParameterError } from "./wire/metadata.ts"
