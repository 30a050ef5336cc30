// The spinning floor without a C compiler: two Bun processes, one word each way, nothing but Atomics.
//   bun bench/atomics.ts spin 200000
// Prints what bench/floor.c prints.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dieWithParent } from "../src/shm/libc.ts"

const THERE = 0
const BACK = 1024
const PAGE_BYTES = 8192
/** As in bench/measure.h. */
const MOST_NS = 2e9

const [mode, count, shared] = process.argv.slice(2)
const rounds = Number(count)
if (mode !== "spin" || !(rounds > 0)) {
  console.error("usage: bun bench/atomics.ts spin ROUNDS")
  process.exit(2)
}
const warmUp = Math.max(5000, Math.floor(rounds / 5))

/** Asks, and takes the times until they are enough or their time is over. */
function ask(words: Int32Array): Float64Array {
  const times = new Float64Array(warmUp + rounds)
  const start = Bun.nanoseconds()
  let before = start
  let taken = 0
  while (taken < times.length && before - start < MOST_NS) {
    Atomics.store(words, THERE, taken + 1)
    while (Atomics.load(words, BACK) !== taken + 1);
    const after = Bun.nanoseconds()
    times[taken++] = after - before
    before = after
  }
  return times.subarray(taken < 2 * warmUp ? taken >> 1 : warmUp, taken)
}

/** Answers until it is killed. */
function answer(words: Int32Array): void {
  for (let i = 1; ; i++) {
    while (Atomics.load(words, THERE) !== i);
    Atomics.store(words, BACK, i)
  }
}

if (shared !== undefined) {
  dieWithParent()
  answer(new Int32Array(Bun.mmap(shared).buffer))
} else {
  const folder = mkdtempSync(join(tmpdir(), "dora-atomics-"))
  try {
    const path = join(folder, "page")
    await Bun.write(path, new Uint8Array(PAGE_BYTES))
    const other = Bun.spawn([process.execPath, import.meta.path, mode, count!, path], {
      stdout: "inherit",
      stderr: "inherit",
    })
    const times = ask(new Int32Array(Bun.mmap(path).buffer)).sort()
    other.kill("SIGKILL")
    await other.exited
    const at = (q: number) => times[Math.floor(q * (times.length - 1))]!
    const [p50, p90, p99, p999, min] = [at(0.5), at(0.9), at(0.99), at(0.999), at(0)]
    console.log(JSON.stringify({ mode: "atomics", p50, p90, p99, p999, min }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
