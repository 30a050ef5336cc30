// Two processes, ten million messages: order, no tear, nothing lost or all losses counted; also with counters that pass
// 2³¹ and 2³².
import { expect, test } from "bun:test"
import { Place, within } from "./place.ts"
import { failures, start } from "./run.ts"

const MANY = 10_000_000
const FEW = 1_000_000
const BOUND_MS = 120_000

const POLICIES = ["backpressure", "drop_oldest"] as const
const STARTS = [
  { name: "2³¹", startIndex: 2 ** 31 - FEW / 2 },
  { name: "the wrap", startIndex: -FEW / 2 },
]

for (const policy of POLICIES) {
  test(`${MANY} messages with ${policy} are in order, whole and accounted for`, async () => {
    await stream(policy, MANY, 0)
  }, 150_000)
  for (const { name, startIndex } of STARTS) {
    test(`${FEW} messages with ${policy} are so while the counters pass ${name}`, async () => {
      await stream(policy, FEW, startIndex)
    }, 150_000)
  }
}

async function stream(policy: (typeof POLICIES)[number], count: number, startIndex: number) {
  const lossless = policy === "backpressure"
  using place = new Place([
    { id: "pump", program: "pump.ts", outputs: ["out"], env: { COUNT: count } },
    {
      id: "drain",
      program: "drain.ts",
      inputs: { in: { source: "pump/out", queue_size: 64, queue_policy: policy } },
      env: { LOSSLESS: lossless ? 1 : 0 },
    },
  ])
  const { flow, printed } = await start(place, {}, startIndex)
  const result = await within(flow.finished, BOUND_MS, "the stream ends")
  expect(failures(result)).toEqual([])
  const got = JSON.parse(printed("drain").at(-1)!) as { received: number; last: number }
  const { sent, taken, dropped, queued } = result.edges[0]!
  expect({ sent, taken, queued }).toEqual({ sent: count, taken: got.received, queued: 0 })
  expect(taken + dropped).toBe(count)
  expect(got.last).toBe(count)
  if (lossless) expect(dropped).toBe(0)
  await place.expectNothingLeft()
  const rate = (count / result.edges[0]!.seconds / 1e6).toFixed(2)
  console.log(`${policy}, ${count} messages: ${dropped} dropped, ${rate} M/s`)
}
