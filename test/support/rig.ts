// An operator of a shared library whose outputs go to real rings, its consumers in the same process.
import { Memory } from "../../src/daemon/memory.ts"
import { parseDataflow } from "../../src/descriptor/load.ts"
import type { Sendable } from "../../src/arrow/encoder.ts"
import type { Parameters } from "../../src/core/parameters.ts"
import type { InputEvent } from "../../src/node/event.ts"
import { attach, type Link } from "../../src/node/memory-link.ts"
import { type LibraryOperator, libraryHost } from "../../src/runtime/library.ts"
import { Outputs } from "../../src/runtime/outputs.ts"
import { contextOf, inputEvent, streamOf } from "./operators.ts"

/** The queue of one consumer. */
export type Queue = { queue_size: number; queue_policy?: "backpressure" | "drop_oldest" }
/** A message as a consumer got it. */
export type Taken = { value: unknown[]; context: unknown; stamp: bigint }

/** An operator whose output `out` goes to some consumers. @example using rig = await new Rig({ sink: { queue_size: 4 } }).load(path) */
export class Rig implements Disposable {
  readonly memory: Memory
  readonly outputs: Outputs
  readonly sinks: Map<string, Link>
  readonly #link: Link
  #operator: LibraryOperator | null = null

  /** @param startIndex  first message index of every ring */
  constructor(queues: Record<string, Queue>, startIndex = 0) {
    const sinks = Object.entries(queues).map(([id, queue]) => {
      return { id, path: "/bin/true", inputs: { in: { source: "op/out", ...queue } } }
    })
    const op = { id: "op", path: "/bin/true", outputs: ["out", "log"] }
    const flow = parseDataflow(JSON.stringify({ nodes: [op, ...sinks] }), "flow.yml")
    const options = { wait: "park", exitWhenNodesFinish: false, startIndex } as const
    this.memory = Memory.create(flow, { dataflow: crypto.randomUUID(), ...options })
    this.memory.start()
    this.#link = attach(this.memory.nodePlan("op"))
    this.outputs = new Outputs("node/op", this.#link.outputs)
    this.outputs.open()
    this.sinks = new Map(sinks.map(({ id }) => [id, attach(this.memory.nodePlan(id))]))
  }

  /** Loads the library. */
  async load(library: string): Promise<this> {
    this.#operator = (await libraryHost.load(contextOf(library, this.outputs))) as LibraryOperator
    return this
  }

  get operator(): LibraryOperator {
    if (!this.#operator) throw new Error("load it first")
    return this.#operator
  }

  /** Outputs that C has published. */
  get published(): number {
    return this.operator.counts.published
  }

  /** Hands a value to the operator. */
  input(id: string, data: Sendable, parameters?: Parameters): void {
    this.operator.onEvent(inputEvent(id, streamOf(data), parameters))
  }

  /** The next message of a consumer. */
  take(sink: string): Taken | null {
    const event = this.sinks.get(sink)!.receiver.poll() as InputEvent | null
    if (event?.type !== "INPUT") return null
    const { timestamp, parameters } = event.metadata
    return {
      value: [...event.value!],
      context: parameters.open_telemetry_context,
      stamp: BigInt(timestamp.seconds) * 2n ** 32n + BigInt(timestamp.fraction),
    }
  }

  /** The numbers of all that a consumer has. */
  numbers(sink: string): unknown[] {
    const all: unknown[] = []
    for (let taken = this.take(sink); taken !== null; taken = this.take(sink))
      all.push(taken.value[0])
    return all
  }

  /** Resolves once nothing waits for room. */
  async room(): Promise<void> {
    if (!this.outputs.blocked) return
    await new Promise<void>((resolve) => {
      this.outputs.onRoom = resolve
    })
  }

  [Symbol.dispose](): void {
    this.operator.drop()
    const { inputs, inputsReleased, outputs, outputsReleased } = this.operator.counts
    if (inputs !== inputsReleased || outputs !== outputsReleased)
      throw new Error("not everything was released")
    this.#link.close()
    for (const link of this.sinks.values()) link.close()
    this.memory[Symbol.dispose]()
  }
}
