// kill -9 of `dora run` itself, at a random moment of its life: its nodes and their children go with it, nothing is left.
import { test } from "bun:test"
import { join } from "node:path"
import { Place, within } from "./place.ts"
import { Random } from "./random.ts"
import { Times } from "./run.ts"
import type { Found } from "./traces.ts"

const ROUNDS = 100
/** From the spawn of the command: before its nodes, during their start, in full flow. */
const LATEST_KILL_MS = 600
const BOUND_MS = 15_000
const MAIN = join(import.meta.dir, "../../src/cli/main.ts")

test(`kill -9 of dora run at a random moment: no process, no memory, no file is left, ${ROUNDS} rounds`, async () => {
  const random = Random.forSuite("kill -9 of dora run")
  const times = new Times()
  for (let round = 0; round < ROUNDS; round++) {
    using place = new Place([
      { id: "source", program: "source.ts", outputs: ["out"], env: { SEED: round } },
      { id: "sink", program: "sink.ts", inputs: { in: { source: "source/out", queue_size: 4 } } },
      { id: "stubborn", program: "stubborn.ts", env: { HOW: "parent" } },
    ])
    times.add(await killRun(place, random.between(0, LATEST_KILL_MS)))
  }
  console.log(`kill -9 of dora run: everything is gone after ${times}`)
}, 300_000)

/** The guard, with what it runs, looks around for a second before it goes: that is checked after all rounds. */
function isGuard({ group }: Found, all: Found[]): boolean {
  return all.some((one) => one.group === group && one.command.includes("dora-guard"))
}

/** Milliseconds until everything is gone but the guard. */
async function killRun(place: Place, moment: number): Promise<number> {
  const run = Bun.spawn([process.execPath, MAIN, "run", place.path], {
    // Its own group, so that the groups that are looked at are all of the run.
    detached: true,
    cwd: place.dir,
    env: { ...process.env, FAULT_MARK: place.mark, TMPDIR: place.scratch },
    stdio: ["ignore", "ignore", "ignore"],
  })
  await Bun.sleep(moment)
  // The groups are remembered, for children that don't carry the mark.
  place.processes()
  run.kill("SIGKILL")
  const killed = performance.now()
  await within(run.exited, BOUND_MS, "the command is dead")
  await place.expectNothingLeft(isGuard)
  return performance.now() - killed
}
