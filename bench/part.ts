// What a part of the suite is, and how its rows are measured: round by round over all cases, each take beside its floor.
import { type BenchNode, type FlowRun, readTicks, type Ticks, type Watch } from "./support.ts"
import type { WaitMode } from "../src/shm/plan.ts"
import { type Cores, SHARED } from "./cores.ts"
import { goalsOf } from "./goals.ts"
import type { FloorName, Floors } from "./floor.ts"
import type { Round, Row, Unit } from "./result.ts"
import { median, noiseOf, pairedRatio, sameFloor } from "./statistics.ts"

/** How much is measured: a glance that only shows that all works, the default, everything. */
export type Extent = "quick" | "default" | "full"

/** What a part gets to work with. */
export type Context = {
  readonly rounds: number
  readonly extent: Extent
  readonly floors: Floors
  readonly cores: Pick<Cores, "slowdown" | "bestNs">
  /** Runs a flow of nodes in bench/nodes to its end. */
  run(nodes: BenchNode[], wait?: WaitMode, watch?: Watch): Promise<FlowRun>
  /** Is there time to repeat a take that was disturbed? */
  mayRepeat(): boolean
  /** Is there time for more than one round? */
  hasTime(): boolean
  /** Was the run ended early? Then no take begins any more. */
  isEnded(): boolean
  /** Says what is being measured, for a person who waits. */
  progress(what: string): void
  /** Adds a sentence that a reader of the result must know. */
  note(sentence: string): void
}

/** A part of the suite: `latency`, `throughput`, … */
export interface Part {
  readonly name: string
  /** One line for the help and the page. */
  readonly about: string
  run(context: Context): Promise<Row[]>
}

/** What one take of a case came to. */
export type Take = {
  value: number
  figures?: Record<string, number>
  cdf?: [number, number][]
}

/** A row to be: how it is measured, and beside what. */
export type Case = {
  name: string
  size?: number
  unit: Unit
  better: "lower" | "higher"
  /** Taken right before and right after each take, and what the figure is compared with. */
  floor?: FloorName
  /** Taken likewise, only to know in which state the machine was: rounds in another state are not compared. */
  witness?: FloorName
  /** Taken in turns with ours: A B A B … */
  peer?: { name: string; take(): Promise<Take> }
  take(): Promise<Take>
}

/** Takes of one round, when it was disturbed. */
const TRIES = 3
/** Other programs may take this much of one core while a take lasts, besides a tick or two of rounding. */
const OTHERS = 0.15
const ROUNDING_TICKS = 3

/**
 * Measures cases in rounds, so that a change of the machine meets all of them, and makes a row of each.
 *
 * @example return measure(context, "latency", [{ name: "64 B", unit: "ns", better: "lower", floor: "spin", take }])
 */
export async function measure(context: Context, part: string, cases: Case[]): Promise<Row[]> {
  const taken = new Map<Case, Measured[]>(cases.map((one) => [one, []]))
  for (let round = 0; round < context.rounds && (round === 0 || context.hasTime()); round++) {
    for (const one of cases) {
      if (context.isEnded()) break
      context.progress(`${part}: ${one.name}, round ${round + 1} of ${context.rounds}`)
      taken.get(one)!.push(await takeRound(context, one))
    }
  }
  const begun = cases.filter((one) => taken.get(one)!.length > 0)
  return begun.map((one) => rowOf(context, part, one, taken.get(one)!))
}

type Measured = { take: Take; peer?: Take; round: Round }

/**
 * One take between two of the floor. Virtual machines move and other programs run: when the floor did or they did, the take is
 * repeated. Who shares a core stays for long: that is only noted.
 */
async function takeRound(context: Context, one: Case): Promise<Measured> {
  const { floors, cores, mayRepeat } = context
  const name = one.floor ?? one.witness
  const takeFloor = () => (name ? floors.take(name)?.p50 : undefined)
  for (let tries = 1; ; tries++) {
    const ticks = readTicks()
    const slowdown = cores.slowdown()
    const before = takeFloor()
    const take = await one.take()
    const others = othersSince(ticks)
    const peer = await one.peer?.take()
    const after = takeFloor()
    const shared = Math.max(slowdown, cores.slowdown())
    const unsteady = sameFloor(before, after) ? others : "the floor moved"
    if (unsteady !== null && tries < TRIES && mayRepeat()) continue
    const round: Round = { value: take.value }
    if (before !== undefined && after !== undefined) round.floor = (before + after) / 2
    if (peer) round.peer = peer.value
    if (unsteady !== null) round.unsteady = unsteady
    if (shared > SHARED) round.shared = Math.round(shared * 10) / 10
    return { take, peer, round }
  }
}

/** Says when other programs took part of the machine. */
function othersSince(before: Ticks): string | null {
  const now = readTicks()
  const ticks = Math.max(0, now.others - before.others - ROUNDING_TICKS)
  const elapsed = (now.all - before.all) / navigator.hardwareConcurrency
  const share = elapsed > 0 ? ticks / elapsed : 0
  return share > OTHERS ? `other programs took ${Math.round(share * 100)} % of a core` : null
}

/** Makes a row of its takes: of those with cores of their own that nothing disturbed where they are most, else of the undisturbed, else of all. */
function rowOf({ floors }: Context, part: string, one: Case, taken: Measured[]): Row {
  const steady = taken.filter(({ round }) => round.unsteady === undefined)
  const alone = steady.filter(({ round }) => round.shared === undefined)
  const counted = [alone, steady].find((some) => some.length * 2 > taken.length) ?? taken
  const rounds = counted.map(({ round }) => round)
  const { name, size, unit, better } = one
  const goals = goalsOf(part, name)
  const row: Row = {
    part,
    name,
    ...(size === undefined ? {} : { size }),
    unit,
    better,
    value: median(rounds.map((round) => round.value)),
    figures: medianFigures(counted.map(({ take }) => take.figures ?? {})),
    ...(goals.length > 0 ? { goals } : {}),
    rounds: taken.map(({ round }) => round),
    noisy: false,
  }
  const cdf = medianCdf(counted.map(({ take }) => take.cdf))
  if (cdf) row.cdf = cdf
  const to = one.peer ? "peer" : "floor"
  const beside = rounds.flatMap((round) => round[to] ?? [])
  if ((one.peer || one.floor) && beside.length === rounds.length) {
    const value = median(beside)
    if (one.peer) {
      const figures = medianFigures(counted.map(({ peer }) => peer?.figures ?? {}))
      row.peer = { name: one.peer.name, value, figures }
    } else row.floor = { name: floors.nameOf(one.floor!), value }
    row.ratio = { ...pairedRatio(rounds.map((round) => round.value / round[to]!)), to }
  }
  const spread = row.ratio ?? pairedRatio(rounds.map((round) => round.value))
  const why = counted.length > steady.length ? disturbed(row) : noiseOf(spread, rounds.length)
  return why === null ? row : { ...row, noisy: true, why }
}

function disturbed({ rounds }: Row): string {
  return `in most rounds ${rounds.findLast((round) => round.unsteady)?.unsteady}`
}

/** The median of each figure; of `max` the largest. */
function medianFigures(all: Record<string, number>[]): Record<string, number> {
  const names = [...new Set(all.flatMap((figures) => Object.keys(figures)))]
  const of = (name: string) => {
    const values = all.flatMap((figures) => figures[name] ?? [])
    return name === "max" ? Math.max(...values) : median(values)
  }
  return Object.fromEntries(names.map((name) => [name, of(name)]))
}

/** The median over the rounds of the figure at each share. */
function medianCdf(all: readonly Take["cdf"][]): Take["cdf"] {
  const rounds = all.map((cdf) => new Map(cdf))
  // A round of few messages says nothing of the far tail, and then nothing is drawn of it.
  const shares = [...(rounds[0]?.keys() ?? [])].filter((share) => rounds.every((r) => r.has(share)))
  if (shares.length === 0) return undefined
  return shares.map((share) => [share, median(rounds.map((round) => round.get(share)!))])
}
