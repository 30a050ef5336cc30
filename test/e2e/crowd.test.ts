// More nodes than cores, and none of them ever sleeps: who waits must not keep the core from who has something to do.
import { expect, test } from "bun:test"
import { TestFlow } from "../support/flow.ts"

/** To the end of a time slice of some milliseconds each would take half a minute. */
const TIMES = 5000
const LIMIT_MS = 20_000

test.each([["busy"], ["adaptive"]])(
  "two nodes on one core throw a ball to each other: %s",
  async (wait) => {
    const node = { env: { DORA_BUN_WAIT: wait }, outputs: ["out"], cpu_affinity: [0] }
    await using flow = new TestFlow({
      one: { run: `ball serve ${TIMES}`, inputs: { in: "two/out" }, ...node },
      two: { run: `ball return ${TIMES}`, inputs: { in: "one/out" }, ...node },
    })
    await flow.end()
    expect([flow.said("one"), flow.said("two")]).toEqual([[TIMES], [TIMES]])
  },
  LIMIT_MS,
)
