// Between the runtime, which knows rings, queues and siblings, and its hosts, which know how to load and call operators of
// one kind: TypeScript modules, shared libraries, WebAssembly.
import type { Sendable } from "../arrow/encoder.ts"
import type { DoraError } from "../core/errors.ts"
import type { Parameters } from "../core/parameters.ts"
import type { Event, InputEvent } from "../node/event.ts"
import type { Log } from "../node/log.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import type { Payload } from "../shm/payload.ts"

/** What an operator answers to an event: go on, end this operator, end all operators of its node. */
export const DoraStatus = { CONTINUE: 0, STOP: 1, STOP_ALL: 2 } as const
/** One of {@link DoraStatus}. */
export type DoraStatus = (typeof DoraStatus)[keyof typeof DoraStatus]

/**
 * What an operator is told. Ids of inputs are its own, without the operator's name in front. Hosts pass on what their kind of
 * operator can be told and answer CONTINUE to the rest.
 *
 * - `INPUT`: {@link InputEvent}, its bytes checked: `layout` and `value` don't throw. The same bytes as in the ring, no copy
 *   of a large one. It lasts until the call has ended, that is until what `onEvent` returned is settled; who needs the
 *   bytes longer calls `retain()` before, and `release()` when done, in any turn. Small messages own their bytes: holding
 *   the event, or any view of it, is enough.
 * - `INPUT_PARSE_ERROR`: a message whose Arrow stream is damaged.
 */
export type OperatorEvent =
  InputEvent | { type: "INPUT_PARSE_ERROR"; id: string; error: string } | NodeEvent

type NodeEvent = Exclude<Event, { type: "INPUT" | "EXTERNAL" | "RELOAD" }>

/** One loaded operator. Calls never overlap; nothing is called after {@link drop}. */
export interface Operator {
  /**
   * Handles one event. What is thrown, or rejected, ends the node: the error is shown with the operator's name and file. A promise
   * holds back this operator's next event, and nobody else's.
   */
  onEvent(event: OperatorEvent): DoraStatus | Promise<DoraStatus>
  /** Called exactly once, on every way out that leaves the process alive. What it throws is logged and changes nothing. */
  drop(): void | Promise<void>
  /** What a successor of another version of the same file may take over; undefined: nothing. */
  saveState?(): unknown
  /** Takes over the state of its predecessor, before the first event. */
  restoreState?(state: unknown): void | Promise<void>
}

/** What an operator can do while the runtime lives: send, and write log lines. */
export interface OperatorContext {
  readonly node: string
  readonly dataflowId: string
  /** The whole dataflow as plain values; null when it is too large for the environment. */
  readonly dataflowDescriptor: unknown
  readonly plan: OperatorPlan
  readonly outputs: OperatorOutputs
  readonly log: Log
  /** Notes which function of the operator is called next, for the report if it never returns: `CALL_INIT` after loading. */
  entering(step: number): void
  /** Ends the node because of something that happened outside of a call; the error is shown as one of `onEvent` is. */
  fail(error: unknown): void
}

/** The outputs of one operator. Names are the operator's own. */
export interface OperatorOutputs {
  /** All of them. */
  names(): string[]
  /**
   * Sends a value. It is copied before the call returns: straight into the memory of the consumers' rings or, for who is a
   * sibling, into memory of the event.
   *
   * @returns  resolves once it is sent: at once, or when every backpressure consumer has room. Nobody has to wait for
   *           it: the operator's next event waits anyway.
   * @throws UnknownOutputError, OutputClosedError, ArrowTypeError, PayloadTooLargeError, ParameterError, TooManyPendingSendsError
   */
  send(output: string, data: Sendable, parameters?: Parameters): Promise<void>
  /**
   * As {@link send}, of a measured message that writes itself, so that a body from foreign memory is copied once.
   * `payload.write` is called before this returns, any number of times. Parameters may be encoded already.
   */
  sendPayload(output: string, payload: Payload, parameters?: Parameters | Uint8Array): Promise<void>
  /** For hosts whose operators' messages are in C already: the rings of an output. */
  rings?(output: string): OutputRings
}

/** An output that C code of this thread publishes on as well (ffi/dora_writer.h), once something was sent there. */
export interface OutputRings {
  /** Does a message wait for room? Nothing may go before it. */
  readonly blocked: boolean
  /** What the C code must know; null: it may not publish, the output also goes to siblings. */
  share(): Float64Array | null
  /** Wakes the consumers that sleep. */
  wake(): void
}

/** Loads operators of one kind. */
export interface Host {
  /**
   * Looks for what would keep an operator from being loaded, without running any of its code, so that all problems of a
   * node are told in one go.
   */
  check(plan: OperatorPlan): DoraError[] | Promise<DoraError[]>
  /**
   * Loads an operator and initialises it. It may not send yet.
   *
   * @throws DoraError  one class for each thing that can be wrong with the file
   */
  load(context: OperatorContext): Promise<Operator>
  /** The files, beside its own, that operators of this kind were loaded from so far. Only kinds that can be loaded again have it. */
  parts?(): string[]
  /** Forgets what was loaded: the next {@link load} reads the files anew, beside the operators that run. */
  forget?(): void
}
