// Nodes that heed nothing end all the same, and in bounded time.
import { expect, test } from "bun:test"
import { join } from "node:path"
import { type NodeText, Place, within } from "./place.ts"
import { start } from "./run.ts"

const GRACE_MS = 500
/** Grace and half of it, and what a busy machine needs for the rest. */
const BOUND_MS = 10_000
const MAIN = join(import.meta.dir, "../../src/cli/main.ts")
const WAYS = ["awake", "busy", "asleep", "deaf", "halted", "parent"]

function stubborn(how: string): NodeText {
  return { id: how, program: "stubborn.ts", env: { HOW: how } }
}

for (const how of WAYS) {
  test(`a node that is ${how} and ignores Stop and every signal is killed after the grace`, async () => {
    using place = new Place([stubborn(how)])
    const { flow } = await start(place, { graceMs: GRACE_MS })
    place.processes()
    flow.stop("the test")
    const result = await within(flow.finished, BOUND_MS, "the dataflow ends")
    expect(result.stopped?.kill).toEqual([how])
    await place.expectNothingLeft()
  }, 30_000)
}

test("all of them at once take no longer", async () => {
  using place = new Place(WAYS.filter((how) => how !== "busy").map(stubborn))
  const { flow } = await start(place, { graceMs: GRACE_MS })
  place.processes()
  flow.stop("the test")
  await within(flow.finished, BOUND_MS, "the dataflow ends")
  await place.expectNothingLeft()
}, 30_000)

test("a node that never subscribes fails the start in bounded time", async () => {
  using place = new Place([stubborn("unborn"), stubborn("awake")])
  const starting = start(place, { graceMs: GRACE_MS, startupTimeoutMs: 2000 })
  const outcome = starting.then(
    () => "started",
    (error: Error) => error.message,
  )
  expect(await within(outcome, BOUND_MS, "the start fails")).toContain("unborn")
  await place.expectNothingLeft()
}, 30_000)

test("a second Ctrl-C ends dora run at once, whatever its nodes do", async () => {
  using place = new Place(WAYS.filter((how) => how !== "busy").map(stubborn))
  const run = Bun.spawn([process.execPath, MAIN, "run", place.path], {
    detached: true,
    cwd: place.dir,
    env: { ...process.env, FAULT_MARK: place.mark, TMPDIR: place.scratch },
    stdio: ["ignore", "ignore", "ignore"],
  })
  for (const how of WAYS) if (how !== "busy") await place.processOf(how, BOUND_MS)
  run.kill("SIGINT")
  await Bun.sleep(200)
  run.kill("SIGINT")
  expect(await within(run.exited, BOUND_MS, "the command ends")).toBe(1)
  await place.expectNothingLeft()
}, 30_000)
