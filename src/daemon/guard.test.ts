import { afterEach, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { FlowFolder } from "../testing/folder.ts"
import { Guard, killQuietly, MARKER, marked, sweep } from "./guard.ts"

const ROOM = import.meta.dir
const NODE = `import { WireNode } from ${JSON.stringify(join(ROOM, "../testing/client.ts"))}
const quiet = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {})
Bun.spawn(["sleep", "1000"], quiet)
Bun.spawn(["setsid", "sh", "-c", "trap '' TERM HUP; sleep 1000; sleep 1000"], quiet)
await WireNode.start()
setInterval(() => {}, 1000)
`
/** A process that hosts a dataflow, says its id when it runs, and stops it when told so. */
const HOST = `import { startDataflow } from ${JSON.stringify(join(ROOM, "run.ts"))}
import { parseDataflow } from ${JSON.stringify(join(ROOM, "../descriptor/index.ts"))}
const text = "nodes: [{ id: a, path: node.ts }, { id: b, path: node.ts }]"
const run = await startDataflow(parseDataflow(text, import.meta.dir + "/flow.yml"), { graceMs: 100 })
process.on("SIGTERM", () => run.stop())
console.log(run.id)
await run.finished
`

const spawned = new Set<Bun.Subprocess>()
afterEach(() => {
  for (const child of spawned) child.kill("SIGKILL")
  spawned.clear()
})

function spawn(argv: string[], env: Record<string, string> = {}, cwd = "/") {
  const child = Bun.spawn(argv, {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  })
  spawned.add(child)
  return child
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms`)
    await Bun.sleep(5)
  }
}

function guards(dataflow: string): number {
  const { stdout } = Bun.spawnSync(["pgrep", "-fc", `dora-guard ${dataflow}`])
  return Number(stdout.toString())
}

describe("the guard", () => {
  const warnings: string[] = []
  const guardOf = (dataflow: string) => new Guard(dataflow, (message) => warnings.push(message))

  test("leaves what is alive when it is closed, and goes itself", async () => {
    const id = Bun.randomUUIDv7()
    const guard = guardOf(id)
    const child = spawn(["sleep", "1000"], { [MARKER]: id })
    guard.add(child.pid)
    await until(() => marked(id).length > 0, 2000)
    const { pid } = guard
    await guard.close()
    expect(killQuietly(pid!, 0 as never)).toBe(false)
    expect(marked(id)).toEqual([child.pid])
    await sweep(id)
    expect(marked(id)).toEqual([])
  })

  test("ignores what a terminal sends, and is started again when it is killed", async () => {
    const id = Bun.randomUUIDv7()
    const guard = guardOf(id)
    const first = guard.pid!
    await until(() => ignoresInterrupt(first), 2000)
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) killQuietly(first, signal)
    await Bun.sleep(50)
    expect(guard.pid).toBe(first)
    killQuietly(first, "SIGKILL")
    await until(() => guard.pid !== null && guard.pid !== first, 2000)
    expect(warnings).toContain("the guard process died and is started again")
    await guard.close()
  })
})

describe("a process that hosts a dataflow", () => {
  async function host(folder: FlowFolder) {
    const child = spawn([process.execPath, "host.ts"], {}, folder.path)
    const reader = child.stdout.getReader()
    const { value } = await reader.read()
    const id = new TextDecoder().decode(value).trim()
    // Two nodes with a child each, and a grandchild that has left its group, which runs one more.
    await until(() => marked(id).length >= 8, 5000)
    return { child, id }
  }
  const files = { "host.ts": HOST, "node.ts": NODE }

  test("killed by SIGKILL leaves nothing, not even grandchildren in groups of their own", async () => {
    using folder = new FlowFolder("nodes: []", files)
    const { child, id } = await host(folder)
    child.kill("SIGKILL")
    await until(() => marked(id).length === 0, 3000)
    await until(() => guards(id) === 0, 5000)
  }, 15_000)

  test("killed right after its guard was killed leaves nothing either", async () => {
    using folder = new FlowFolder("nodes: []", files)
    const { child, id } = await host(folder)
    const guard = Number(Bun.spawnSync(["pgrep", "-f", `dora-guard ${id}`]).stdout.toString())
    killQuietly(guard, "SIGKILL")
    await until(() => guards(id) === 1 && !pids(id).includes(guard), 2000)
    child.kill("SIGKILL")
    await until(() => marked(id).length === 0, 3000)
  }, 15_000)

  test("that stops a dataflow leaves nothing and no guard", async () => {
    using folder = new FlowFolder("nodes: []", files)
    const { child, id } = await host(folder)
    child.kill("SIGTERM")
    expect(await child.exited).toBe(0)
    expect(marked(id)).toEqual([])
    expect(guards(id)).toBe(0)
  }, 15_000)
})

/** The shell has come so far as to set its traps. */
function ignoresInterrupt(pid: number): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return (Number.parseInt(mask![1]!.slice(-2), 16) & 2) !== 0
}

function pids(id: string): number[] {
  const { stdout } = Bun.spawnSync(["pgrep", "-f", `dora-guard ${id}`])
  return stdout.toString().trim().split("\n").map(Number)
}

test("the marker is found among all variables of a process", async () => {
  const id = Bun.randomUUIDv7()
  const child = spawn(["sleep", "1000"], { A: "1", [MARKER]: `outer,${id}`, Z: "1" })
  await until(() => marked(id).length > 0, 2000)
  expect(marked(id)).toEqual([child.pid])
})
