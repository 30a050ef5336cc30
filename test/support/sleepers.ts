// Two processes that wake each other after every turn. Run as a program, this is the second one.
import { Random } from "../faults/random.ts"
import { PARKS_WORD } from "../../src/shm/layout.ts"
import type { SegmentRef } from "../../src/shm/plan.ts"
import { Inbox } from "../../src/shm/segment.ts"
import { Sleeper, type SleepKind } from "../../src/shm/sleep.ts"

/** Where each of the two sleeps: descriptors of the first process. */
export type Bed = { inbox: SegmentRef; wakeFd: number }
/** What the second process is told. */
export type Game = {
  pid: number
  beds: [Bed, Bed]
  turns: number
  seed: number
  kinds: SleepKind[]
}

/** A sleep that takes this long was not ended by anybody. */
const LOST_MS = 5000
/** A word of the inbox that nobody else uses: number of the last turn of the other one. */
const TURN_WORD = 128
const MOST_THOUGHT_MS = 0.05

/**
 * Plays one side to the end.
 *
 * @returns how often it slept
 * @throws Error  when a wake-up was lost
 */
export async function play(side: 0 | 1, game: Game): Promise<number> {
  const { pid, beds, turns, kinds } = game
  const [own, other] = [beds[side], beds[1 - side]!]
  const inbox = new Inbox(pid, own.inbox, own.wakeFd)
  const peer = new Inbox(pid, other.inbox, other.wakeFd)
  const sleeper = new Sleeper(inbox, pid, own.wakeFd)
  const random = new Random(game.seed + side)
  const there = (turn: number) => Atomics.load(inbox.words, TURN_WORD) >= turn
  for (let turn = 1; turn <= turns; turn++) {
    if (side === 0) give(peer, turn)
    while (!there(turn)) {
      const kind = kinds[random.between(0, kinds.length - 1)]!
      sleeper.arm(kind)
      if (!there(turn)) await sleep(sleeper, kind, `turn ${turn} of side ${side}`)
      sleeper.disarm()
    }
    think(random)
    if (side === 1) give(peer, turn)
  }
  const sleeps = inbox.words[PARKS_WORD]!
  sleeper.close()
  for (const end of [inbox, peer]) end.close()
  return sleeps
}

function give(peer: Inbox, turn: number): void {
  Atomics.store(peer.words, TURN_WORD, turn)
  peer.wake()
}

async function sleep(sleeper: Sleeper, kind: SleepKind, where: string): Promise<void> {
  const start = performance.now()
  if (kind === "futex") sleeper.sleepSync(LOST_MS)
  else await sleeper.sleep(LOST_MS)
  if (performance.now() - start >= LOST_MS - 1) throw new Error(`nobody woke ${where} (${kind})`)
}

function think(random: Random): void {
  const until = performance.now() + random.next() * MOST_THOUGHT_MS
  while (performance.now() < until);
}

if (import.meta.main) {
  const sleeps = await play(1, JSON.parse(process.argv[2]!) as Game)
  console.log(sleeps)
}
