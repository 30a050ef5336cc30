// Shared libraries for tests, built from test/operators-native, and what stands in for the runtime: events made by hand, and
// outputs that are kept.
import { existsSync, mkdirSync } from "node:fs"
import { basename, join } from "node:path"
import { readLayout, vectorOf } from "../../src/arrow/decoder.ts"
import { Encoder, type Sendable } from "../../src/arrow/encoder.ts"
import type { DoraError } from "../../src/core/errors.ts"
import type { Parameters } from "../../src/core/parameters.ts"
import { InputEvent } from "../../src/node/event.ts"
import type { OperatorContext } from "../../src/runtime/host.ts"
import { type LibraryOperator, libraryHost } from "../../src/runtime/library.ts"
import type { Payload } from "../../src/shm/payload.ts"
import { decodeParameters, encodeParameters } from "../../src/wire/metadata.ts"
import { ROOT } from "./install.ts"

const FOLDER = join(ROOT, "test", "operators-native")

/** Is there a C compiler? */
export const hasCc = Bun.which("cc") !== null

/** Can the compiler watch memory? */
export const hasSanitizer = hasCc && compiles(["-fsanitize=address,undefined"])

function compiles(flags: string[]): boolean {
  const command = ["cc", ...flags, "-x", "c", "-", "-o", "/dev/null"]
  return Bun.spawnSync(command, {
    stdin: Buffer.from("int main(void) { return 0; }"),
    stderr: "ignore",
  }).success
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
  mkdirSync(folder, { recursive: true })
  await run([compiler, ...how, file, "-lpthread", ...flags], folder)
  return library
}

/** Builds the program in C that drives the shim, into `folder`. */
export async function buildDriver(folder: string, flags: string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const file = join(FOLDER, "c", "driver.c")
  await run(
    ["cc", "-O1", ...flags, "-o", join(folder, "driver"), file, "-lpthread", "-ldl"],
    folder,
  )
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
  /** Longer messages are not written. */
  limit = Number.POSITIVE_INFINITY
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
      if (payload.byteLength > this.limit) return Promise.resolve()
      // Not at the start, to show that it is heeded; filled, to show that all of it is written.
      const memory = new Uint8Array(payload.byteLength + 128).fill(0xa5)
      payload.write(memory, 64)
      const stream = memory.slice(64, 64 + payload.byteLength)
      const parameters = decodeParameters(encoded)
      sent.push({ output, stream, template: payload.template, parameters })
      return Promise.resolve()
    }
    return contextOf(
      this.#path,
      { names: () => [...declared], sendPayload },
      { warn: (text) => warnings.push(text), fail: (error) => failures.push(error) },
    )
  }
}

type Sending = {
  names(): string[]
  sendPayload(output: string, payload: Payload, encoded: Uint8Array): Promise<void>
}
type Telling = { warn?(text: string): void; fail?(error: unknown): void }

/** A stand-in for the runtime around one operator. */
export function contextOf(
  path: string,
  outputs: Sending,
  { warn, fail }: Telling = {},
): OperatorContext {
  return {
    node: "node",
    dataflowId: "flow",
    dataflowDescriptor: null,
    plan: { id: "op", kind: "shared-library", path, place: "flow.yml:3:5", threads: false },
    outputs,
    log: { warn },
    entering: () => {},
    fail,
  } as unknown as OperatorContext
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
  const encoded = parameters ? encodeParameters(parameters) : null
  return new InputEvent(source, 0, 0, 0, encoded, stream, null, null)
}
