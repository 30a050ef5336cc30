// The cores that nodes may use. With `cpu_affinity` a process and all its threads keep to some of them, from its first moment.
import type { NodeSpec } from "../descriptor/types.ts"
import { AFFINITY_BYTES, readAffinity, writeAffinity } from "../shm/libc.ts"

/**
 * Starts something that keeps to a few cores: a process inherits them from the thread that starts it.
 *
 * @param cores    null or none: all
 * @param refused  told when this machine has none of them; it is started all the same
 */
export function onCores(
  cores: readonly number[] | null,
  start: () => void,
  refused: () => void,
): void {
  if (cores === null || cores.length === 0) return start()
  const own = readAffinity()
  if (!writeAffinity(maskOf(cores))) refused()
  try {
    start()
  } finally {
    writeAffinity(own)
  }
}

/** The nodes whose cores more nodes may use than there are. Who waits awake there is in the way of others. */
export function crowdedNodes(nodes: readonly NodeSpec[]): ReadonlySet<NodeSpec> {
  const usable = readAffinity()
  const cores = nodes.map((node) => coresOf(node, usable))
  const isCrowded = (own: Uint8Array) => {
    const beside = cores.filter((other) => other.some((bits, i) => bits & own[i]!))
    return beside.length > own.reduce((count, bits) => count + bitCount(bits), 0)
  }
  return new Set(nodes.filter((_, i) => isCrowded(cores[i]!)))
}

/** A bit for each. */
function coresOf({ cpuAffinity }: NodeSpec, usable: Uint8Array): Uint8Array {
  const cores = maskOf(cpuAffinity ?? []).map((bits, i) => bits & usable[i]!)
  return cores.some((bits) => bits !== 0) ? cores : usable
}

function maskOf(cores: readonly number[]): Uint8Array {
  const mask = new Uint8Array(AFFINITY_BYTES)
  for (const core of cores) mask[core >> 3]! |= 1 << (core & 7)
  return mask
}

function bitCount(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}
