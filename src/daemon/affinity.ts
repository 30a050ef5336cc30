// Nodes with `cpu_affinity`: the cores that a process and all its threads may use, from its first moment.
import { readAffinity, writeAffinity } from "../shm/libc.ts"

/** Room for 1024 cores, as the kernel has. */
const MASK_BYTES = 128

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
  const own = readAffinity(MASK_BYTES)
  const mask = new Uint8Array(MASK_BYTES)
  for (const core of cores) mask[core >> 3]! |= 1 << (core & 7)
  if (!writeAffinity(mask)) refused()
  try {
    start()
  } finally {
    writeAffinity(own)
  }
}
