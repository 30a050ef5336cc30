// The built-in benchmark suite: which parts there are, and how a run of them becomes a result.
import { Cores } from "./cores.ts"
import { Floors } from "./floor.ts"
import type { Context, Extent, Part } from "./part.ts"
import { arrowPart } from "./parts/arrow.ts"
import { chainPart } from "./parts/chain.ts"
import { copyPart } from "./parts/copy.ts"
import { floorPart } from "./parts/floor.ts"
import { idlePart } from "./parts/idle.ts"
import { latencyPart } from "./parts/latency.ts"
import { memoryPart } from "./parts/memory.ts"
import { operatorsPart } from "./parts/operators.ts"
import { pacedPart } from "./parts/paced.ts"
import { librariesPart } from "./parts/libraries.ts"
import { peersPart } from "./parts/peers.ts"
import { startupPart } from "./parts/startup.ts"
import { fanPart, throughputPart } from "./parts/throughput.ts"
import { type Method, RESULT_VERSION, type Result, type Row } from "./result.ts"
import { median } from "./statistics.ts"
import { machineFacts, readTicks, runFlow } from "./support.ts"

/** All parts, in the order in which they run. */
export const PARTS: readonly Part[] = [
  floorPart,
  latencyPart,
  pacedPart,
  throughputPart,
  fanPart,
  chainPart,
  copyPart,
  idlePart,
  startupPart,
  memoryPart,
  operatorsPart,
  arrowPart,
  librariesPart,
  peersPart,
]

/** Parts that a glance leaves out, and those that only a full run or a wish of its own brings. */
const QUICK: readonly string[] = ["floor", "latency", "paced", "throughput"]
const ON_REQUEST: readonly string[] = ["memory", "libraries", "peers"]

/** How many disturbed takes are repeated, in the first half of the time. */
const REPEATS: Record<Extent, number> = { quick: 0, default: 8, full: 100 }
/** A default run takes less than two minutes: what is left after this time gets one round. */
const TIME_MS: Record<Extent, number> = {
  quick: 30_000,
  default: 90_000,
  full: Number.POSITIVE_INFINITY,
}

/** A core that is shared more often than this is worth a sentence. */
const OFTEN_PERCENT = 20

/** Rounds that a default run has time for. */
const USUAL_ROUNDS = 5

/** What is to be measured. */
export type SuiteOptions = {
  extent: Extent
  rounds: number
  /** Names of parts; those that belong to the extent when left out. */
  parts?: readonly string[]
  peers?: boolean
  /** Aborted: what was not begun yet is left out. */
  early?: AbortSignal
}

/** What a run came to: with a part that failed the result has the others. */
export type SuiteRun = { result: Result; failures: Error[] }

/**
 * Measures.
 *
 * @param progress  hears what is being measured
 * @example const { result } = await runSuite({ extent: "default", rounds: 5 }, console.error)
 */
export async function runSuite(
  options: SuiteOptions,
  progress: (what: string) => void,
): Promise<SuiteRun> {
  const { extent, rounds } = options
  const machine = machineFacts()
  const floors = new Floors(extent === "quick" ? 0.3 : 1)
  const cores = new Cores()
  const parts = partsOf(options)
  const start = performance.now()
  let repeats = REPEATS[extent]
  // Who asks for more than a default run has time for it.
  const asked = options.parts !== undefined || options.peers || rounds > USUAL_ROUNDS
  const limitMs = asked ? Number.POSITIVE_INFINITY : TIME_MS[extent]
  const isEnded = () => options.early?.aborted === true
  const hasTime = () => !isEnded() && performance.now() - start < limitMs
  const mayRepeat = () => !isEnded() && performance.now() - start < limitMs / 2 && repeats-- > 0
  const notes: string[] = []
  const note = (sentence: string) => void notes.push(sentence)
  const context: Context = {
    rounds,
    extent,
    floors,
    cores,
    run: runFlow,
    mayRepeat,
    hasTime,
    isEnded,
    progress,
    note,
  }
  const before = readTicks()
  const rows: Row[] = []
  const failures: Error[] = []
  for (const part of parts) {
    if (isEnded()) break
    try {
      rows.push(...(await part.run(context)))
    } catch (error) {
      // Half an hour of other parts is not to be lost with one.
      failures.push(error as Error)
      note(
        `\`${part.name}\` is missing, because it failed: ${(error as Error).message.split("\n")[0]}`,
      )
    }
  }
  if (isEnded()) note("It was ended early: some rows have fewer rounds, others are missing.")
  else if (!hasTime())
    note("Time ran out: the last rows have fewer rounds. With `--part` or `--full` they have all.")
  if (cores.sharedPercent > OFTEN_PERCENT)
    note(
      `Somebody else shared a core in ${cores.sharedPercent} % of the readings, and left half of it or little more: figures of JavaScript are up to twice those of cores of one's own.`,
    )
  const after = readTicks()
  const all = Math.max(1, after.all - before.all)
  const percent = (name: "stolen" | "others") =>
    Math.round(((after[name] - before[name]) / all) * 1000) / 10
  const method: Method = {
    extent,
    rounds,
    parts: parts.map((part) => part.name).join(","),
    seconds: Math.round((performance.now() - start) / 100) / 10,
    othersPercent: percent("others"),
    stolenPercent: percent("stolen"),
    sharedPercent: cores.sharedPercent,
    floor: floors.about,
    clockNs: clockCost(),
    clock: "one reading in each time, its cost included, in the floors too",
    warmUp: "in each take, not counted",
    pinning: "none; `taskset` before the command pins us, floors and peers alike",
    interval: "95 % bootstrap of the median of paired ratios",
  }
  return { result: { version: RESULT_VERSION, machine, method, rows, notes }, failures }
}

function partsOf({ extent, parts, peers }: SuiteOptions): Part[] {
  const wanted = ({ name }: Part): boolean => {
    if (name === "peers" && peers) return true
    if (parts) return parts.includes(name)
    if (extent === "quick") return QUICK.includes(name)
    return extent === "full" || !ON_REQUEST.includes(name)
  }
  return PARTS.filter(wanted)
}

const CLOCK_READINGS = 20_000

/** Nanoseconds of one reading of the clock. */
function clockCost(): number {
  const samples = Array.from({ length: 9 }, () => {
    const start = Bun.nanoseconds()
    for (let i = 0; i < CLOCK_READINGS; i++) Bun.nanoseconds()
    return (Bun.nanoseconds() - start) / CLOCK_READINGS
  })
  return Math.round(median(samples) * 10) / 10
}
