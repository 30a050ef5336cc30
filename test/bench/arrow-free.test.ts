// What nobody asks for is not loaded: apache-arrow costs a node's start more than the rest of it.
import { afterAll, expect, test } from "bun:test"
import { join } from "node:path"
import { discardScratch, runFlow } from "../../bench/support.ts"

afterAll(discardScratch)

test("a node that asks for no Vector loads nothing of apache-arrow", async () => {
  const path = join(import.meta.dir, "nodes/modules.ts")
  const inputs = { in: { source: "node/out", queue_size: 20 } }
  const { printed } = await runFlow([{ id: "node", path, inputs, outputs: ["out"] }])
  const [before, after] = printed as unknown as { ours: number; theirs: number }[]
  expect(before!.ours).toBeGreaterThan(10)
  expect(before!.theirs).toBe(0)
  // The count finds them when they are there.
  expect(after!.theirs).toBeGreaterThan(10)
})
