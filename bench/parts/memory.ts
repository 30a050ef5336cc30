import { join } from "node:path"
import { goalsOf } from "../goals.ts"
import { type Resident, residentOf, slopeOf } from "../memory.ts"
import type { Extent, Part } from "../part.ts"
import type { Row, Unit } from "../result.ts"
import { median } from "../statistics.ts"
import { BenchmarkFailedError, scratch, sizeName } from "../support.ts"

const DORA = join(import.meta.dir, "../../src/cli/main.ts")
const KEEP = join(import.meta.dir, "../nodes/keep.ts")
const TURN_MS = 20
const EVERY_MS = 250
/** A stream of each runs at the same time, each between two nodes of its own. */
const STREAMS = [
  { size: 64, mode: "copy", perTurn: 50 },
  { size: 4096, mode: "copy", perTurn: 10 },
  { size: 4_096_000, mode: "loan", perTurn: 1 },
] as const
/** Heaps grow until compilers have settled; then how long they are watched. */
const TIMES: Record<Extent, { settleMs: number; watchMs: number }> = {
  quick: { settleMs: 500, watchMs: 2000 },
  default: { settleMs: 5000, watchMs: 10_000 },
  full: { settleMs: 15_000, watchMs: 60_000 },
}
/** Intervals that reach further to each side than this say nothing: those of a short run do. */
const VAGUE_BYTES = 20_000
const SEGMENTS = 5
/** Two seconds. */
const VALLEY_SAMPLES = 8

/** Resident memory of a running dataflow, and whether it grows. */
export const memoryPart: Part = {
  name: "memory",
  about: "memory of daemon and nodes by size of their messages, and how it grows while they flow",
  async run({ extent, progress }) {
    const { settleMs, watchMs } = TIMES[extent]
    progress(`memory: three streams for ${(settleMs + watchMs) / 1000} s`)
    const samples = await watch(settleMs, watchMs)
    const sums = (...nodes: string[]) =>
      samples.map(({ seconds, of }): Sample => {
        const parts = nodes.map((node) => of.get(node)!)
        const total = (name: keyof Resident) => parts.reduce((sum, part) => sum + part[name], 0)
        return { seconds, own: total("own"), shared: total("shared") }
      })
    const streams = STREAMS.flatMap(({ size, mode, perTurn }) => {
      const perSecond = (1000 / TURN_MS) * perTurn
      const name = `${sizeName(size)} ${mode === "copy" ? "copied" : "loaned"}, ${perSecond}/s`
      return rowsOf(name, sums(`source${size}`, `sink${size}`), perSecond, size)
    })
    return [...streams, ...rowsOf("the daemon of all six nodes", sums("daemon"), null)]
  },
}

type Sample = Resident & { seconds: number }

function rowsOf(
  name: string,
  samples: readonly Sample[],
  perSecond: number | null,
  size?: number,
): Row[] {
  const each = Math.floor(samples.length / SEGMENTS)
  const segments = Array.from({ length: SEGMENTS }, (_, i) =>
    median(samples.slice(i * each, (i + 1) * each).map(({ own }) => own)),
  )
  const { value, low, high } = slopeOf(valleys(samples))
  const shared = Math.max(...samples.map((sample) => sample.shared))
  const growth = `${name}: growth`
  const isVague = high - low > 2 * VAGUE_BYTES
  const why = `too short for its noise: the slope lies between ${kilo(low)} and ${kilo(high)} kB/s`
  return [
    {
      ...rowOf(name, "bytes", segments),
      ...(size === undefined ? {} : { size }),
      figures: { shared },
    },
    {
      ...rowOf(growth, "bytes/s", [value]),
      figures: { low, high, ...(perSecond === null ? {} : { "bytes/message": value / perSecond }) },
      ...(isVague ? { noisy: true, why } : { goals: goalsOf("memory", growth) }),
    },
  ]
}

/** The least of every few samples: what is left when garbage has been collected, which is where a leak shows. */
function valleys(samples: readonly Sample[]): [number, number][] {
  const each = Math.max(1, Math.min(VALLEY_SAMPLES, Math.floor(samples.length / 4)))
  const count = Math.floor(samples.length / each)
  return Array.from({ length: count }, (_, i) => {
    const some = samples.slice(i * each, (i + 1) * each)
    const least = Math.min(...some.map(({ own }) => own))
    return [some[0]!.seconds, least]
  })
}

function kilo(bytes: number): string {
  return (bytes / 1000).toFixed(0)
}

function rowOf(name: string, unit: Unit, values: number[]): Row {
  const rounds = values.map((value) => ({ value }))
  const value = median(values)
  return { part: "memory", name, unit, better: "lower", value, figures: {}, rounds, noisy: false }
}

type Look = { seconds: number; of: Map<string, Resident> }

/** Runs the streams in a process of their own, and looks at its memory. */
async function watch(settleMs: number, watchMs: number): Promise<Look[]> {
  const file = join(scratch(), "memory.yml")
  await Bun.write(file, JSON.stringify({ nodes: STREAMS.flatMap(nodesOf) }))
  const child = Bun.spawn([process.execPath, DORA, "run", file, "--log-format", "json"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const errors = new Response(child.stderr).text()
  try {
    const pids = new Map([["daemon", child.pid]])
    const started = readPids(child.stdout, pids, STREAMS.length * 2)
    await Promise.race([started, child.exited])
    const looks: Look[] = []
    const start = performance.now() + settleMs
    for (let at = 0; at <= watchMs; at += EVERY_MS) {
      await Bun.sleep(Math.max(0, start + at - performance.now()))
      const of = new Map([...pids].map(([node, pid]) => [node, residentOf(pid)]))
      if (of.size <= STREAMS.length * 2 || [...of.values()].includes(null)) {
        throw new BenchmarkFailedError("the streams ended early", await errors)
      }
      const seconds = (performance.now() - start) / 1000
      looks.push({ seconds, of: of as Map<string, Resident> })
    }
    return looks
  } finally {
    child.kill("SIGTERM")
    await child.exited
  }
}

function nodesOf({ size, mode, perTurn }: (typeof STREAMS)[number]) {
  const env = { SIZE: size, MODE: mode, PER_TURN: perTurn, TURN_MS }
  const source = { id: `source${size}`, path: KEEP, env, outputs: ["data"] }
  const data = { source: `source${size}/data`, queue_size: 64 }
  return [source, { id: `sink${size}`, path: KEEP, env, inputs: { data } }]
}

/** Hears from each node which process it is, and reads on so that nobody is held up. */
function readPids(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  pids: Map<string, number>,
  count: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const read = async () => {
    let text = ""
    for await (const part of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (text + part).split("\n")
      text = lines.pop()!
      for (const line of lines) {
        const { node, msg } = JSON.parse(line) as { node?: string; msg?: string }
        if (node && msg?.startsWith("{")) pids.set(node, (JSON.parse(msg) as { pid: number }).pid)
      }
      if (pids.size > count) resolve()
    }
  }
  void read()
  return promise
}
