// Shared libraries for tests, built from test/operators-native, and what stands in for the runtime: events made by hand, and
// outputs that are kept.
import { existsSync, mkdirSync } from "node:fs"
import { homedir } from "node:os"
import { basename, join } from "node:path"
import { readLayout, vectorOf } from "../../src/arrow/decoder.ts"
import { Encoder, type Sendable } from "../../src/arrow/encoder.ts"
import type { DoraError } from "../../src/core/errors.ts"
import type { Parameters } from "../../src/core/parameters.ts"
import { InputEvent } from "../../src/node/event.ts"
import type { OperatorContext } from "../../src/runtime/host.ts"
import { type LibraryOperator, libraryHost } from "../../src/runtime/library.ts"
import type { Payload } from "../../src/shm/writer.ts"
import { decodeParameters, encodeParameters } from "../../src/wire/metadata.ts"
import { ROOT } from "./install.ts"

const FOLDER = join(ROOT, "test", "operators-native")
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "dora-bun")
/** The first build fetches and compiles the crates of two versions of dora. */
export const BUILD_LIMIT_MS = 15 * 60_000

/** Is there a Rust tool chain? */
export const hasCargo = Bun.which("cargo") !== null
/** Is there a C compiler? */
export const hasCc = Bun.which("cc") !== null

/** Builds the Rust operators, which takes minutes the first time; the folder with the libraries. */
export async function buildRust(): Promise<string> {
  const target = join(CACHE, "cargo", "operators-native")
  mkdirSync(target, { recursive: true })
  const command = ["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", target]
  await run(command, join(FOLDER, "rust"))
  return join(target, "release")
}

/**
 * Builds a C or C++ operator from test/operators-native/c into `folder`; its path.
 *
 * @example await buildC("probe.c", folder) // …/libprobe.so
 */
export async function buildC(
  source: string,
  folder: string,
  flags: string[] = [],
): Promise<string> {
  const library = join(folder, `lib${basename(source).replace(".", "-")}.so`)
  const compiler = source.endsWith(".cpp") ? "c++" : "cc"
  const include = `-I${join(ROOT, "ffi")}`
  const file = existsSync(source) ? source : join(FOLDER, "c", source)
  const how = ["-O1", "-shared", "-fPIC", include, "-o", library]
  await run([compiler, ...how, file, "-lpthread", ...flags], folder)
  return library
}

async function run(command: string[], cwd: string): Promise<void> {
  const child = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe" })
  const [code, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}\n${errors}`)
}

/** One output of an operator under test. */
export type SentOutput = {
  output: string
  stream: Uint8Array
  template: number
  parameters: Parameters | undefined
}

/** An operator under test, with everything it has sent and caused. */
export class Bench {
  readonly sent: SentOutput[] = []
  readonly warnings: string[] = []
  readonly failures: unknown[] = []
  readonly declared = new Set(["out", "log", "status", "data"])
  /** Throw it instead of sending. */
  refuse: Error | null = null
  readonly #path: string
  #operator: LibraryOperator | null = null

  constructor(path: string) {
    this.#path = path
  }

  /** Loads the library. */
  async load(): Promise<this> {
    this.#operator = (await libraryHost.load(this.#context())) as LibraryOperator
    return this
  }

  /** What `check` says of the library. */
  async check(): Promise<DoraError[]> {
    return await libraryHost.check(this.#context().plan)
  }

  get operator(): LibraryOperator {
    if (!this.#operator) throw new Error("load it first")
    return this.#operator
  }

  /** Hands a value, a stream or nothing to the operator. */
  input(id: string, data?: Sendable | Stream, parameters?: Parameters): number {
    const stream = data === undefined ? null : data instanceof Stream ? data.bytes : streamOf(data)
    return this.operator.onEvent(inputEvent(id, stream, parameters)) as number
  }

  /** The values that were sent since the last call, by vector. */
  take(output = "out") {
    const taken = this.sent.filter((sent) => sent.output === output)
    this.sent.length = 0
    return taken.map(({ stream }) => vectorOf(readLayout(stream), stream))
  }

  /** Log texts that the operator sent since the last call. */
  texts(): string[] {
    return this.take("log").map((vector) => {
      const first: unknown = vector.get(0)
      return typeof first === "string"
        ? first
        : Buffer.from(vector.toArray() as Uint8Array).toString()
    })
  }

  #context(): OperatorContext {
    const { sent, warnings, failures, declared } = this
    const sendPayload = (output: string, payload: Payload, encoded: Uint8Array) => {
      if (this.refuse) throw this.refuse
      // Not at the start, to show that it is heeded; filled, to show that all of it is written.
      const memory = new Uint8Array(payload.byteLength + 128).fill(0xa5)
      payload.write(memory, 64)
      const stream = memory.slice(64, 64 + payload.byteLength)
      const parameters = decodeParameters(encoded)
      sent.push({ output, stream, template: payload.template, parameters })
      return Promise.resolve()
    }
    const path = this.#path
    return {
      node: "node",
      dataflowId: "flow",
      dataflowDescriptor: null,
      plan: { id: "op", kind: "shared-library", path, place: "flow.yml:3:5", threads: false },
      outputs: { has: (name: string) => declared.has(name), sendPayload },
      log: { warn: (text: string) => warnings.push(text) },
      entering: () => {},
      fail: (error: unknown) => failures.push(error),
    } as unknown as OperatorContext
  }
}

/** A complete Arrow stream, to be handed over as it is. */
export class Stream {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** A value as an Arrow stream. */
export function streamOf(data: Sendable): Uint8Array {
  const prepared = new Encoder().prepare(data)
  const bytes = new Uint8Array(prepared.byteLength)
  prepared.write(bytes, 0)
  return bytes
}

/** An event that owns its bytes. */
export function inputEvent(
  id: string,
  stream: Uint8Array | null,
  parameters?: Parameters,
): InputEvent {
  const source = { id, template: () => null, learn: () => {}, released: () => {} }
  return new InputEvent(source, {
    seconds: 0,
    fraction: 0,
    template: 0,
    parameters: parameters ? encodeParameters(parameters) : null,
    stream,
    body: null,
    borrow: null,
  })
}
