import { expect, test } from "bun:test"
import { Place, within } from "./place.ts"
import { failures, start } from "./run.ts"

test("what a consumer holds beyond a release has length 0, what it retains stays", async () => {
  using place = new Place([
    { id: "source", program: "large.ts", outputs: ["out"], env: { COUNT: 8 } },
    {
      id: "holder",
      program: "holder.ts",
      inputs: { in: { source: "source/out", queue_size: 1, queue_policy: "backpressure" } },
    },
  ])
  const { flow, printed } = await start(place, { graceMs: 1000 })
  const result = await within(flow.finished, 15_000, "the dataflow ends")
  expect(failures(result)).toEqual([])
  expect(printed("holder")).toContain("held well")
  await place.expectNothingLeft()
}, 30_000)
