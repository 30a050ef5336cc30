// The peers of the benchmark suite: each that is installed carries messages, and nothing of it is left behind.
import { afterAll, describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { PEERS } from "../../bench/peers/list.ts"
import type { Peer } from "../../bench/peers/peer.ts"
import { file, program, tool } from "../../bench/peers/program.ts"
import { ROOT } from "../support/install.ts"
import { needs } from "../support/toolchain.ts"

const LIMIT_MS = 60_000
const COUNT = 200
/** Peers that every machine with bun can run. */
const EVERYWHERE = /worker_threads|Bun IPC/
/** Official dora has tests of its own: test/official. */
const peers = PEERS.filter((peer) => !peer.name.includes("dora"))
const installed = await Promise.all(
  peers.map(async (peer) => ({ peer, missing: await peer.missing() })),
)

afterAll(async () => {
  for (const peer of peers) await peer.close()
})

describe("a peer carries messages of 64 B and 4 KB", () => {
  for (const { peer, missing } of installed) {
    if (missing !== null && !EVERYWHERE.test(peer.name)) {
      test.skip(`${peer.name} (${missing})`, () => {})
      continue
    }
    test(
      peer.name,
      async () => {
        await peer.prepare()
        for (const size of [64, 4096]) await carries(peer, size)
      },
      LIMIT_MS,
    )
  }
})

async function carries(peer: Peer, size: number): Promise<void> {
  const times = await peer.latency!({ size, count: COUNT, paceNs: 0 })
  expect(times.count).toBe(COUNT)
  const { p50Ns, p90Ns, p99Ns, p999Ns, maxNs } = times
  const rising = [20, p50Ns, p90Ns, p99Ns, p999Ns, maxNs, 10e9]
  expect(rising).toEqual(rising.toSorted((a, b) => a - b))
  expect(times.cdf!.at(-1)).toEqual([1, maxNs])
  const stream = await peer.throughput!({ size, count: COUNT })
  expect(stream).toMatchObject({ sent: COUNT, received: COUNT })
  expect(stream.messagesPerSecond).toBeGreaterThan(10)
  expect(stream.bytesPerSecond / stream.messagesPerSecond).toBeCloseTo(size, 1)
}

test(
  "a paced ping-pong takes as long as its pace says",
  async () => {
    const peer = PEERS.find(({ name }) => name === "Bun IPC")!
    const before = Bun.nanoseconds()
    await peer.latency!({ size: 64, count: 50, paceNs: 2e6 })
    expect(Bun.nanoseconds() - before).toBeGreaterThan(49 * 2e6)
  },
  LIMIT_MS,
)

const { peer: iceoryx, missing: noIceoryx } = installed.find(({ peer }) =>
  peer.name.startsWith("iceoryx"),
)!
test.skipIf(noIceoryx !== null)(
  "two takes of iceoryx at once take turns: a machine has one RouDi",
  async () => {
    await iceoryx.prepare()
    const take = () => iceoryx.latency!({ size: 64, count: COUNT, paceNs: 0 })
    const counts = (await Promise.all([take(), take()])).map(({ count }) => count)
    expect(counts).toEqual([COUNT, COUNT])
  },
  LIMIT_MS,
)

describe("a peer that is missing", () => {
  test("says how to install what it lacks", async () => {
    const source = { script: "none.ts" }
    const header = program({ name: "A", needs: [file("apt install a-dev", "/no/a.h")], source })
    const server = program({ name: "B", needs: [tool("no-such-b", "apt install b")], source })
    expect(await header.missing()).toBe("A is not installed: apt install a-dev")
    expect(await server.missing()).toBe("B is not installed: apt install b")
  })

  test("and the ones of this machine do so too", () => {
    for (const { missing } of installed) if (missing !== null) expect(missing).toMatch(/install/)
  })
})

test(
  "a program that fails says why, and what it was asked to do",
  async () => {
    const broken = program({ name: "broken", needs: [], source: { script: "no-such-file.ts" } })
    await expect(broken.latency!({ size: 8, count: 1, paceNs: 0 })).rejects.toThrow(
      /broken latency 8 1 0 ended with code 1: .*no-such-file/s,
    )
  },
  LIMIT_MS,
)

describe("nothing is left when the suite is killed in the middle of a take", () => {
  for (const { peer, missing } of installed) {
    if (missing !== null) continue
    test(
      peer.name,
      async () => {
        await peer.prepare()
        const shared = ours()
        const text = `
          import { PEERS } from ${JSON.stringify(join(ROOT, "bench/peers/list.ts"))}
          const peer = PEERS.find(({ name }) => name === ${JSON.stringify(peer.name)})
          await peer.latency({ size: 64, count: 50_000_000, paceNs: 0 })`
        await using suite = Bun.spawn([process.execPath, "-e", text], { stdio: ["ignore", 2, 2] })
        // Its program, and what that has started.
        const started = await until(() => {
          const found = descendants(suite.pid)
          return found.length >= startedBy(peer) ? found : null
        })
        suite.kill("SIGKILL")
        await suite.exited
        await until(() => (started.some(isRunning) ? null : true))
        expect(ours().filter((name) => !shared.includes(name))).toEqual([])
      },
      LIMIT_MS,
    )
  }
})

/** How many processes a take has at least: server, both sides, and whoever keeps them. */
function startedBy({ name }: Peer): number {
  if (name.startsWith("iceoryx")) return 4
  if (name === "NATS") return 3
  return name.startsWith("worker") ? 1 : 2
}

/** What the peers may leave in the file system. */
function ours(): string[] {
  const left = [...readdirSync("/dev/shm"), ...readdirSync("/tmp")]
  return left.filter((name) => /iceoryx|roudi|^dora-bench-\d+-[ab]|nats/.test(name))
}

async function until<T>(look: () => T | null): Promise<T> {
  const deadline = Date.now() + LIMIT_MS / 3
  for (;;) {
    const found = look()
    if (found !== null) return found
    if (Date.now() > deadline) throw new Error(`not within ${LIMIT_MS / 3} ms: ${look}`)
    await Bun.sleep(20)
  }
}

function stat(pid: number): { state: string; parent: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")
    return { state: fields[0]!, parent: Number(fields[1]) }
  } catch {
    return null
  }
}

function isRunning(pid: number): boolean {
  const found = stat(pid)
  return found !== null && found.state !== "Z"
}

function descendants(of: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  const parents = new Map(pids.map((pid) => [Number(pid), stat(Number(pid))?.parent ?? 0]))
  const below = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0
    return parent === of || (parent > 1 && below(parent))
  }
  return [...parents.keys()].filter(below)
}

const withCc = needs("cc", Bun.which("cc") !== null)

withCc(
  "the ring in C carries a ping-pong and a stream, in order and whole",
  () => {
    const folder = join(process.env.TMPDIR ?? "/tmp", `dora-bun-ring-${process.pid}`)
    try {
      const source = join(ROOT, "bench/ring.c")
      expect(
        Bun.spawnSync(["cc", "-O2", "-Wall", "-Werror", "-o", folder, source]).success,
      ).toBeTrue()
      const say = (...words: string[]) => {
        const run = Bun.spawnSync([folder, ...words], { timeout: LIMIT_MS })
        expect(run.exitCode).toBe(0)
        return JSON.parse(run.stdout.toString()) as Record<string, number>
      }
      for (const size of ["4", "64", "5000"]) {
        const { min, p50, p999 } = say("pingpong", "500", size)
        expect(min!).toBeGreaterThan(0)
        expect(p50!).toBeLessThanOrEqual(p999!)
        expect(say("stream", "5000", size)).toMatchObject({ received: 5000 })
      }
    } finally {
      Bun.spawnSync(["rm", "-f", folder])
    }
  },
  LIMIT_MS,
)
