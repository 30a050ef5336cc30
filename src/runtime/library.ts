// Operators in shared libraries, by dora's operator ABI: Rust, C, C++. docs/operators-native.md.
import { JSCallback, type Pointer } from "bun:ffi"
import { existsSync } from "node:fs"
import type { DoraError } from "../core/errors.ts"
import { CALL_INIT } from "../shm/layout.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import type { InputEvent } from "../node/event.ts"
import {
  DoraStatus,
  type Host,
  type Operator,
  type OperatorContext,
  type OperatorEvent,
} from "./host.ts"
import { MACHINES, readElf } from "./library-elf.ts"
import {
  LateOutputError,
  LibraryArchitectureError,
  LibraryHelperError,
  LibraryLayoutError,
  LibraryLoadError,
  LibraryMissingError,
  type LibraryPlace,
  LibrarySymbolError,
  NotALibraryError,
  OperatorCallError,
} from "./library-errors.ts"
import { LibraryInputs } from "./library-inputs.ts"
import { LibraryOutputs } from "./library-outputs.ts"
import { operatorShim, type Shim } from "./library-shim.ts"

const SYMBOLS = ["dora_init_operator", "dora_drop_operator", "dora_on_event"]
const HELPERS = [
  "dora_read_input_id",
  "dora_free_input_id",
  "dora_read_data",
  "dora_free_data",
  "dora_send_operator_output",
]
const TEXT_BYTES = 64 * 1024
// What the shim answers to an event.
const ANSWER = 3
const FAILED = 4
const KEPT = 8
const LATE = 16
const NO_MEMORY = 32
const TROUBLE = FAILED | LATE | NO_MEMORY
const UNSOUND = 64
const UNRELEASED = 128
const HOLDS = 256
const COLLECTED_SHIFT = 9

function placeOf(plan: OperatorPlan): LibraryPlace {
  return { operator: plan.id, path: plan.path, place: plan.place }
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

/** Loads operators from shared libraries. */
export const libraryHost: Host = {
  check(plan: OperatorPlan): DoraError[] {
    const at = placeOf(plan)
    if (!existsSync(plan.path)) return [new LibraryMissingError(at)]
    try {
      const elf = readElf(plan.path)
      if (typeof elf === "string") return [new NotALibraryError(at, elf)]
      return checkElf(at, elf.machine, elf.symbols)
    } catch (cause) {
      return [new NotALibraryError(at, `it can't be read: ${(cause as Error).message}`)]
    }
  },

  async load(context: OperatorContext): Promise<Operator> {
    const at = placeOf(context.plan)
    for (const error of await this.check(context.plan)) throw error
    const shim = operatorShim()
    const text = Buffer.from(new ArrayBuffer(TEXT_BYTES))
    const handle = shim.sh_open(cString(at.path), text, TEXT_BYTES)
    if (handle === null) throw new LibraryLoadError(at, text.toString("utf8", 0, text.indexOf(0)))
    const missing = SYMBOLS.filter((name) => shim.sh_has(handle as Pointer, cString(name)) === 0)
    if (missing.length > 0) throw new LibrarySymbolError(at, missing)
    const wrong = shim.sh_probe(handle as Pointer)
    if (wrong !== 0) {
      throw new LibraryLayoutError(at, ["", "Output", "Input", "Input and Output"][wrong]!)
    }
    context.entering(CALL_INIT)
    return new LibraryOperator(shim, handle as Pointer, context)
  },
}

function checkElf(
  at: LibraryPlace,
  machine: number,
  symbols: { defined: ReadonlySet<string>; undefined: ReadonlySet<string> } | null,
): DoraError[] {
  const found = MACHINES[machine] ?? `machine ${machine}`
  if (found !== process.arch) return [new LibraryArchitectureError(at, found, process.arch)]
  if (symbols === null) return []
  const missing = SYMBOLS.filter((name) => !symbols.defined.has(name))
  const helpers = HELPERS.filter((name) => symbols.undefined.has(name))
  const errors: DoraError[] = []
  if (missing.length > 0) errors.push(new LibrarySymbolError(at, missing))
  if (helpers.length > 0) errors.push(new LibraryHelperError(at, helpers))
  return errors
}

/** Counters of what crossed: what was exported must be released exactly once. */
export type LibraryCounts = {
  inputs: number
  inputsReleased: number
  outputs: number
  outputsReleased: number
  releasedTwice: number
  /** Outputs that the shim has published by itself. */
  published: number
}

/** One operator of a shared library. It is never unloaded: its threads and its arrays may outlive it. */
export class LibraryOperator implements Operator {
  readonly #shim: Shim
  readonly #context: OperatorContext
  readonly #operator: Pointer
  readonly #inputs: LibraryInputs
  readonly #outputs: LibraryOutputs
  readonly #text = Buffer.from(new ArrayBuffer(TEXT_BYTES))
  // Called from C for as long as the process lives.
  readonly #callbacks: readonly JSCallback[]
  #dropped = false

  /** @throws OperatorCallError */
  constructor(shim: Shim, library: Pointer, context: OperatorContext) {
    this.#shim = shim
    this.#context = context
    this.#inputs = new LibraryInputs(shim)
    this.#outputs = new LibraryOutputs(shim, context)
    const sink = new JSCallback(
      (kind: number, number: number) => this.#outputs.sink(kind, number),
      {
        args: ["i32", "i32"],
        returns: "i32",
      },
    )
    const wake = new JSCallback(() => this.#late(), { args: [], returns: "void", threadsafe: true })
    this.#callbacks = [sink, wake]
    callbacks.push(this.#callbacks)
    this.#operator = shim.sh_new(library, this.#outputs.words, sink.ptr!, wake.ptr!) as Pointer
    this.#inputs.attach(this.#operator)
    this.#outputs.attach(this.#operator)
    if (shim.sh_init(this.#operator) !== 0)
      throw new OperatorCallError("dora_init_operator", this.#takeText(0))
  }

  onEvent(event: OperatorEvent): DoraStatus {
    const answer = event.type === "INPUT" ? this.#inputs.deliver(event) : this.#call(event)
    if (answer === 0) return DoraStatus.CONTINUE
    return this.#finish(answer, event.type === "INPUT" ? event : null)
  }

  drop(): void {
    if (this.#dropped) return
    this.#dropped = true
    const failed = this.#shim.sh_drop(this.#operator) !== 0
    this.#inputs.collect()
    if (failed) throw new OperatorCallError("dora_drop_operator", this.#takeText(0))
  }

  /** What crossed so far. */
  get counts(): LibraryCounts {
    const count = (which: number) => this.#shim.sh_count(this.#operator, which)
    return {
      inputs: count(0),
      inputsReleased: count(1),
      outputs: count(2),
      outputsReleased: count(3),
      releasedTwice: count(4),
      published: count(5),
    }
  }

  #call(event: OperatorEvent): number {
    switch (event.type) {
      case "INPUT_PARSE_ERROR":
        return this.#inputs.deliverUnreadable(event.id, event.error)
      case "INPUT_CLOSED": {
        const id = Buffer.from(event.id)
        return this.#shim.sh_input_closed(this.#operator, id, id.byteLength)
      }
      case "ERROR": {
        const text = Buffer.from(event.error.message)
        return this.#shim.sh_error_event(this.#operator, text, text.byteLength)
      }
      case "STOP":
        // The ABI has one for a stop that was asked for; after the last input an operator just ends.
        if (event.cause === "ALL_INPUTS_CLOSED") return DoraStatus.CONTINUE
        return this.#shim.sh_stop(this.#operator)
      default:
        return DoraStatus.CONTINUE
    }
  }

  /** Sends what was collected, then lets go of it; only then it is known whether the operator keeps the input. */
  #finish(answer: number, event: InputEvent | null): DoraStatus {
    if (answer === UNSOUND) {
      const why = "its offsets or indices lead out of its values"
      return this.#finish(this.#inputs.deliverUnreadable(event!.id, why), event)
    }
    let rest = answer
    const error = answer >> COLLECTED_SHIFT > 0 ? this.#outputs.write() : null
    if (answer & UNRELEASED) rest |= this.#shim.sh_finish(this.#operator)
    if (rest & KEPT) this.#inputs.keep(event)
    if (rest & (KEPT | HOLDS)) this.#inputs.collect()
    const status = rest & ANSWER
    if (rest & TROUBLE || error !== null || status === ANSWER) throw this.#trouble(rest, error)
    return status as DoraStatus
  }

  #trouble(rest: number, error: unknown): unknown {
    if (rest & FAILED) return new OperatorCallError("dora_on_event", this.#takeText(0))
    if (error !== null) return error
    if (rest & LATE) return new LateOutputError(this.#takeText(2))
    if (rest & NO_MEMORY) return new OperatorCallError("malloc", "out of memory")
    const text = "its answer is none of Continue (0), Stop (1), StopAll (2)"
    return new OperatorCallError("dora_on_event", text)
  }

  /** Another thread of the operator has sent something while no event was handled. */
  #late(): void {
    if (this.#dropped) return
    try {
      this.#finish(this.#shim.sh_late(this.#operator), null)
    } catch (error) {
      this.#context.fail(error)
    }
  }

  #takeText(which: number): string {
    const length = this.#shim.sh_text(this.#operator, which, this.#text, TEXT_BYTES)
    return this.#text.toString("utf8", 0, Math.max(0, length))
  }
}

/** Kept from the collector: C code holds their addresses. */
const callbacks: (readonly JSCallback[])[] = []
