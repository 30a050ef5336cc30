// What is particular to WebAssembly: its limits, and modules that are not what they should be.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Probe } from "../../test/conformance/operator.ts"
import { streamOf } from "../../test/support/operators.ts"
import { needs } from "../../test/support/toolchain.ts"
import { buildWasm, buildWasmRust, hasClang, wasmRustc } from "../../test/support/wasm.ts"
import { arrayOf, readLayout } from "../arrow/decoder.ts"
import { limitMemory } from "./wasm-binary.ts"

const SOURCE = join(import.meta.dir, "../../test/conformance/operators/probe.c")
const folder = mkdtempSync(join(tmpdir(), "dora-wasm-"))
const LIMIT_MS = 60_000
const withTools = needs("clang and wasm-ld", hasClang)
/** Compiling takes its time on a busy machine. */
const withClang = (name: string, body: () => Promise<void>) => withTools(name, body, LIMIT_MS)
const bytes = streamOf(Float32Array.of(1, 2, 3))
let wasm = ""

beforeAll(async () => {
  if (hasClang) wasm = await buildWasm(SOURCE, folder)
}, LIMIT_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Why a file is refused. */
async function refusal(path: string): Promise<string> {
  const error = await new Probe("wasm", path).load().then(
    () => null,
    (error: Error) => error,
  )
  return error?.message ?? "it was loaded"
}

/** The elements of a message. */
function elements(stream: Uint8Array): number[] {
  return [...(arrayOf(readLayout(stream), stream) as Float32Array)]
}

async function errorOf(call: () => Promise<unknown>): Promise<string> {
  return await call().then(
    () => "nothing",
    (error: Error) => error.message,
  )
}

describe("an operator in WebAssembly", () => {
  withClang("computes with elements and without an Arrow library", async () => {
    const probe = await new Probe("wasm", wasm).load()
    await probe.input("transform", bytes)
    expect(elements(probe.sent[0]!.stream)).toEqual([3, 5, 7])
    await probe.operator!.drop()
    expect(probe.said).toEqual(["dropped"])
  })

  withClang("gets and sends parameters as JSON", async () => {
    const probe = await new Probe("wasm", wasm).load()
    await probe.input("echo", bytes, { gain: 2 })
    expect(probe.sent[0]!.parameters).toEqual({ gain: 2 })
  })

  withClang("is answered what is wrong with a send, and nothing is sent", async () => {
    const probe = await new Probe("wasm", wasm).load()
    const answers: Record<string, number> = {}
    for (const id of ["outside", "misaligned", "nonsense", "undeclared", "parameters"]) {
      await probe.input(id, bytes)
      const { output, stream } = probe.sent.pop()!
      expect(output).toBe("log")
      answers[id] = elements(stream)[0]!
    }
    expect(answers).toEqual({
      outside: 2,
      misaligned: 2,
      nonsense: 2,
      undeclared: 1,
      parameters: 3,
    })
    expect(probe.sent).toEqual([])
  })

  withClang("that traps, or has no memory left, fails in its call", async () => {
    const probe = await new Probe("wasm", wasm).load()
    expect(await errorOf(() => probe.input("trap", bytes))).toContain("nreachable")
    await probe.input("greedy", bytes)
    const large = streamOf(new Uint8Array(200_000_000))
    expect(await errorOf(() => probe.input("echo", large))).toContain("dora_alloc gave no")
  })

  withClang("says why it can't begin", async () => {
    const failing = await buildWasm(SOURCE, folder, ["-DFAIL_INIT"])
    expect(await refusal(failing)).toContain("dora_init_operator failed\n  why: no state today")
    await buildWasm(SOURCE, folder)
  })
})

describe("an operator in Rust without a standard library", () => {
  const rustc = wasmRustc()

  // Not asked of CI: where rustup can't add the target there is a second compiler to install, which cargo must not take for its own.
  test.skipIf(rustc === null)(
    "computes, sends on, and takes large messages",
    async () => {
      const source = join(import.meta.dir, "../../test/conformance/operators/scale.rs")
      const probe = await new Probe("wasm", await buildWasmRust(rustc!, source, folder)).load()
      await probe.input("any", bytes)
      expect(elements(probe.sent.pop()!.stream)).toEqual([2, 4, 6])
      const text = streamOf("a text")
      await probe.input("any", text, { gain: 2 })
      const { stream, parameters } = probe.sent.pop()!
      expect(stream).toEqual(text)
      expect(parameters).toEqual({ gain: 2 })
      const large = streamOf(new Uint8Array(300_000))
      await probe.input("any", large)
      expect(probe.sent.pop()!.stream).toEqual(large)
      await probe.operator!.drop()
    },
    LIMIT_MS,
  )
})

describe("a file that is no operator is refused with the reason", () => {
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }

  test("missing, text, empty, damaged", async () => {
    expect(await refusal(join(folder, "missing.wasm"))).toContain("there is no such file")
    expect(await refusal(write("text.wasm", "text"))).toContain("no WebAssembly module")
    expect(await refusal(write("empty.wasm", ""))).toContain("no WebAssembly module")
    const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    expect(await refusal(write("header.wasm", header))).toContain("no memory of its own")
    const long = Uint8Array.of(...header, 1, 200, 1)
    expect(await refusal(write("long.wasm", long))).toContain("ends in the middle")
  })

  test("a memory of its own, and nothing else", async () => {
    const memory = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1)
    const why = await refusal(write("memory.wasm", memory))
    expect(why).toContain("does not export dora_alloc, dora_init_operator, dora_on_event, memory")
  })

  withClang("one that wants the system", async () => {
    const source = write(
      "wasi.c",
      `#include "dora_wasm.h"
      __attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"))) void leave(int);
      DORA_EXPORT(dora_init_operator) int dora_init_operator(void) { leave(1); return 0; }
      DORA_EXPORT(dora_on_event) int dora_on_event(const dora_event *event) { return 0; }`,
    )
    const why = await refusal(await buildWasm(source, folder))
    expect(why).toContain("imports wasi_snapshot_preview1.proc_exit")
  })
})

describe("the limit of a module's memory", () => {
  const module = (...section: number[]) =>
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section)

  test("is written into it, and a lower one of its own stays", () => {
    expect(limitMemory(module(5, 3, 1, 0, 1), 300)).toEqual(module(5, 5, 1, 1, 1, 0xac, 2))
    expect(limitMemory(module(5, 4, 1, 1, 1, 2), 300)).toEqual(module(5, 4, 1, 1, 1, 2))
    expect(limitMemory(module(0, 1, 9, 5, 4, 1, 1, 1, 9, 6, 1, 0), 3)).toEqual(
      module(0, 1, 9, 5, 4, 1, 1, 1, 3, 6, 1, 0),
    )
    const memory = (bytes: Uint8Array<ArrayBuffer>) => new WebAssembly.Module(limitMemory(bytes, 2))
    expect(() => memory(module(5, 3, 1, 0, 1))).not.toThrow()
  })

  test("is not for modules that need more from the start", () => {
    expect(() => limitMemory(module(5, 3, 1, 0, 9), 3)).toThrow("it begins with 0.5625 MiB")
  })
})
