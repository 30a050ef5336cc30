import { expect, test } from "bun:test"
import { Place, within } from "./place.ts"
import { failures, start } from "./run.ts"

for (const wait of ["park", "adaptive"] as const) {
  test(`a callback that blocks in a send doesn't leave the waiting loop asleep (${wait})`, async () => {
    const delayMs = 1500
    using place = new Place([
      { id: "once", program: "once.ts", outputs: ["out"], env: { DELAY_MS: delayMs } },
      { id: "bystander", program: "bystander.ts", inputs: { in: "once/out" }, outputs: ["out"] },
      {
        id: "slow",
        program: "slow.ts",
        inputs: { in: { source: "bystander/out", queue_size: 1, queue_policy: "backpressure" } },
        env: { LATE_MS: 400 },
      },
    ])
    const { flow, printed } = await start(place, { wait })
    const result = await within(flow.finished, 20_000, "the dataflow ends")
    expect(failures(result)).toEqual([])
    expect(JSON.parse(printed("bystander").at(-1)!).tookMs).toBeLessThan(delayMs / 2)
  }, 30_000)
}
