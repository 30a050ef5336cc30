// Runs a dataflow with its daemon in this process.
import { expect, spyOn } from "bun:test"
import { Memory } from "../../src/daemon/memory.ts"
import { startDataflow } from "../../src/daemon/run.ts"
import type { DataflowResult, RunningDataflow, RunOptions } from "../../src/daemon/types.ts"
import { loadDataflow } from "../../src/descriptor/load.ts"
import type { Place } from "./place.ts"

/** A dataflow under way, and what its nodes have printed. */
export type Run = { flow: RunningDataflow; printed: (node: string) => string[] }

/**
 * Starts the dataflow of a place; resolves when all its nodes have subscribed.
 *
 * @param startIndex  first index of every ring: near 2³¹ and near 2³² the signs change
 */
export async function start(place: Place, options: RunOptions = {}, startIndex = 0): Promise<Run> {
  const lines: { node: string | null; text: string }[] = []
  const listener: RunOptions["listener"] = (event) => {
    if (event.type === "log") lines.push({ node: event.record.node, text: event.record.msg })
  }
  // Memory has an option for the index, which no user needs.
  const create = Memory.create
  using spy = spyOn(Memory, "create")
  spy.mockImplementation((flow, memory) => create(flow, { ...memory, startIndex }))
  const flow = await startDataflow(await loadDataflow(place.path), { ...options, listener })
  expect(spy).toHaveBeenCalledTimes(1)
  const printed = (node: string) =>
    lines.filter((line) => line.node === node).map(({ text }) => text)
  return { flow, printed }
}

/** A sentence for each node that failed, but for those that were expected to. */
export function failures(result: DataflowResult, expected: string[] = []): string[] {
  return result.nodes
    .filter(({ ok, node }) => !ok && !expected.includes(node))
    .map(({ node, exitCode, signal, stderrTail }) => {
      return `${node} ended with ${signal ?? exitCode}:\n${stderrTail.join("\n")}`
    })
}

/** Figures of many rounds, for a line at the end. */
export class Times {
  readonly #ms: number[] = []

  add(ms: number): void {
    this.#ms.push(ms)
  }

  toString(): string {
    const sorted = this.#ms.toSorted((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(0)
    return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`
  }
}
