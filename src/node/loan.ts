// Memory of a message that its sender fills in.
import type { LoanType } from "../arrow/encoder.ts"
import type { ElementArray } from "../core/elements.ts"
import type { Parameters } from "../core/parameters.ts"
import type { Payload } from "../shm/payload.ts"
import { LoanClosedError } from "./errors.ts"
import type { Output } from "./output.ts"

/** What to lend: the type of the elements, by its typed array, name or Arrow type, and how many. */
export type LoanLayout<T extends ElementArray = ElementArray> = {
  type: (new (length: number) => T) | Exclude<LoanType, new (length: number) => ElementArray>
  length: number
}

/**
 * Memory lent for one message. Fill `array`, then {@link send}; leaving the scope unsent gives it back.
 *
 * @example
 * using sample = node.loan("image", { type: Uint8Array, length: 640 * 480 * 3 })
 * camera.read(sample.array)
 * await sample.send({ width: 640, height: 480 })
 */
export class Loan<T extends ElementArray = ElementArray> implements Disposable {
  readonly #output: Output
  readonly #memory: { chunk: number; form: Payload } | null
  readonly #array: T
  #open = true

  /** @internal */
  constructor(output: Output, memory: { chunk: number; form: Payload } | null, array: T) {
    this.#output = output
    this.#memory = memory
    this.#array = array
  }

  /** The elements to fill in; their first content is undefined. @throws LoanClosedError */
  get array(): T {
    if (!this.#open) throw new LoanClosedError(this.#output.id)
    return this.#array
  }

  /** Sends the memory as it is, without a copy; `array` is empty afterwards. @throws LoanClosedError */
  send(parameters?: Parameters): Promise<void> {
    const array = this.array
    const extra = this.#output.prepareSend(parameters)
    this.#open = false
    if (this.#memory === null) return this.#output.send(array, parameters)
    const { chunk, form } = this.#memory
    try {
      return this.#output.sendLoan(chunk, form, extra)
    } finally {
      // It takes its time, and the message is on its way meanwhile.
      this.#detach(chunk)
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    if (this.#memory === null) return
    this.#detach(this.#memory.chunk)
    this.#output.dropLoan(this.#memory.chunk)
  }

  #detach(chunk: number): void {
    this.#output.detachLoan(chunk, this.#array.buffer as ArrayBuffer)
  }
}
