// The shim under the eyes of sanitizers, and against an operator that sends damaged arrays.
import { afterAll, beforeAll, describe, expect } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Bench, buildC, buildDriver, hasCc, hasSanitizer } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"

const LIMIT_MS = 120_000
const SANITIZE = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
const folder = mkdtempSync(join(tmpdir(), "dora-bun-sanitizer-"))
const plain = join(folder, "plain")
const watched = join(folder, "watched")

beforeAll(async () => {
  if (hasCc)
    await Promise.all([buildAll(plain, ["-O2"]), hasSanitizer && buildAll(watched, SANITIZE)])
}, LIMIT_MS)

async function buildAll(target: string, flags: string[]): Promise<void> {
  await buildDriver(target, flags)
  for (const source of ["probe.c", "hostile.c"]) await buildC(source, target, flags)
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withCc = needs("cc", hasCc)
const withSanitizer = needs("cc with address sanitizer", hasSanitizer)

function drive(target: string, what: string, library: string, events: number) {
  const command = [join(target, "driver"), what, join(target, `lib${library}-c.so`), String(events)]
  const run = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe", timeout: LIMIT_MS })
  return {
    code: run.signalCode ?? run.exitCode,
    out: run.stdout.toString(),
    err: run.stderr.toString(),
  }
}

describe("the shim", () => {
  withSanitizer(
    "neither leaks nor reads or writes what it must not, whatever a C operator does",
    () => {
      const { code, out, err } = drive(watched, "probe", "probe", 0)
      expect(err).toBe("")
      expect(out).toMatch(
        /^probe: (\d+) inputs, \1 released, (\d+) outputs, \2 released, \2 written, [1-9]\d* published\n$/,
      )
      expect(code).toBe(0)
    },
    LIMIT_MS,
  )

  withSanitizer(
    "takes 200,000 damaged arrays without a report of the sanitizers",
    () => {
      const { code, out, err } = drive(watched, "hostile", "hostile", 200_000)
      expect(err).toBe("")
      expect(out).toMatch(
        /^hostile: 200000 inputs, 200000 released, 200000 outputs, 200000 released/,
      )
      expect(code).toBe(0)
    },
    LIMIT_MS,
  )

  withCc(
    "takes a million damaged arrays, and releases each once",
    () => {
      const { code, out } = drive(plain, "hostile", "hostile", 1_000_000)
      expect(out).toMatch(
        /^hostile: 1000000 inputs, 1000000 released, 1000000 outputs, 1000000 released/,
      )
      expect(code).toBe(0)
    },
    LIMIT_MS,
  )
})

describe("an operator that sends damaged arrays", () => {
  withCc(
    "gets an error for each that can be told, and nothing breaks",
    async () => {
      const bench = await new Bench(join(plain, "libhostile-c.so")).load()
      bench.limit = 1 << 20
      const EVENTS = 30_000
      for (let i = 0; i < EVENTS; i++) {
        bench.input("x", Uint32Array.of(1_000_000 + i))
        bench.sent.length = 0
      }
      bench.input("report")
      const [, wrong, sent, refused] = /(\d+) wrong, (\d+) sent, (\d+) refused/.exec(
        bench.texts()[0]!,
      )!
      expect(Number(wrong)).toBe(0)
      expect(Number(sent) + Number(refused)).toBe(EVENTS)
      // Some of the damage does no harm.
      expect(Number(sent)).toBeGreaterThan(EVENTS / 20)
      expect(Number(refused)).toBeGreaterThan(EVENTS / 2)
      bench.operator.drop()
      const { counts } = bench.operator
      expect(counts.outputsReleased).toBe(counts.outputs)
      expect(counts.releasedTwice).toBe(0)
    },
    LIMIT_MS,
  )
})
