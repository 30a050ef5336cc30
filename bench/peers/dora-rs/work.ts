// What is to be done, from the environment, as in src/work.rs.
import { sharedClock } from "../../nodes/times.ts"

/** Messages before those that count. */
export const WARM_UP = 20
const SPIN_NS = 700_000

/** Reads a node's work. */
export function readWork(): { size: number; count: number; paceNs: number } {
  const { SIZE, COUNT, PACE_NS } = process.env
  return { size: Number(SIZE), count: Number(COUNT), paceNs: Number(PACE_NS) }
}

/** CLOCK_MONOTONIC, which all processes share. */
export const monotonicNs = sharedClock()

/** Sleeps, and spins for the last part: a late sender is not what is measured. */
export function waitUntil(atNs: number): void {
  const left = atNs - SPIN_NS - monotonicNs()
  if (left > 0) Bun.sleepSync(left / 1e6)
  while (monotonicNs() < atNs);
}
