// kill -9 of a producer and of a consumer at random moments: nobody is stuck, nobody takes a torn message, nothing is left.
import { expect, test } from "bun:test"
import { type NodeText, Place, within } from "./place.ts"
import { Random } from "./random.ts"
import { failures, start, Times } from "./run.ts"

const ROUNDS = 100
/** From the start of the dataflow: before the barrier as well as after. */
const LATEST_KILL_MS = 400
/** After the barrier; so long that a kill always meets a living dataflow. */
const SENDING_MS = 500
/** Much longer than anything takes, and no luck is needed on a busy machine. */
const BOUND_MS = 15_000
const TIMEOUT_MS = 240_000
/** Nowhere special, and a few messages before the sign changes, both ways. */
const START_INDICES = [0, 2 ** 31 - 40, -40]

/** One consumer that holds the producer back, one that blocks in recv(), one that loses the oldest. */
const SINKS: NodeText[] = [
  { id: "keeper", program: "sink.ts", inputs: { in: lossless(8) }, env: { LOSSLESS: 1 } },
  {
    id: "blocker",
    program: "sink.ts",
    inputs: { in: lossless(1) },
    env: { LOSSLESS: 1, RECV: "sync" },
  },
  { id: "loser", program: "sink.ts", inputs: { in: { source: "source/out", queue_size: 2 } } },
]

function lossless(queueSize: number) {
  return { source: "source/out", queue_size: queueSize, queue_policy: "backpressure" }
}

function source(env: NodeText["env"]): NodeText {
  return { id: "source", program: "source.ts", outputs: ["out"], env }
}

test(
  `kill -9 of a producer at a random moment: its consumers end by themselves, ${ROUNDS} rounds`,
  async () => {
    const random = Random.forSuite("kill -9 of a producer")
    const times = new Times()
    for (let round = 0; round < ROUNDS; round++) {
      using place = new Place([source({ SEED: round }), ...SINKS])
      times.add(await killDuring(place, "source", random))
    }
    console.log(`kill -9 of a producer: the others have ended after ${times}`)
  },
  TIMEOUT_MS,
)

test(
  `kill -9 of a consumer at a random moment: the others go on to the end, ${ROUNDS} rounds`,
  async () => {
    const random = Random.forSuite("kill -9 of a consumer")
    const times = new Times()
    for (let round = 0; round < ROUNDS; round++) {
      using place = new Place([source({ SEED: round, DURATION_MS: SENDING_MS }), ...SINKS])
      const victim = SINKS[random.between(0, SINKS.length - 1)]!.id
      times.add(await killDuring(place, victim, random))
    }
    console.log(`kill -9 of a consumer: the others have ended after ${times}`)
  },
  TIMEOUT_MS,
)

/** Milliseconds from the kill to the end of the dataflow. */
async function killDuring(place: Place, victim: string, random: Random): Promise<number> {
  const moment = random.between(0, LATEST_KILL_MS)
  const startIndex = START_INDICES[random.between(0, START_INDICES.length - 1)]!
  const starting = start(place, { graceMs: 1000 }, startIndex)
  starting.catch(() => {})
  await Bun.sleep(moment)
  const { pid } = await place.processOf(victim, BOUND_MS)
  process.kill(pid, "SIGKILL")
  const killed = performance.now()
  await within(starting.then(ended, failed), BOUND_MS, "the dataflow ends")
  const took = performance.now() - killed
  await place.expectNothingLeft()
  return took

  async function ended({ flow, printed }: Awaited<typeof starting>) {
    const result = await flow.finished
    expect(failures(result, [victim])).toEqual([])
    expect(result.firstFailure?.node ?? victim).toBe(victim)
    for (const { id } of SINKS) if (id !== victim) expect(printed(id).at(-1)).toStartWith("{")
    return result
  }

  function failed(error: Error) {
    expect(error.message).toContain(victim)
    return null
  }
}
