// Operators in WebAssembly, by the ABI of ffi/wasm-abi.md.
import { existsSync, readFileSync } from "node:fs"
import { ArrowDataError } from "../arrow/errors.ts"
import { readLayout } from "../arrow/decoder.ts"
import { PRIMITIVES } from "../arrow/types.ts"
import { type ElementName, viewElements } from "../core/elements.ts"
import { DoraError } from "../core/errors.ts"
import { MAX_PAYLOAD_BYTES, MAX_WASM_MEMORY_BYTES } from "../core/limits.ts"
import type { Parameters } from "../core/parameters.ts"
import { UnknownOutputError } from "../node/errors.ts"
import { CALL_INIT } from "../shm/layout.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import { ParameterError } from "../wire/metadata.ts"
import { OperatorFileError } from "./errors.ts"
import {
  DoraStatus,
  type Host,
  type Operator,
  type OperatorContext,
  type OperatorEvent,
} from "./host.ts"
import { limitMemory, WASM_PAGE_BYTES, WasmFormatError } from "./wasm-binary.ts"
import { WasmInputs } from "./wasm-inputs.ts"

const FUNCTIONS = ["dora_alloc", "dora_init_operator", "dora_on_event"]
const LEVELS = ["error", "warn", "info", "debug", "trace"] as const
/** What `send_output` and `send_elements` answer. */
const SENT = 0
const NO_SUCH_OUTPUT = 1
const BAD_DATA = 2
const BAD_PARAMETERS = 3
const REFUSED = 4

/** An operator in WebAssembly answered with an error, or could not be initialised. */
export class WasmOperatorError extends DoraError {
  constructor({ id, path, place }: OperatorPlan, symbol: string, why: string) {
    super("WASM_OPERATOR", {
      what: `operator \`${id}\` (${path}): ${symbol} failed`,
      where: place,
      why: why || "it gave no reason; `dora.fail` gives one",
    })
  }
}

/** Hosts WebAssembly modules. */
export class WasmHost implements Host {
  check(plan: OperatorPlan): DoraError[] {
    try {
      compile(plan)
      return []
    } catch (error) {
      if (error instanceof OperatorFileError) return [error]
      throw error
    }
  }

  async load(context: OperatorContext): Promise<Operator> {
    return new WasmOperator(context)
  }

  /** The file is read at each load. */
  forget(): void {}
}

/** @throws OperatorFileError */
function compile(plan: OperatorPlan): WebAssembly.Module {
  if (!existsSync(plan.path)) {
    throw new OperatorFileError(
      plan,
      "there is no such file",
      "build it, or check the spelling of the path",
    )
  }
  let module: WebAssembly.Module
  try {
    const limited = limitMemory(readFileSync(plan.path), MAX_WASM_MEMORY_BYTES / WASM_PAGE_BYTES)
    module = new WebAssembly.Module(limited)
  } catch (error) {
    if (!(error instanceof WasmFormatError || error instanceof WebAssembly.CompileError))
      throw error
    throw new OperatorFileError(plan, error.message, "see ffi/wasm-abi.md", error)
  }
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]))
  const missing = FUNCTIONS.filter((name) => exported.get(name) !== "function")
  if (exported.get("memory") !== "memory") missing.push("memory")
  if (missing.length > 0) {
    throw new OperatorFileError(
      plan,
      `it does not export ${missing.join(", ")}`,
      "see ffi/wasm-abi.md",
    )
  }
  const foreign = WebAssembly.Module.imports(module)
    .filter(({ module: from, name }) => from !== "dora" || !IMPORTS.has(name))
    .map(({ module: from, name }) => `${from}.${name}`)
  if (foreign.length === 0) return module
  const why = `it imports ${foreign.slice(0, 5).join(", ")}, which an operator is not given`
  throw new OperatorFileError(plan, why, "build it without a system interface (no WASI)")
}

const IMPORTS = new Set(["send_output", "send_elements", "log", "fail"])

type Exports = {
  memory: WebAssembly.Memory
  dora_alloc(size: number): number
  dora_init_operator(): number
  dora_on_event(event: number): number
  dora_drop_operator?(): void
}

/** One instance of a module. */
class WasmOperator implements Operator {
  readonly #context: OperatorContext
  readonly #exports: Exports
  readonly #inputs: WasmInputs
  #reason = ""

  /** @throws OperatorFileError, WasmOperatorError */
  constructor(context: OperatorContext) {
    this.#context = context
    const { plan } = context
    const { exports } = new WebAssembly.Instance(compile(plan), {
      dora: {
        send_output: (
          id: number,
          idLength: number,
          data: number,
          length: number,
          parameters: number,
          parametersLength: number,
        ) =>
          this.#sendStream(
            this.#text(id, idLength),
            data >>> 0,
            length >>> 0,
            this.#text(parameters, parametersLength),
          ),
        send_elements: (
          id: number,
          idLength: number,
          type: number,
          data: number,
          length: number,
          parameters: number,
          parametersLength: number,
        ) =>
          this.#sendElements(
            this.#text(id, idLength),
            type,
            data >>> 0,
            length >>> 0,
            this.#text(parameters, parametersLength),
          ),
        log: (level: number, text: number, length: number) =>
          context.log.write(LEVELS[level - 1] ?? "info", this.#text(text, length)),
        fail: (text: number, length: number) => {
          this.#reason = this.#text(text, length)
        },
      },
    })
    this.#exports = exports as unknown as Exports
    const { memory, dora_alloc } = this.#exports
    this.#inputs = new WasmInputs(plan, memory, dora_alloc)
    context.entering(CALL_INIT)
    if (this.#exports.dora_init_operator() !== 0) {
      throw new WasmOperatorError(plan, "dora_init_operator", this.#takeReason())
    }
  }

  onEvent(event: OperatorEvent): DoraStatus {
    const at = this.#inputs.write(event)
    if (at === 0) return DoraStatus.CONTINUE
    const answer = this.#exports.dora_on_event(at)
    if (answer === 0 || answer === 1 || answer === 2) return answer
    const why =
      this.#takeReason() || (answer > 2 ? `it answered ${answer}, which is no status` : "")
    throw new WasmOperatorError(this.#context.plan, "dora_on_event", why)
  }

  drop(): void {
    this.#exports.dora_drop_operator?.()
  }

  #takeReason(): string {
    const reason = this.#reason
    this.#reason = ""
    return reason
  }

  /** @throws RangeError  a place outside of the memory; it ends the operator's call */
  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, at >>> 0, length >>> 0)
  }

  #text(at: number, length: number): string {
    return Buffer.from(this.#bytes(at, length)).toString("utf8")
  }

  #sendStream(output: string, at: number, length: number, parameters: string): number {
    return this.#answer(() => {
      const bytes = this.#bytes(at, length)
      const { headerLength } = readLayout(bytes)
      const write = (target: Uint8Array, place: number) => target.set(bytes, place)
      const payload = { byteLength: length, headerLength, template: 0, flat: null, write }
      void this.#context.outputs.sendPayload(output, payload, parsed(parameters))
    })
  }

  #sendElements(
    output: string,
    type: number,
    at: number,
    length: number,
    parameters: string,
  ): number {
    return this.#answer(() => {
      const primitive = PRIMITIVES[type - 1]
      if (!primitive) throw new ArrowDataError(`there is no element type ${type}`)
      const name = primitive.array.name as ElementName
      const { buffer } = this.#exports.memory
      const fits = length * primitive.array.BYTES_PER_ELEMENT <= MAX_PAYLOAD_BYTES
      if (!fits) throw new ArrowDataError(`${length} elements are too many`)
      const elements = viewElements(name, buffer as ArrayBuffer, at, length)
      void this.#context.outputs.send(output, elements, parsed(parameters))
    })
  }

  /** What goes wrong is answered as a number, and its reason kept for the case that the operator gives up. */
  #answer(send: () => void): number {
    try {
      send()
      return SENT
    } catch (error) {
      this.#reason = (error as Error).message
      if (error instanceof UnknownOutputError) return NO_SUCH_OUTPUT
      if (error instanceof ArrowDataError || error instanceof RangeError) return BAD_DATA
      if (error instanceof ParameterError || error instanceof SyntaxError) return BAD_PARAMETERS
      if (error instanceof DoraError) return REFUSED
      throw error
    }
  }
}

function parsed(parameters: string): Parameters | undefined {
  return parameters === "" ? undefined : (JSON.parse(parameters) as Parameters)
}
