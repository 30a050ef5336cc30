// Runs a dataflow of fixture programs with its daemon in this process, and keeps what the nodes say.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogRecord } from "../../src/core/log.ts"
import { startDataflow } from "../../src/daemon/run.ts"
import type { DataflowResult, RunningDataflow, RunOptions } from "../../src/daemon/types.ts"
import { loadDataflow } from "../../src/descriptor/load.ts"
import { inTime } from "./in-time.ts"

/** A node of a test: `run` is "program case", a file of test/e2e/nodes and what it is told to do. */
export type NodeText = {
  /** Absent when the node has operators. */
  run?: string
  inputs?: Record<string, unknown>
  outputs?: string[]
  env?: Record<string, string | number>
  [other: string]: unknown
}

const PROGRAMS = join(import.meta.dir, "../e2e/nodes")
const LIMIT_MS = 20_000

/** A dataflow under way. Disposing ends it if need be, and removes its folder. */
export class TestFlow implements AsyncDisposable {
  readonly records: LogRecord[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), "dora-api-"))
  readonly #run: Promise<RunningDataflow>
  #changed = () => {}

  /**
   * @param root  fields beside `nodes`
   * @example await using flow = new TestFlow({ a: { run: "count 5", outputs: ["out"] } })
   */
  constructor(nodes: Record<string, NodeText>, options: RunOptions = {}, root: object = {}) {
    const list = Object.entries(nodes).map(([id, { run, ...node }]) => {
      if (run === undefined) return { id, ...node }
      const [program, ...args] = run.split(" ")
      return { id, path: join(PROGRAMS, `${program}.ts`), args: args.join(" "), ...node }
    })
    const path = join(this.#folder, "flow.yml")
    writeFileSync(path, JSON.stringify({ ...root, nodes: list }))
    this.#run = this.#start(path, options)
  }

  async #start(path: string, options: RunOptions): Promise<RunningDataflow> {
    const listener: RunOptions["listener"] = (event) => {
      if (event.type !== "log") return
      this.records.push(event.record)
      this.#changed()
    }
    return await startDataflow(await loadDataflow(path), { graceMs: 3000, ...options, listener })
  }

  /** The running dataflow, once all nodes have subscribed. */
  get running(): Promise<RunningDataflow> {
    return this.#run
  }

  /** What a node has printed so far: values as the program `say`s them, other lines as text. */
  said(node: string): unknown[] {
    return this.records.filter((record) => record.node === node).map(({ msg }) => parsed(msg))
  }

  /** Waits until a node has printed so many lines. */
  async until(node: string, lines: number): Promise<unknown[]> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#changed = () => {
      if (this.said(node).length >= lines) resolve()
    }
    await this.#run
    this.#changed()
    await inTime(
      promise,
      LIMIT_MS,
      () => `${lines} lines of ${node}, of all that was said:\n${this.#all()}`,
    )
    return this.said(node)
  }

  /** Waits for a line of a node. */
  async untilLine(node: string, wanted: (line: string) => boolean): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#changed = () => {
      const found = this.records.find((record) => record.node === node && wanted(record.msg))
      if (found) resolve(found.msg)
    }
    await this.#run
    this.#changed()
    return await inTime(
      promise,
      LIMIT_MS,
      () => `a line of ${node}, of all that was said:\n${this.#all()}`,
    )
  }

  /** Waits until the daemon itself has said something. */
  async untilDaemon(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#changed = () => {
      if (this.records.some(({ node, msg }) => node === null && msg.includes(text))) resolve()
    }
    await this.#run
    this.#changed()
    await inTime(promise, LIMIT_MS, () => `${text}, of all that was said:\n${this.#all()}`)
  }

  /** The result once the dataflow has ended by itself or after {@link stop}. @throws Error  when a node failed */
  async end(expected: { failing?: string[] } = {}): Promise<DataflowResult> {
    const run = await this.#run
    const result = await inTime(
      run.finished,
      LIMIT_MS,
      () => `the end, waiting for ${run.waitingFor()}:\n${this.#all()}`,
    )
    const failed = result.nodes.filter(({ ok }) => !ok).map(({ node }) => node)
    if (failed.join() !== (expected.failing ?? []).join()) {
      throw new Error(`failed: ${failed}\n${JSON.stringify(result.nodes, null, 2)}`)
    }
    return result
  }

  async stop(): Promise<DataflowResult> {
    const run = await this.#run
    run.stop()
    return this.end()
  }

  #all(): string {
    return this.records.map(({ node, msg }) => `${node}: ${msg}`).join("\n")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const run = await this.#run.catch(() => null)
    run?.kill()
    await run?.finished
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
