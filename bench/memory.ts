// What the memory of some processes amounts to, and whether it grows.
import { readFileSync } from "node:fs"
import type { Interval } from "./result.ts"

/**
 * Memory that a process brings with it, in bytes: what is its own, and its share of what it has in common with others by way
 * of shared memory. Programs and libraries are left out: they are shared with every other Bun process of the machine.
 */
export type Resident = { own: number; shared: number }

/** Reads the memory of a process; null when it is gone. */
export function residentOf(pid: number): Resident | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1")
  } catch {
    return null
  }
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]) * 1024
  return { own: bytes("Pss_Anon"), shared: bytes("Pss_Shmem") }
}

/** 97.5 % quantiles of Student's distribution by degrees of freedom, rounded up between them. */
const STUDENT: readonly [number, number][] = [
  ...([
    [1, 12.71],
    [2, 4.31],
    [3, 3.19],
    [4, 2.78],
    [5, 2.58],
    [7, 2.37],
    [10, 2.23],
    [15, 2.14],
  ] as const),
  ...([
    [20, 2.09],
    [30, 2.05],
    [60, 2.01],
  ] as const),
].map(([freedom, t]) => [freedom, t])

/**
 * By how much values rise for each unit of time: linear regression, with its 95 % interval. Memory goes up and down in waves
 * as garbage is collected, so neighbouring values say less than their number: the interval is widened by their correlation.
 *
 * @param points  [time, value], at the same distances in time; at least three
 * @example slopeOf([[0, 1], [1, 2], [2, 3]]).value // 1
 */
export function slopeOf(points: readonly (readonly [number, number])[]): Interval {
  const n = points.length
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / n
  const [time, level] = [mean(([t]) => t), mean(([, v]) => v)]
  const spread = points.reduce((sum, [t]) => sum + (t - time) ** 2, 0)
  const value = points.reduce((sum, [t, v]) => sum + (t - time) * (v - level), 0) / spread
  const rest = points.map(([t, v]) => v - level - value * (t - time))
  const squares = rest.reduce((sum, r) => sum + r * r, 0)
  const together = rest.reduce((sum, r, i) => sum + (i > 0 ? r * rest[i - 1]! : 0), 0)
  const correlation = squares > 0 ? Math.min(0.95, Math.max(0, together / squares)) : 0
  const effective = Math.max(3, (n * (1 - correlation)) / (1 + correlation))
  const error = Math.sqrt(squares / (effective - 2) / ((spread / n) * effective))
  const half = error * studentOf(effective - 2)
  return { value, low: value - half, high: value + half }
}

function studentOf(freedom: number): number {
  return (STUDENT.findLast(([known]) => known <= freedom) ?? STUDENT[0]!)[1]
}
