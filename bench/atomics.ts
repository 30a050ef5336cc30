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

const [mode, count, shared] = process.argv.slice(2)
const rounds = Number(count)
if (mode !== "spin" || !(rounds > 0)) {
  console.error("usage: bun bench/atomics.ts spin ROUNDS")
  process.exit(2)
}
const warmUp = Math.max(5000, rounds / 5)

function pingPong(words: Int32Array, own: number, other: number, times: Float64Array | null): void {
  let before = Bun.nanoseconds()
  for (let i = 1; i <= warmUp + rounds; i++) {
    if (times) Atomics.store(words, own, i)
    while (Atomics.load(words, other) !== i);
    if (!times) Atomics.store(words, own, i)
    else {
      const after = Bun.nanoseconds()
      if (i > warmUp) times[Math.floor(i - warmUp) - 1] = after - before
      before = after
    }
  }
}

if (shared !== undefined) {
  dieWithParent()
  pingPong(new Int32Array(Bun.mmap(shared).buffer), BACK, THERE, null)
} else {
  const folder = mkdtempSync(join(tmpdir(), "dora-atomics-"))
  try {
    const path = join(folder, "page")
    await Bun.write(path, new Uint8Array(PAGE_BYTES))
    const other = Bun.spawn([process.execPath, import.meta.path, mode, count!, path], {
      stdout: "inherit",
      stderr: "inherit",
    })
    const times = new Float64Array(rounds)
    pingPong(new Int32Array(Bun.mmap(path).buffer), THERE, BACK, times)
    await other.exited
    times.sort()
    const at = (q: number) => times[Math.floor(q * (rounds - 1))]!
    const [p50, p90, p99, p999, min] = [at(0.5), at(0.9), at(0.99), at(0.999), at(0)]
    console.log(JSON.stringify({ mode: "atomics", p50, p90, p99, p999, min }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
