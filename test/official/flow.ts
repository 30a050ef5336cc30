// Dataflows of official nodes beside ours: programs written to a folder, run by a daemon in this process, and what they say.
import { dirname, join } from "node:path"
import type { LogRecord } from "../../src/core/log.ts"
import { startDataflow } from "../../src/daemon/run.ts"
import type { DataflowResult, RunningDataflow, RunOptions } from "../../src/daemon/types.ts"
import { FlowFolder } from "../../src/testing/folder.ts"
import { inTime } from "../support/in-time.ts"
import { WHEEL } from "../support/official.ts"
import { python, pythonWith } from "../support/python.ts"
import { type NamedTest, needs } from "../support/toolchain.ts"

const LIMIT_MS = 30_000
const INDEX = join(import.meta.dir, "../../src/index.ts")

/** A test that needs the official wheel; the first one installs it. */
export const withWheel: NamedTest = needs("python3", python !== null)

/** What a TypeScript program of a test begins with. */
export const NODE = `import { Node } from ${JSON.stringify(INDEX)}\n`

/** The environment in which `python` has the official wheel. */
export async function wheelEnvironment(): Promise<Record<string, string>> {
  const interpreter = await pythonWith(WHEEL)
  const bin = dirname(interpreter)
  return { PATH: `${bin}:${process.env.PATH}`, VIRTUAL_ENV: dirname(bin) }
}

/** A dataflow under way. Disposing ends it if need be, and removes its folder. */
export class MixedFlow implements AsyncDisposable {
  readonly records: LogRecord[] = []
  readonly folder: FlowFolder
  readonly #run: Promise<RunningDataflow>
  #changed = () => {}

  /** @example await using flow = new MixedFlow([{ id: "a", path: "a.py", outputs: ["out"] }], { "a.py": "…" }) */
  constructor(nodes: object[], files: Record<string, string>, options: RunOptions = {}, root = {}) {
    this.folder = new FlowFolder(JSON.stringify({ ...root, nodes }), files)
    this.#run = this.#start(options)
    this.#run.catch(() => {})
  }

  async #start(options: RunOptions): Promise<RunningDataflow> {
    const env = { ...(await wheelEnvironment()), ...options.env }
    const listener: RunOptions["listener"] = (event) => {
      options.listener?.(event)
      if (event.type !== "log") return
      this.records.push(event.record)
      this.#changed()
    }
    return startDataflow(this.folder.flow, { graceMs: 5000, ...options, env, listener })
  }

  /** The running dataflow, once all nodes have subscribed. */
  get running(): Promise<RunningDataflow> {
    return this.#run
  }

  /** What a node has printed; null: the daemon. */
  said(node: string | null): string[] {
    return this.records.filter((record) => record.node === node).map(({ msg }) => msg)
  }

  /** What a node has printed as JSON. */
  saidJson(node: string): Record<string, unknown>[] {
    const lines = this.said(node).filter((line) => line.startsWith("{"))
    return lines.map((line) => JSON.parse(line))
  }

  /** Waits until a node has printed so many lines. */
  async until(node: string, lines: number): Promise<string[]> {
    await this.untilTrue(`${lines} lines of ${node}`, () => this.said(node).length >= lines)
    return this.said(node)
  }

  /** Waits until something is true of what was printed. @param what  it, for the error */
  async untilTrue(what: string, isTrue: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#changed = () => {
      if (isTrue()) resolve()
    }
    await this.#run
    this.#changed()
    await inTime(promise, LIMIT_MS, () => `${what}:\n${this.all()}`)
  }

  /** Waits until a node has printed a line with a text; returns the line. */
  async untilLine(node: string, text: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#changed = () => {
      const found = this.said(node).find((line) => line.includes(text))
      if (found !== undefined) resolve(found)
    }
    await this.#run
    this.#changed()
    return await inTime(promise, LIMIT_MS, () => `"${text}" of ${node}:\n${this.all()}`)
  }

  /** Resolves when the dataflow has ended, however its nodes did. */
  get finished(): Promise<DataflowResult> {
    return this.#run.then((run) => inTime(run.finished, LIMIT_MS, () => `the end:\n${this.all()}`))
  }

  /** The result once the dataflow has ended. @param failing  nodes that must have failed, and no others */
  async end(failing: string[] = []): Promise<DataflowResult> {
    const run = await this.#run
    const result = await inTime(
      run.finished,
      LIMIT_MS,
      () => `the end, waiting for ${run.waitingFor()}:\n${this.all()}`,
    )
    const failed = result.nodes.filter(({ ok }) => !ok).map(({ node }) => node)
    if (failed.join() !== failing.join()) throw new Error(`failed: ${failed}\n${this.all()}`)
    return result
  }

  async stop(): Promise<DataflowResult> {
    const run = await this.#run
    run.stop()
    return this.end()
  }

  /** Everything that was said. */
  all(): string {
    return this.records.map(({ node, msg }) => `${node}: ${msg}`).join("\n")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const run = await this.#run.catch(() => null)
    run?.kill()
    await run?.finished
    this.folder[Symbol.dispose]()
  }
}
