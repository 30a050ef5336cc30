// Nodes that sleep after every message: a wake-up that is lost would leave both sides asleep for ever.
import { expect, test } from "bun:test"
import { Place, within } from "./place.ts"
import { Random } from "./random.ts"
import { failures, start } from "./run.ts"

const COUNT = 30_000
const BOUND_MS = 60_000
const SIDES = ["async", "sync"] as const

for (const ping of SIDES) {
  for (const pong of SIDES) {
    test(`${COUNT} round trips of sleepers: ${ping} with ${pong}`, async () => {
      const seed = Random.forSuite(`${ping} with ${pong}`).between(1, 1e6)
      await pingPong({ RECV: ping, SEED: seed, COUNT }, { RECV: pong, SEED: seed })
    }, 90_000)
  }
}

type Environment = Record<string, string | number>

async function pingPong(ping: Environment, pong: Environment): Promise<void> {
  const held = (source: string) => ({ source, queue_size: 1, queue_policy: "backpressure" })
  using place = new Place([
    {
      id: "ping",
      program: "ping.ts",
      inputs: { in: held("pong/out") },
      outputs: ["out"],
      env: ping,
    },
    {
      id: "pong",
      program: "pong.ts",
      inputs: { in: held("ping/out") },
      outputs: ["out"],
      env: pong,
    },
  ])
  const { flow, printed } = await start(place, { wait: "park" })
  const result = await within(flow.finished, BOUND_MS, "the round trips end")
  expect(failures(result)).toEqual([])
  console.log(
    `${COUNT} round trips in ${(result.durationMs / 1000).toFixed(1)} s, ${printed("ping").at(-1)}`,
  )
  await place.expectNothingLeft()
}
