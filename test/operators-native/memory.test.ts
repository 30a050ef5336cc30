import { afterAll, beforeAll, expect } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cargo, CARGO_LIMIT_MS, testCrates } from "../support/cargo.ts"
import { buildC, hasCc } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"

const LIMIT_MS = 120_000
const MB = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), "dora-bun-memory-"))
const paths: Record<string, string> = {}

beforeAll(async () => {
  if (hasCc) paths.c = await buildC("probe.c", folder)
  if (cargo) paths.v1 = join(await testCrates(), "libnative_v1.so")
}, CARGO_LIMIT_MS)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withCc = needs("cc", hasCc)
const withCargo = needs("cargo", cargo !== null)

/** Events through an operator in a process of its own: how much its resident memory grew after the first of them. */
function grow(library: string, inputs: string[], events: number) {
  const script = join(import.meta.dir, "many.ts")
  const command = [process.execPath, script, paths[library]!, inputs.join(), String(events)]
  const run = Bun.spawnSync(command, { stdout: "pipe", stderr: "inherit", timeout: LIMIT_MS })
  return JSON.parse(run.stdout.toString())
}

withCc(
  "ten million events and outputs leave memory as it was, and everything is released once",
  () => {
    const { grown, counts } = grow("c", ["bytes"], 10_000_000)
    expect(grown).toBeLessThan(8 * MB)
    const { inputs, inputsReleased, outputs, outputsReleased, releasedTwice, published } = counts
    expect([inputs, inputsReleased, outputs, outputsReleased, releasedTwice]).toEqual([
      10_000_000, 10_000_000, 10_000_000, 10_000_000, 0,
    ])
    expect(published).toBeGreaterThan(8_000_000)
  },
  LIMIT_MS,
)

withCargo(
  "so do a million of every kind in Rust: echoes, slices, kept inputs, errors",
  () => {
    const { grown, counts } = grow(
      "v1",
      ["echo", "slice", "keep", "let-go", "none", "fail"],
      1_000_000,
    )
    expect(grown).toBeLessThan(16 * MB)
    expect(counts.inputsReleased).toBe(counts.inputs)
    expect(counts.outputsReleased).toBe(counts.outputs)
    expect(counts.releasedTwice).toBe(0)
  },
  LIMIT_MS,
)
