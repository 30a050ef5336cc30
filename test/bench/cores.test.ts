// A core that somebody else uses as well is found out, and the process may use the same cores afterwards.
import { expect, test } from "bun:test"
import { Cores, SHARED } from "../../bench/cores.ts"
import { readAffinity } from "../../src/shm/libc.ts"

test("work takes longer while a core does other work too, and is told so", async () => {
  const before = readAffinity(128)
  const cores = new Cores()
  expect(cores.slowdown()).toBeGreaterThanOrEqual(1)
  expect(readAffinity(128)).toEqual(before)
  // Programs of this machine in its place: on one hardware thread they take turns instead of sharing its units.
  const burners = Array.from({ length: 3 * navigator.hardwareConcurrency }, () =>
    Bun.spawn(["sh", "-c", "while :; do :; done"]),
  )
  try {
    let most = 0
    const end = performance.now() + 10_000
    while (most <= SHARED && performance.now() < end) most = Math.max(most, cores.slowdown())
    expect(most).toBeGreaterThan(SHARED)
    expect(cores.sharedPercent).toBeGreaterThan(0)
  } finally {
    for (const burner of burners) burner.kill("SIGKILL")
    await Promise.all(burners.map(({ exited }) => exited))
  }
}, 20_000)
