// Events in the linear memory of a WebAssembly operator: ffi/wasm-abi.md, "The event".
import { PRIMITIVES } from "../arrow/types.ts"
import type { Parameters } from "../core/parameters.ts"
import type { InputEvent } from "../node/event.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import { OperatorFileError } from "./errors.ts"
import type { OperatorEvent } from "./host.ts"

const EVENT_BYTES = 64
const ALIGNMENT = 64
const KINDS = { INPUT: 0, INPUT_CLOSED: 1, STOP: 2, ERROR: 3, INPUT_PARSE_ERROR: 4 } as const

/** Writes events where the module can read them. The place is asked for once, and again when it is too small. */
export class WasmInputs {
  readonly #plan: OperatorPlan
  readonly #memory: WebAssembly.Memory
  readonly #alloc: (size: number) => number
  #at = 0
  #size = 0
  readonly #ids = new Map<string, Uint8Array>()

  constructor(plan: OperatorPlan, memory: WebAssembly.Memory, alloc: (size: number) => number) {
    this.#plan = plan
    this.#memory = memory
    this.#alloc = alloc
  }

  /** Address of the event; 0: the module is not told of it. */
  write(event: OperatorEvent): number {
    switch (event.type) {
      case "INPUT":
        return this.#input(event)
      case "INPUT_CLOSED":
        return this.#event(KINDS.INPUT_CLOSED, event.id, EMPTY, "")
      case "INPUT_PARSE_ERROR":
        return this.#event(KINDS.INPUT_PARSE_ERROR, event.id, Buffer.from(event.error), "")
      case "ERROR":
        return this.#event(KINDS.ERROR, "", Buffer.from(event.error.message), "")
      case "STOP":
        // As for shared libraries: after the last input an operator just ends.
        return event.cause === "MANUAL" ? this.#event(KINDS.STOP, "", EMPTY, "") : 0
      default:
        return 0
    }
  }

  #input(event: InputEvent): number {
    const parameters = event.encodedParameters === null ? "" : textOf(event.metadata.parameters)
    const at = this.#event(KINDS.INPUT, event.id, event.data, parameters)
    const simple = event.layout?.simple
    if (!simple) return at
    const words = new Uint32Array(this.#memory.buffer, at, EVENT_BYTES / 4)
    words[7] = PRIMITIVES.findIndex(({ array }) => array === simple.array) + 1
    words[8] = words[3]! + simple.offset
    words[9] = simple.length
    return at
  }

  #event(kind: number, id: string, data: Uint8Array, parameters: string): number {
    let name = this.#ids.get(id)
    if (name === undefined) {
      name = Buffer.from(id)
      this.#ids.set(id, name)
    }
    const text = parameters === "" ? EMPTY : Buffer.from(parameters)
    const dataAt = up(EVENT_BYTES + name.byteLength)
    const textAt = dataAt + data.byteLength
    const at = this.#room(textAt + text.byteLength)
    const bytes = new Uint8Array(this.#memory.buffer)
    bytes.set(name, at + EVENT_BYTES)
    bytes.set(data, at + dataAt)
    bytes.set(text, at + textAt)
    const words = new Uint32Array(bytes.buffer, at, EVENT_BYTES / 4)
    words[0] = kind
    words[1] = at + EVENT_BYTES
    words[2] = name.byteLength
    words[3] = at + dataAt
    words[4] = data.byteLength
    words[5] = at + textAt
    words[6] = text.byteLength
    words[7] = 0
    words[8] = 0
    words[9] = 0
    return at
  }

  /** @throws OperatorFileError  the module has no memory left */
  #room(size: number): number {
    if (size <= this.#size) return this.#at
    const wanted = Math.max(4096, 2 ** Math.ceil(Math.log2(size)))
    const got = this.#alloc(wanted + ALIGNMENT) >>> 0
    if (got === 0 || got + wanted + ALIGNMENT > this.#memory.buffer.byteLength) {
      throw new OperatorFileError(
        this.#plan,
        `dora_alloc gave no ${wanted + ALIGNMENT} bytes for an event`,
      )
    }
    this.#at = up(got)
    this.#size = wanted
    return this.#at
  }
}

const EMPTY = new Uint8Array(0)

function up(value: number): number {
  return Math.ceil(value / ALIGNMENT) * ALIGNMENT
}

function textOf(parameters: Parameters): string {
  return JSON.stringify(parameters, (_, value: unknown) => {
    if (typeof value === "bigint") return Number(value)
    return ArrayBuffer.isView(value) ? [...(value as Float64Array)] : value
  })
}
