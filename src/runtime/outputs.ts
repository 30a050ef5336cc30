import type { Sendable } from "../arrow/encoder.ts"
import type { Parameters } from "../core/parameters.ts"
import { MAX_PENDING_SENDS } from "../core/limits.ts"
import { NodeClosedError, TooManyPendingSendsError, UnknownOutputError } from "../node/errors.ts"
import { type Output, SENT } from "../node/output.ts"
import type { Payload } from "../shm/payload.ts"
import type { OperatorOutputs, OutputRings } from "./host.ts"

/** The outputs of one operator, by its own names for them. */
export class Outputs implements OperatorOutputs {
  readonly #owner: string
  readonly #outputs: ReadonlyMap<string, Output>
  /** Sends that wait for room. */
  #waiting = 0
  #open = false
  /** The output that was used last, and by what name: another string than its own, mostly, but the same in each call. */
  #last: Output | null = null
  #lastName: string | null = null
  /** Called when the last send that waited has found room. */
  onRoom: () => void = () => {}

  /** @param owner  node and operator, for messages */
  constructor(owner: string, outputs: ReadonlyMap<string, Output>) {
    this.#owner = owner
    this.#outputs = outputs
  }

  /** Does a send wait for room? */
  get blocked(): boolean {
    return this.#waiting > 0
  }

  /** All nodes are there: sends reach them. */
  open(): void {
    this.#open = true
  }

  names(): string[] {
    return [...this.#outputs.keys()]
  }

  send(output: string, data: Sendable, parameters?: Parameters): Promise<void> {
    const found = this.#roomy(output)
    const sent = found.send(data, parameters)
    return sent === SENT ? sent : this.#wait(sent)
  }

  sendPayload(
    output: string,
    payload: Payload,
    parameters?: Parameters | Uint8Array,
  ): Promise<void> {
    const found = this.#roomy(output)
    const sent = found.sendPayload(payload, parameters)
    return sent === SENT ? sent : this.#wait(sent)
  }

  rings(output: string): OutputRings {
    return this.#outputs.get(output)!
  }

  /** Ends every output after what waits has been sent. */
  async close(): Promise<void> {
    this.#shut()
    await Promise.all([...this.#outputs.values()].map((output) => output.close()))
  }

  /** Ends every output now. @param last  nobody takes over: its consumers are told */
  abort(last = true): void {
    this.#shut()
    for (const output of this.#outputs.values()) output.abort(last)
  }

  #shut(): void {
    this.#open = false
    this.#lastName = null
  }

  /** The output of that name, where one more send may at least wait. */
  #roomy(id: string): Output {
    const output = id === this.#lastName ? this.#last! : this.#find(id)
    if (this.#waiting > 0 && output.full) this.#refuse(output)
    return output
  }

  #find(id: string): Output {
    if (!this.#open) throw new NodeClosedError(this.#owner)
    const output = this.#outputs.get(id)
    if (!output) throw new UnknownOutputError(this.#owner, id, [...this.#outputs.keys()])
    this.#last = output
    this.#lastName = id
    return output
  }

  /** Thrown, not rejected: an operator need not await a send, and must not lose a message without a word. */
  #refuse(output: Output): never {
    throw new TooManyPendingSendsError(output.id, MAX_PENDING_SENDS)
  }

  #wait(sent: Promise<void>): Promise<void> {
    this.#waiting++
    const done = () => {
      this.#waiting--
      if (this.#waiting === 0) this.onRoom()
    }
    // Also a send that nobody awaits may be interrupted.
    sent.then(done, done)
    return sent
  }
}
