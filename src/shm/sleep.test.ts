import { afterEach, describe, expect, test } from "bun:test"
import { dlopen, ptr } from "bun:ffi"
import { join } from "node:path"
import { TestEdge } from "../../test/support/edge.ts"
import { type Game, play } from "../../test/support/sleepers.ts"
import {
  CORE_WORD,
  PARKS_WORD,
  WAKE_PARKED_FD,
  WAKE_RUNNING,
  WAKE_WORD,
  WOKEN_WORD,
} from "./layout.ts"
import { currentCore, leaveCore, readAffinity } from "./libc.ts"
import { Sleeper, type SleepKind } from "./sleep.ts"

const SEED = 20_261_207
const TURNS = 30_000
const PROGRAM = join(import.meta.dir, "../../test/support/sleepers.ts")
const FIONREAD = 0x541b
const { ioctl } = dlopen("libc.so.6", {
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
}).symbols

const edges: TestEdge[] = []
afterEach(() => {
  for (const edge of edges.splice(0)) edge[Symbol.dispose]()
})

function makeEdge(): TestEdge {
  const edge = new TestEdge()
  edges.push(edge)
  return edge
}

describe("two processes that wake each other", () => {
  const kinds: [string, SleepKind[], number][] = [
    ["on the word", ["futex"], TURNS],
    ["on the pipe", ["fd"], TURNS],
    ["on either", ["futex", "fd"], TURNS],
  ]
  test.each(kinds)(
    `never miss a wake-up %s`,
    async (_, kinds, turns) => {
      console.log(`sleepers: seed ${SEED}`)
      const beds = [makeEdge(), makeEdge()].map(({ ref, pipe }) => ({
        inbox: ref,
        wakeFd: pipe[0],
      })) as Game["beds"]
      const game = { pid: process.pid, beds, turns, seed: SEED, kinds }
      const child = Bun.spawn([process.execPath, PROGRAM, JSON.stringify(game)], {
        stdout: "pipe",
        stderr: "inherit",
      })
      const start = performance.now()
      const slept = await play(0, game)
      const theirs = Number(await child.stdout.text())
      expect(await child.exited).toBe(0)
      const seconds = (performance.now() - start) / 1000
      console.log(`${slept} + ${theirs} sleeps in ${seconds.toFixed(1)} s`)
      expect(slept + theirs).toBeGreaterThan(turns / 2)
    },
    60_000,
  )
})

const isAlone =
  readAffinity().reduce((sum, bits) => sum + bits.toString(2).replaceAll("0", "").length, 0) < 2

test.skipIf(isAlone)("a thread that leaves its core may use all of its cores afterwards", () => {
  const before = readAffinity()
  const cores = new Set([currentCore()])
  // The scheduler may bring it back at any time.
  for (let i = 0; i < 50 && cores.size < 2; i++) {
    leaveCore()
    cores.add(currentCore())
  }
  expect(cores.size).toBe(2)
  expect(readAffinity()).toEqual(before)
})

describe("a sleeper", () => {
  function makeSleeper() {
    const edge = makeEdge()
    const sleeper = new Sleeper(edge.inbox, process.pid, edge.pipe[0])
    const peer = edge.map()
    const word = () => edge.inbox.words[WAKE_WORD]
    return { edge, sleeper, peer, word }
  }

  test.skipIf(isAlone).each(["futex", "fd"] as const)(
    "that woke by itself leaves its core to a neighbour that sleeps there, and no other: %s",
    async (kind) => {
      const { edge, sleeper, word } = makeSleeper()
      const neighbour = makeEdge().inbox.words
      const mine = edge.inbox.words
      sleeper.neighbours = new Map([edge, edges.at(-1)!].map(({ inbox }, i) => [i, inbox]))
      const night = async (theirs: number, woken: boolean) => {
        neighbour[CORE_WORD] = theirs
        sleeper.arm(kind)
        if (woken) Atomics.store(mine, WAKE_WORD, WAKE_RUNNING)
        if (kind === "futex") sleeper.sleepSync(1)
        else await sleeper.sleep(1)
        expect(word() === WAKE_RUNNING).toBe(woken)
        sleeper.disarm()
        return mine[CORE_WORD]
      }
      // The scheduler moves threads as well, and may do so in between.
      const seen = async (theirs: () => number, woken: boolean, isSame: boolean) => {
        for (let i = 0; i < 50; i++) {
          const core = currentCore() + 1
          if (((await night(theirs(), woken)) === core) === isSame) return true
        }
        return false
      }
      const here = () => currentCore() + 1
      expect(await seen(here, false, false)).toBe(true)
      expect(await seen(here, true, true)).toBe(true)
      expect(await seen(() => 0, false, true)).toBe(true)
    },
  )

  test("that is awake costs its peers no call, and one that sleeps one call for all of them", async () => {
    const { edge, sleeper, peer, word } = makeSleeper()
    for (let i = 0; i < 5; i++) peer.wake()
    expect(pending(edge)).toBe(0)
    sleeper.arm("fd")
    expect(word()).toBe(WAKE_PARKED_FD)
    for (let i = 0; i < 5; i++) [peer, edge.map()][i % 2]!.wake()
    expect(word()).toBe(WAKE_RUNNING)
    expect(pending(edge)).toBe(1)
    await sleeper.sleep(5000)
    sleeper.close()
  })

  test("ends its sleep at its time, and counts it", async () => {
    const { edge, sleeper } = makeSleeper()
    for (const kind of ["futex", "fd"] as const) {
      const start = performance.now()
      sleeper.arm(kind)
      if (kind === "futex") sleeper.sleepSync(30)
      else await sleeper.sleep(30)
      sleeper.disarm()
      expect(performance.now() - start).toBeGreaterThan(28)
    }
    expect(edge.inbox.words[PARKS_WORD]).toBe(2)
    expect(edge.inbox.words[WOKEN_WORD]).toBe(2)
    sleeper.close()
  })

  test("does not fall asleep when it was woken between arming and sleeping", () => {
    const { sleeper, peer } = makeSleeper()
    sleeper.arm("futex")
    peer.wake()
    const start = performance.now()
    sleeper.sleepSync(20_000)
    expect(performance.now() - start).toBeLessThan(5000)
    sleeper.close()
  })

  test("is woken by its own process too, and by being closed", async () => {
    const { sleeper } = makeSleeper()
    for (const end of [() => sleeper.interrupt(), () => sleeper.close()]) {
      sleeper.arm("fd")
      setTimeout(end, 5)
      const start = performance.now()
      await sleeper.sleep(20_000)
      expect(performance.now() - start).toBeLessThan(5000)
    }
  })

  test("is woken after a death whatever its word says", async () => {
    const { sleeper, peer } = makeSleeper()
    sleeper.arm("fd")
    const asleep = sleeper.sleep(20_000)
    // As if a peer had won the exchange and died before the call.
    sleeper.disarm()
    peer.wake()
    expect(await Promise.race([asleep.then(() => "awake"), Bun.sleep(20)])).toBeUndefined()
    peer.wakeAlways()
    const start = performance.now()
    await asleep
    expect(performance.now() - start).toBeLessThan(5000)
    sleeper.close()
  })

  test("is not waited for when its pipe is full", async () => {
    const { sleeper, peer, edge } = makeSleeper()
    for (let i = 0; i < 70_000; i++) peer.wakeAlways()
    expect(pending(edge)).toBe(65_536)
    sleeper.arm("fd")
    await sleeper.sleep(5000)
    sleeper.close()
  })
})

describe("a program that has slept", () => {
  const run = async (program: string) => {
    const files = ["../../test/support/edge.ts", "sleep.ts"].map((file) =>
      JSON.stringify(join(import.meta.dir, file)),
    )
    const text = `
      import { TestEdge } from ${files[0]}
      import { Sleeper } from ${files[1]}
      const edge = new TestEdge()
      const sleeper = new Sleeper(edge.inbox, process.pid, edge.pipe[0])
      const rest = async (ms) => { sleeper.arm("fd"); await sleeper.sleep(ms); sleeper.disarm() }
      ${program}`
    const child = Bun.spawn([process.execPath, "-e", text], { stderr: "inherit" })
    const limit = setTimeout(() => child.kill("SIGKILL"), 10_000)
    const output = await child.stdout.text()
    clearTimeout(limit)
    return { output: output.trim(), code: await child.exited }
  }

  test("ends when it has nothing else to do", async () => {
    expect(await run("await rest(5); console.log('over')")).toEqual({ output: "over", code: 0 })
  })

  test("stays as long as it sleeps", async () => {
    const program = `
      setTimeout(() => edge.map().wake(), 150).unref()
      void rest(1e9).then(() => console.log("woken"))`
    expect(await run(program)).toEqual({ output: "woken", code: 0 })
  })

  test("sleeps and is woken again after any pause", async () => {
    const program = `
      let times = 0
      for (const pause of [0, 40, 60, 0, 120, 51, 49]) {
        await Bun.sleep(pause)
        setTimeout(() => { times++; edge.map().wake() }, 5)
        await rest(3000)
        if (times === 0) throw new Error("nobody woke")
        console.log(times)
      }`
    const { output, code } = await run(program)
    expect([output.split("\n"), code]).toEqual([["1", "2", "3", "4", "5", "6", "7"], 0])
  })
})

/** Bytes that wait in the pipe of an edge; they stay there. */
function pending(edge: TestEdge): number {
  const count = new Int32Array(4)
  expect(ioctl(edge.pipe[0], FIONREAD, ptr(count.buffer))).toBe(0)
  return count[0]!
}
