// Official dora 1.1.0 as a peer: nodes of our own against its crate and its Python package, run by its `dora run`. They do the
// work of its own benchmark example: messages at a pace, then a burst.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LatencyTake, LatencyWork, Peer, ThroughputTake, ThroughputWork } from "../peer.ts"
import { quantiles } from "./quantiles.ts"

const SUPPORT = join(import.meta.dir, "../../../test/support/official.ts")
const PROGRAM = "dora-bun-peer"
/** A run that takes this much longer than its messages hangs. */
const SPARE_MS = 60_000
const END_MS = 15_000
/** As in official dora's example; more when more is sent. */
const QUEUE = 2000

/** How a node is started. */
type Program = { path: string; args: string }
type Programs = { dora: string; rust: string; python: string }
type Flow = { work: { size: number; count: number; paceNs: number }; queue: number }

/** What the sink and the ping node print. */
type Printed = {
  received?: number
  seconds?: number
  due?: number[]
  stamped?: number[]
  roundTrips?: number[]
}

/** A paced take counts from the intended send, `stamped` from the time stamp in the metadata, as official dora's example does. */
export type OfficialTake = LatencyTake & { stamped?: LatencyTake }

/** Official dora with senders in one language, and a Rust receiver. */
export class OfficialDora implements Peer {
  readonly name: string
  readonly everySize: boolean
  readonly smallest = 0
  readonly #sender: "rust" | "python"
  #programs: Promise<Programs> | null = null
  readonly #running = new Set<Bun.Subprocess>()

  constructor(sender: "rust" | "python") {
    this.#sender = sender
    this.everySize = sender === "rust"
    this.name = `dora 1.1.0 ${sender === "rust" ? "Rust" : "Python"} → Rust`
  }

  async missing(): Promise<string | null> {
    if (!existsSync(SUPPORT)) return "official dora is measured from a checkout of the repository"
    for (const [program, source] of [
      ["python3", "your distribution"],
      ["cargo", "https://rustup.rs"],
    ] as const) {
      if (!Bun.which(program)) return `official dora needs ${program} (from ${source})`
    }
    return null
  }

  async prepare(): Promise<void> {
    await this.#prepared()
  }

  async latency(work: LatencyWork): Promise<OfficialTake> {
    if (work.paceNs > 0) {
      const { due, stamped } = await this.#oneWay({ work, queue: QUEUE })
      return { ...quantiles("one way", due!), stamped: quantiles("one way", stamped!) }
    }
    const { rust } = await this.#prepared()
    const ping = await this.#sends("ping")
    const pong = { path: rust, args: "pong" }
    const { roundTrips } = await this.#run({ work, queue: QUEUE }, "ping", {
      ping: { ...ping, inputs: { data: "pong/data" }, outputs: ["data"] },
      pong: { ...pong, inputs: { data: "ping/data" }, outputs: ["data"] },
    })
    return quantiles(
      "half round trip",
      roundTrips!.map((ns) => ns / 2),
    )
  }

  async throughput(work: ThroughputWork): Promise<ThroughputTake> {
    const flow = { work: { ...work, paceNs: 0 }, queue: Math.max(QUEUE, work.count + 1) }
    const { received, seconds } = await this.#oneWay(flow)
    const messagesPerSecond = received! / seconds!
    const bytesPerSecond = messagesPerSecond * work.size
    return { messagesPerSecond, bytesPerSecond, sent: work.count, received: received! }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map(end))
  }

  #prepared(): Promise<Programs> {
    this.#programs ??= prepare()
    return this.#programs
  }

  async #sends(role: "ping" | "source"): Promise<Program> {
    const { rust, python } = await this.#prepared()
    if (this.#sender === "rust") return { path: rust, args: role }
    return { path: python, args: `-u ${join(import.meta.dir, `${role}.py`)}` }
  }

  async #oneWay(flow: Flow): Promise<Printed> {
    const { rust } = await this.#prepared()
    const source = await this.#sends("source")
    const input = { source: "source/data", queue_size: flow.queue }
    return await this.#run(flow, "sink", {
      source: { ...source, outputs: ["data"] },
      sink: { path: rust, args: "sink", inputs: { data: input } },
    })
  }

  /** Runs a flow to its end; gives what one node printed. */
  async #run(flow: Flow, reporter: string, nodes: Record<string, object>): Promise<Printed> {
    const { dora } = await this.#prepared()
    const { size, count, paceNs } = flow.work
    const env = { SIZE: `${size}`, COUNT: `${count}`, PACE_NS: `${paceNs}` }
    const list = Object.entries(nodes).map(([id, node]) => ({ id, env, ...node }))
    const folder = mkdtempSync(join(tmpdir(), "dora-bun-peer-"))
    try {
      writeFileSync(join(folder, "flow.yml"), JSON.stringify({ nodes: list }))
      const child = Bun.spawn([dora, "run", "flow.yml"], {
        cwd: folder,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      })
      this.#running.add(child)
      const limit = setTimeout(() => void end(child), SPARE_MS + (count * paceNs) / 1e6)
      const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()]
      const [said, complaints] = await Promise.all(texts)
      await child.exited
      clearTimeout(limit)
      this.#running.delete(child)
      const line = new RegExp(` ${reporter}: (\\{.*\\})$`, "m").exec(said!)
      if (!line) throw new Error(`official dora's ${reporter} said nothing:\n${said}${complaints}`)
      return JSON.parse(line[1]!)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function prepare(): Promise<Programs> {
  const official = (await import(SUPPORT)) as typeof import("../../../test/support/official.ts")
  const cargo = (await import(
    join(SUPPORT, "../cargo.ts")
  )) as typeof import("../../../test/support/cargo.ts")
  const [dora, python, rust] = await Promise.all([
    official.officialDora(),
    official.officialPython(),
    cargo.cargoBuild(import.meta.dir, PROGRAM),
  ])
  return { dora, python, rust }
}

/** Asks the daemon to end, which ends its nodes; they also end by themselves when it is killed. */
async function end(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM")
  const kill = setTimeout(() => child.kill("SIGKILL"), END_MS)
  await child.exited
  clearTimeout(kill)
}
