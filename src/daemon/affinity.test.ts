import { expect, test } from "bun:test"
import { readAffinity } from "../shm/libc.ts"
import { parseDataflow } from "../descriptor/load.ts"
import { crowdedNodes, onCores } from "./affinity.ts"

/** The cores that a process started now may use, as the kernel lists them. */
function coresOfChild(): string {
  const { stdout } = Bun.spawnSync(["grep", "Cpus_allowed_list", "/proc/self/status"])
  return stdout.toString().split(":")[1]!.trim()
}

/** A core that this process may use. */
function someCore(): number {
  const mask = readAffinity()
  for (let core = 1023; core >= 0; core--) if (mask[core >> 3]! & (1 << (core & 7))) return core
  throw new Error("no core")
}

test("a process keeps to its cores, and the next one has all again", () => {
  const before = coresOfChild()
  const core = someCore()
  let inside = ""
  onCores(
    [core],
    () => {
      inside = coresOfChild()
    },
    () => expect.unreachable(),
  )
  expect(inside).toBe(String(core))
  expect(coresOfChild()).toBe(before)
})

test("cores that the machine does not have are told, and the process is started", () => {
  const before = coresOfChild()
  const seen: string[] = []
  onCores(
    [1023],
    () => seen.push(coresOfChild()),
    () => seen.push("refused"),
  )
  expect(seen).toEqual(["refused", before])
})

test("a start that fails leaves the cores as they were", () => {
  const before = coresOfChild()
  expect(() =>
    onCores(
      [someCore()],
      () => {
        throw new Error("no such program")
      },
      () => {},
    ),
  ).toThrow("no such program")
  expect(coresOfChild()).toBe(before)
})

test("a node is crowded where more nodes may run than it has cores", () => {
  const cores = navigator.hardwareConcurrency
  const core = someCore()
  const crowded = (affinities: (number[] | null)[]) => {
    const nodes = affinities.map((cores, i) => {
      return { id: `n${i}`, path: "node", ...(cores && { cpu_affinity: cores }) }
    })
    const flow = parseDataflow(JSON.stringify({ nodes }), "flow.yml")
    const found = crowdedNodes(flow.nodes)
    return flow.nodes.map((node) => found.has(node))
  }
  const everywhere = (count: number) => new Array(count).fill(null)
  expect(crowded(everywhere(cores))).toEqual(new Array(cores).fill(false))
  expect(crowded(everywhere(cores + 1))).toEqual(new Array(cores + 1).fill(true))
  expect(crowded([[core]])).toEqual([false])
  expect(crowded([[core], [core]])).toEqual([true, true])
  expect(crowded([[core], null])).toEqual([true, cores < 2])
  // Cores that the machine does not have count for nothing.
  expect(crowded([[core, 1023], [core]])).toEqual([true, true])
  expect(crowded([[1023], ...everywhere(cores - 1)])).toEqual(new Array(cores).fill(false))
})
