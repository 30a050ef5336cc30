// First and last messages: what a node sends right after init and right before its end reaches a consumer whose queue holds it.
import { expect, test } from "bun:test"
import { Place, within } from "./place.ts"
import { failures, start } from "./run.ts"

const ROUNDS = 100
const BOUND_MS = 15_000
const TIMEOUT_MS = 180_000
/** Bytes of a word: through a slot, and through a chunk. */
const SIZES = [0, 20_000]
/** The consumer looks at once, or when the producer is long gone. */
const LATENESS_MS = [0, 30]

test(
  `sent right after init and right before process.exit(): delivered, ${ROUNDS} of ${ROUNDS} runs`,
  async () => {
    for (let round = 0; round < ROUNDS; round++) await run("exit", round)
  },
  TIMEOUT_MS,
)

for (const end of ["natural", "close", "throw", "kill"]) {
  test(
    `sent right before the end by ${end}: delivered, 8 of 8 runs`,
    async () => {
      for (let round = 0; round < 8; round++) await run(end, round)
    },
    TIMEOUT_MS,
  )
}

/** The low bits of `round` choose size, lateness, and whether the sends are synchronous. */
async function run(end: string, round: number): Promise<void> {
  const between = round % 5
  using place = new Place([
    {
      id: "words",
      program: "words.ts",
      outputs: ["out"],
      env: { END: end, SIZE: SIZES[round & 1]!, BETWEEN: between, SYNC: (round >> 2) & 1 },
    },
    {
      id: "listener",
      program: "listener.ts",
      inputs: { in: { source: "words/out", queue_size: between + 2 } },
      env: { LATE_MS: LATENESS_MS[(round >> 1) & 1]! },
    },
  ])
  const { flow, printed } = await start(place, { graceMs: 1000 })
  const result = await within(flow.finished, BOUND_MS, "the dataflow ends")
  const fails = end === "throw" || end === "kill"
  expect(failures(result, fails ? ["words"] : [])).toEqual([])
  expect(result.ok).toBe(!fails)
  const middle = Array.from({ length: between }, (_, i) => `between ${i}`)
  expect(JSON.parse(printed("listener").at(-1) ?? "null")).toEqual(["first", ...middle, "last"])
  await place.expectNothingLeft()
}
