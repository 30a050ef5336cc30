import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { release } from "node:os"
import { setBatch, setTimeSlice } from "./libc.ts"

/** Runs a program with another scheduling. */
const chrt = Bun.which("chrt")

/** What the kernel says of the main thread of this process, or of one that it starts. */
function schedule(text: string): { policy: number; slice: number; nice: number } {
  const field = (name: string) => Number(new RegExp(`^${name}\\s*:\\s*(\\d+)`, "m").exec(text)?.[1])
  // The kernel counts the ordinary ones from 100, and 120 is in the middle.
  return { policy: field("policy"), slice: field("se.slice"), nice: field("prio") - 120 }
}

const [major, minor] = release().split(".").map(Number)
const hasSlices = existsSync("/proc/self/sched") && (major! > 6 || (major === 6 && minor! >= 12))

// Run in a process of its own: the slice of this one is to stay.
if (process.argv[2] === "slice") {
  const own = () => schedule(readFileSync("/proc/self/sched", "utf8"))
  const child = () => schedule(Bun.spawnSync(["cat", "/proc/self/sched"]).stdout.toString())
  const seen = [own()]
  setTimeSlice(100_000)
  seen.push(own(), child())
  setBatch(true)
  seen.push(own())
  setBatch(false)
  seen.push(own())
  console.log(JSON.stringify(seen))
} else {
  const run = (...before: string[]) => {
    const { stdout } = Bun.spawnSync([...before, process.execPath, import.meta.path, "slice"])
    return JSON.parse(stdout.toString()) as ReturnType<typeof schedule>[]
  }

  test.skipIf(!hasSlices)(
    "a time slice is this thread's alone, and stays with a batch process",
    () => {
      const [before, set, child, batch, after] = run()
      expect(before!.slice).toBeGreaterThan(100_000)
      expect(set).toEqual({ policy: 0, slice: 100_000, nice: 0 })
      expect(child).toEqual(before!)
      expect(batch).toEqual({ policy: 3, slice: 100_000, nice: 0 })
      expect(after).toEqual(set!)
    },
  )

  test.skipIf(!hasSlices || chrt === null)("other scheduling is left alone, and passed on", () => {
    const seen = run(chrt!, "--batch", "0")
    expect(seen.map(({ policy }) => policy)).toEqual([3, 3, 3, 3, 0])
    expect(new Set(seen.map(({ slice }) => slice)).size).toBe(1)
  })

  test.skipIf(!hasSlices || process.getuid?.() !== 0)(
    "precedence is left alone, and passed on",
    () => {
      const seen = run("nice", "-n", "-5")
      expect(seen.map(({ policy, nice }) => [policy, nice])).toEqual(Array(5).fill([0, -5]))
    },
  )
}
