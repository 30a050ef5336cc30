// What every kind of operator must do, whatever hosts it: the same cases, by a probe in each language.
import { expect } from "bun:test"
import * as arrow from "apache-arrow"
import fc from "fast-check"
import { readLayout, vectorOf } from "../../src/arrow/decoder.ts"
import { Encoder } from "../../src/arrow/encoder.ts"
import type { OperatorKind } from "../../src/core/operator.ts"
import { DoraStatus, type Operator, type OperatorContext } from "../../src/runtime/host.ts"
import { hostOf } from "../../src/runtime/hosts.ts"
import { UnknownOutputError } from "../../src/node/errors.ts"
import { ThreadHost } from "../../src/runtime/thread.ts"
import type { Payload } from "../../src/shm/payload.ts"
import { cut, flatKinds, plain, sample } from "../support/arrow.ts"
import { inputEvent, streamOf } from "../support/operators.ts"
import type { NamedTest } from "../support/toolchain.ts"

const SEED = 20_261_122
const RUNS = 60

/** What an operator has sent. */
export type Sent = { output: string; stream: Uint8Array; parameters: unknown }

/** An operator on its own, however it is hosted. */
export interface LoadedProbe {
  readonly sent: Sent[]
  readonly operator: Pick<Operator, "onEvent" | "drop"> | null
  /** Hands a stream over; the answer, after a promise if need be. */
  input(
    id: string,
    stream: Uint8Array | null,
    parameters?: Record<string, number>,
  ): Promise<DoraStatus>
}

/** An operator in this process, and what it has sent. */
export class Probe implements LoadedProbe {
  readonly sent: Sent[] = []
  readonly said: string[] = []
  operator: Operator | null = null
  readonly #kind: OperatorKind
  readonly #path: string
  readonly #threads: boolean

  constructor(kind: OperatorKind, path: string, threads = false) {
    this.#kind = kind
    this.#path = path
    this.#threads = threads
  }

  async load(): Promise<this> {
    const inner = await hostOf(this.#kind)
    const host = this.#threads ? new ThreadHost(inner) : inner
    for (const problem of await host.check(this.#context().plan)) throw problem
    this.operator = await host.load(this.#context())
    return this
  }

  async input(id: string, stream: Uint8Array | null, parameters?: Record<string, number>) {
    return await this.operator!.onEvent(inputEvent(id, stream, parameters))
  }

  #context(): OperatorContext {
    const encoder = new Encoder()
    const keep = (output: string, payload: Payload, parameters: unknown) => {
      if (output !== "out" && output !== "log")
        throw new UnknownOutputError("n/op", output, ["out"])
      const stream = new Uint8Array(payload.byteLength)
      payload.write(stream, 0)
      this.sent.push({ output, stream, parameters })
      return Promise.resolve()
    }
    const say = (text: string) => this.said.push(text)
    return {
      node: "n",
      dataflowId: "flow",
      dataflowDescriptor: null,
      plan: { id: "op", kind: this.#kind, path: this.#path, place: "flow.yml:3:5", threads: false },
      outputs: {
        names: () => ["out", "log"],
        send: (output: string, data: never, p: unknown) => keep(output, encoder.prepare(data), p),
        sendPayload: keep,
      },
      log: { info: say, warn: say, error: say, write: (_: string, text: string) => say(text) },
      entering: () => {},
      fail: (error: unknown) => say(String(error)),
    } as unknown as OperatorContext
  }
}

/**
 * The cases.
 *
 * @param withTools  `test`, or one that needs a tool chain
 * @param load       a loaded probe
 * @param knows      which types the language has at all
 */
export function operatorCases(
  withTools: NamedTest,
  load: () => Promise<LoadedProbe>,
  knows: (type: arrow.DataType) => boolean = () => true,
): void {
  /** What comes back of a column. */
  async function echoed(probe: LoadedProbe, vector: arrow.Vector): Promise<void> {
    const stream = streamOf(vector)
    const expected = vectorOf(readLayout(stream), stream)
    probe.sent.length = 0
    expect(await probe.input("echo", stream)).toBe(DoraStatus.CONTINUE)
    const [sent] = probe.sent
    const made = vectorOf(readLayout(sent!.stream), sent!.stream)
    expect(`${made.type}`).toBe(`${expected.type}`)
    expect(plain(made)).toEqual(plain(expected))
    expect(plain(arrow.tableFromIPC(sent!.stream).getChildAt(0)!)).toEqual(plain(expected))
  }

  withTools("columns of every flat type come back: full, with nulls, of nulls, empty", async () => {
    const probe = await load()
    for (const { type, value } of flatKinds.filter((kind) => knows(kind.type))) {
      const values = fc.sample(value, { numRuns: 9, seed: SEED })
      for (const some of [values, [...values, null, values[0]], [null, null], []]) {
        await echoed(probe, arrow.vectorFromArray(some as unknown[], type) as arrow.Vector)
      }
    }
    await probe.operator!.drop()
  })

  withTools("nested columns, slices of them and of several chunks come back", async () => {
    const probe = await load()
    await fc.assert(
      fc.asyncProperty(
        sample(2).filter(({ type }) => knows(type)),
        fc.nat(20),
        fc.nat(20),
        fc.boolean(),
        async (one, a, b, chunked) => {
          const vector = arrow.vectorFromArray(one.values, one.type) as arrow.Vector
          await echoed(probe, cut(vector, a, b, chunked))
        },
      ),
      { seed: SEED, numRuns: RUNS },
    )
    await probe.operator!.drop()
  })

  withTools("a dictionary comes back", async () => {
    const probe = await load()
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())
    const values = ["red", "green", null, "red", "blue"]
    await echoed(probe, arrow.vectorFromArray(values, type) as arrow.Vector)
    await probe.operator!.drop()
  })

  withTools(
    "answers are statuses; anything else is an error with operator, file and place",
    async () => {
      const probe = await load()
      const bytes = streamOf(1)
      expect(await probe.input("nothing", bytes)).toBe(DoraStatus.CONTINUE)
      expect(await probe.input("stop", bytes)).toBe(DoraStatus.STOP)
      expect(await probe.input("stop-all", bytes)).toBe(DoraStatus.STOP_ALL)
      expect(await failure(() => probe.input("odd-status", bytes))).toMatch(/77|none of/)
      expect(await failure(() => probe.input("fail", bytes))).toContain("the operator says no")
      await probe.operator!.drop()
    },
  )

  withTools(
    "it is told of ends, stops, damaged messages and errors, and of nothing it can't be told",
    async () => {
      const { operator } = await load()
      for (const event of [
        { type: "INPUT_CLOSED", id: "echo" },
        { type: "INPUT_PARSE_ERROR", id: "ignore", error: "it is torn" },
        { type: "ERROR", error: new Error("the connection is gone") },
        { type: "NODE_RESTARTED", id: "camera" },
        { type: "NODE_FAILED", id: "camera", inputs: ["echo"], error: "exited" },
        { type: "STOP", cause: "MANUAL" },
        { type: "STOP", cause: "ALL_INPUTS_CLOSED" },
      ] as const) {
        const answer = await operator!.onEvent(event as never)
        expect([event.type, answer === DoraStatus.CONTINUE || answer === DoraStatus.STOP]).toEqual([
          event.type,
          true,
        ])
      }
      await operator!.drop()
    },
  )

  withTools("messages without data, a thousand times, and a large one", async () => {
    const probe = await load()
    for (let i = 0; i < 1000; i++)
      expect(await probe.input("nothing", null)).toBe(DoraStatus.CONTINUE)
    const large = arrow.makeVector(new Float64Array(1 << 19).map((_, i) => i))
    await echoed(probe, large)
    await echoed(probe, arrow.makeVector(Float64Array.of(1)))
    await probe.operator!.drop()
  })
}

/** What a call fails with, thrown or rejected. */
async function failure(call: () => Promise<unknown>): Promise<string> {
  try {
    await call()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error("it did not fail")
}
