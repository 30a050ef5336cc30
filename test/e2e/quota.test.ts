// Under a limit of processor time, as containers have, nodes sleep while they wait.
import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually, folder, start } from "../support/dora.ts"
import { ROOT } from "../support/install.ts"

const LIMIT_MS = 30_000
const MAIN = join(ROOT, "src/cli/main.ts")
const NAME = `dora-test-${process.pid}`
const PERIOD_US = 100_000

/** A control group of the first or the second version in which a limit can be set; null: this user or system has none. */
function makeGroup(): { path: string; limit: (cores: number) => void } | null {
  const first = `/sys/fs/cgroup/cpu/${NAME}`
  const second = `/sys/fs/cgroup/${NAME}`
  try {
    if (existsSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")) {
      mkdirSync(first)
      const file = `${first}/cpu.cfs_quota_us`
      return { path: first, limit: (cores) => writeFileSync(file, String(cores * PERIOD_US)) }
    }
    mkdirSync(second)
    if (!existsSync(`${second}/cpu.max`)) throw new Error("the controller is not handed down")
    const file = `${second}/cpu.max`
    return {
      path: second,
      limit: (cores) => writeFileSync(file, `${cores * PERIOD_US} ${PERIOD_US}`),
    }
  } catch {
    return null
  }
}

const group = makeGroup()
afterAll(async () => {
  if (group) await eventually("nobody is left in the group", () => isGone(group.path))
})

/** Whoever watched over the nodes ends a moment after them, and a group with processes stays. */
function isGone(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch {
    return false
  }
}

test.skipIf(group === null)(
  "with less than half a core for each node, unless somebody says otherwise; and it is said",
  async () => {
    const says = `
      import { Node } from "dora-bun"
      using node = await Node.init()
      console.log(JSON.parse(process.env.DORA_BUN_PLAN).wait)`
    const nodes = [
      { id: "a", path: "says.ts" },
      { id: "b", path: "says.ts" },
      { id: "c", path: "says.ts", env: { DORA_BUN_WAIT: "busy" } },
    ]
    using place = folder({ "flow.yml": JSON.stringify({ nodes }), "says.ts": says })
    const run = async (cores: number, ...flags: string[]) => {
      group!.limit(cores)
      const dora = [process.execPath, MAIN, "run", "flow.yml", ...flags]
      const inGroup = [
        "sh",
        "-c",
        `echo $$ > ${group!.path}/cgroup.procs && exec "$@"`,
        "sh",
        ...dora,
      ]
      const { code, stdout } = await start(inGroup, { cwd: place.path, limitMs: LIMIT_MS }).finished
      expect(code).toBe(0)
      const waits = ["a", "b", "c"].map((id) => new RegExp(`${id}: (\\w+)\\n`).exec(stdout)?.[1])
      return [...waits, /limits the processor time to \S+ cores?, for 3 nodes/.exec(stdout)?.[0]]
    }
    const said = (cores: string) => `limits the processor time to ${cores}, for 3 nodes`
    expect(await run(1)).toEqual(["park", "park", "busy", said("1 core")])
    expect(await run(1.2)).toEqual(["park", "park", "busy", said("1.2 cores")])
    expect(await run(1, "--wait", "adaptive")).toEqual(["adaptive", "adaptive", "busy", undefined])
    expect(await run(1.5)).toEqual(["adaptive", "adaptive", "busy", undefined])
  },
  4 * LIMIT_MS,
)
