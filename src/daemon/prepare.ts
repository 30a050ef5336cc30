// Before nodes can start: their programs are got and built, one node after the other.
import { build } from "./build.ts"
import type { Guard } from "./guard.ts"
import { fetchOrigin, type Place } from "./origin.ts"
import type { SupervisedNode } from "./supervise.ts"
import type { NodeState } from "./types.ts"

/** What the preparation of nodes needs. */
export type Preparation = {
  /** The directory of the dataflow. */
  dir: string
  environments: ReadonlyMap<string, Record<string, string>>
  guard: Guard
  /** `pip` is that of uv. */
  uv?: boolean
  signal?: AbortSignal
  onState: (node: string, state: NodeState) => void
}

/**
 * Gets and builds what nodes need.
 *
 * @returns where each of them runs
 * @throws OriginError, BuildError, SpawnError, StartAbortedError
 */
export async function prepare(
  nodes: readonly SupervisedNode[],
  { dir, environments, guard, uv, signal, onState }: Preparation,
): Promise<Map<string, Place>> {
  const places = new Map<string, Place>()
  for (const { id, spec, log } of nodes) {
    if (spec.build.length > 0 || spec.origin !== null) onState(id, "building")
    const around = { env: environments.get(id) ?? {}, log, guard, uv, signal }
    const place = await fetchOrigin(spec, { ...around, dir })
    await build(spec, place.dir, around)
    places.set(id, place)
  }
  return places
}
