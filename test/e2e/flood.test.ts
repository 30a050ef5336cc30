// A flood to more nodes than there are cores: who sends is not to lose its core with each message that it sends.
import { expect, test } from "bun:test"
import { TestFlow } from "../support/flow.ts"

const OTHER = 0
const BATCH = 3
const TAKERS = 8
const LIMIT_MS = 60_000

test(
  "nodes that are flooded are batch processes, and ordinary ones afterwards",
  async () => {
    const input = { source: "source/out", queue_size: 256, queue_policy: "backpressure" }
    const ids = Array.from({ length: TAKERS }, (_, i) => `sink${i}`)
    await using flow = new TestFlow({
      source: { run: "flood send 3", outputs: ["out"], cpu_affinity: [0] },
      ...Object.fromEntries(
        ids.map((id) => [id, { run: "flood take", inputs: { in: input }, cpu_affinity: [0] }]),
      ),
    })
    await flow.end()
    const sent = flow.said("source").at(-1)
    const said = ids.map(
      (id) => flow.said(id).at(-1) as { seen: number[]; last: number; received: number },
    )
    expect(said.map(({ received }) => received)).toEqual(ids.map(() => sent as number))
    expect(said.some(({ seen }) => seen.includes(BATCH))).toBe(true)
    expect(said.map(({ last }) => last)).toEqual(ids.map(() => OTHER))
  },
  LIMIT_MS,
)
