import { afterAll, beforeAll, describe, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildC, hasCc } from "../support/operators.ts"
import { WHEEL } from "../support/official.ts"
import { python, pythonWith } from "../support/python.ts"
import { needs } from "../support/toolchain.ts"
import { buildWasm, hasClang } from "../support/wasm.ts"
import { operatorCases, Probe } from "./operator.ts"
import { knownToPyarrow, loadPython } from "./python.ts"

/** A first run installs a wheel of 66 MB. */
const INSTALL_LIMIT_MS = 600_000
const PROBES = join(import.meta.dir, "operators")
const folder = mkdtempSync(join(tmpdir(), "dora-conformance-"))
let library = ""
let wasm = ""

beforeAll(async () => {
  if (hasCc) library = await buildC("probe.c", folder)
  if (hasClang) wasm = await buildWasm(join(PROBES, "probe.c"), folder)
  if (python) await pythonWith(WHEEL)
}, INSTALL_LIMIT_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("TypeScript", () => {
  operatorCases(test, () => new Probe("module", join(PROBES, "probe.ts")).load())
})

describe("TypeScript, on a thread", () => {
  operatorCases(test, () => new Probe("module", join(PROBES, "probe.ts"), true).load())
})

describe("WebAssembly, on a thread", () => {
  operatorCases(needs("clang and wasm-ld", hasClang), () => new Probe("wasm", wasm, true).load())
})

describe("shared library", () => {
  operatorCases(needs("cc", hasCc), () => new Probe("shared-library", library).load())
})

describe("Python", () => {
  operatorCases(
    needs("python3", python !== null),
    () => loadPython(join(PROBES, "probe.py")),
    knownToPyarrow,
  )
})

describe("WebAssembly", () => {
  operatorCases(needs("clang and wasm-ld", hasClang), () => new Probe("wasm", wasm).load())
})
