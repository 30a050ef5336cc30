// A short sweep of latencies, and how each take is held to the result that was committed last.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Floors } from "../../bench/floor.ts"
import { type Context, measure } from "../../bench/part.ts"
import { latencyCase, type PingPong } from "../../bench/parts/latency.ts"
import {
  readResult,
  type Result,
  ResultFileError,
  type Round,
  type Row,
} from "../../bench/result.ts"
import { sameFloor } from "../../bench/statistics.ts"
import { machineFacts, runFlow } from "../../bench/support.ts"
import { ROOT } from "../support/install.ts"

/** A ratio to the floor that is this many times the committed one is far out. */
const FAR_OUT = 2
/** Takes that must be far out, each undisturbed, and how many there may be until that. */
const TRIES = 3
const MOST_TAKES = 8
/** A case gets no new take after this time. */
const PATIENCE_MS = 7000
/** Round trips of a floor, as a share of the suite's: where four programs share two cores, each of them takes milliseconds. */
export const FLOOR_SHARE = 0.2

const awake = (size: number, mode: "copy" | "loan", api: "recv" | "iterate" = "recv"): PingPong => {
  return { size, mode, api, wait: "busy" }
}

/** What is swept: rows of the suite. */
export const SWEEP: readonly PingPong[] = [
  awake(64, "copy"),
  awake(64, "copy", "iterate"),
  awake(4096, "copy"),
  awake(4096, "loan"),
  awake(4_096_000, "loan"),
]

/** `unknown`: what looked far out was disturbed by other programs, or by a floor that moved. */
export type Judgement = "fine" | "far out" | "unknown"

/** One case of the sweep: its takes, and what they say together. */
export type Swept = { name: string; rounds: Round[]; judgement: Judgement }

/**
 * Takes a case until it is fine, far out three times, or its time is over.
 *
 * @param end  no take begins after this moment of `performance.now()`
 */
export async function sweep(
  one: PingPong,
  committed: readonly Row[],
  floors: Floors,
  end: number,
): Promise<Swept> {
  const context: Context = {
    rounds: 1,
    extent: "quick",
    floors,
    // What a shared core does is far from twice the time.
    cores: { slowdown: () => 1, bestNs: 1 },
    run: runFlow,
    mayRepeat: () => false,
    isEnded: () => false,
    hasTime: () => true,
    progress: () => {},
    note: () => {},
  }
  const made = latencyCase(context, one)
  const row = committed.find(({ part, name }) => part === "latency" && name === made.name)
  if (!row) throw new Error(`the committed result has no row ${made.name}`)
  const rounds: Round[] = []
  const until = Math.min(end, performance.now() + PATIENCE_MS)
  const judged = () => judge(rounds, row)
  while (judged() === "unknown" && rounds.length < MOST_TAKES && performance.now() < until) {
    const [taken] = await measure(context, "latency", [made])
    rounds.push(...taken!.rounds)
  }
  return { name: made.name, rounds, judgement: judged() }
}

/** Holds takes to a committed row, by nothing but their ratios to the floors that stood beside them. */
export function judge(rounds: readonly Round[], committed: Row): Judgement {
  const far = rounds.filter((round) => ratioOf(round) >= limitOf(round, committed))
  if (far.length < rounds.length) return "fine"
  return far.filter((round) => round.unsteady === undefined).length >= TRIES ? "far out" : "unknown"
}

/**
 * Where the two processes run changes the floor by a factor of four, and ours much less. So rounds count whose floor was like this one's;
 * without any, all of them, and a faster floor need not have made ours faster.
 */
function limitOf({ floor }: Round, { rounds, value, floor: beside }: Row): number {
  const steady = rounds.filter((round) => round.unsteady === undefined && round.floor)
  const known = steady.length > 0 ? steady : [{ value, floor: beside!.value }]
  const alike = known.filter((round) => sameFloor(round.floor, floor))
  if (alike.length > 0) return FAR_OUT * Math.max(...alike.map(ratioOf))
  return FAR_OUT * Math.max(...known.map((one) => one.value / Math.min(one.floor!, floor!)))
}

function ratioOf({ value, floor }: Round): number {
  return value / floor!
}

/**
 * The newest result in bench/results that has latencies beside floors, of a processor like this one if there is any: a ratio to the
 * floor is one of a kind of machine. Null when there is none.
 */
export async function committedResult(): Promise<Result | null> {
  const folder = join(ROOT, "bench/results")
  const results: Result[] = []
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".json")) continue
    try {
      results.push(await readResult(join(folder, name)))
    } catch (error) {
      // Results of older versions stay where they are.
      if (!(error instanceof ResultFileError)) throw error
    }
  }
  const dateOf = ({ machine }: Result) => String(machine.date)
  const { cpu } = machineFacts()
  const newest = results
    .filter(({ rows }) => rows.some(({ part, ratio }) => part === "latency" && ratio))
    .sort((a, b) => (dateOf(a) < dateOf(b) ? 1 : -1))
  return newest.find(({ machine }) => machine.cpu === cpu) ?? newest[0] ?? null
}
