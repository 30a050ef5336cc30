// The command line as its user meets it.
import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import { atTerminal, dora, eventually, folder, isAlive, start, startDora } from "../support/dora.ts"
import { ROOT } from "../support/install.ts"
import { needs } from "../support/toolchain.ts"

const LIMIT_MS = 60_000
const MAIN = join(ROOT, "src/cli/main.ts")

const TICKER = `
import { Node } from "dora-bun"
using node = await Node.init()
console.log("pid " + process.pid)
for await (const event of node) if (event.type === "INPUT") console.log("tick")
console.log("bye")
`
/** Ignores everything but SIGKILL. */
const STUBBORN = `
import { Node } from "dora-bun"
const node = await Node.init()
process.on("SIGTERM", () => {})
console.log("pid " + process.pid)
setInterval(() => {}, 1000)
`
const FAILING = `
import { Node } from "dora-bun"
using node = await Node.init()
await node.next()
console.error("no camera found")
process.exit(3)
`
const LISTENING = `
import { Node } from "dora-bun"
using node = await Node.init()
for await (const event of node) console.log(event.type)
`

function flow(...nodes: string[]): string {
  return `nodes:\n${nodes.join("\n")}\n`
}
const tick = (id: string, path: string) =>
  `  - { id: ${id}, path: ${path}, inputs: { tick: dora/timer/millis/20 }, outputs: [out] }`

/** A folder with a flow of one node that prints at each tick. */
function ticking() {
  return folder({ "flow.yml": flow(tick("t", "ticker.ts")), "ticker.ts": TICKER })
}

function pidsIn(text: string): number[] {
  return [...text.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]))
}

async function allGone(pids: readonly number[]): Promise<boolean> {
  return (await Promise.all(pids.map(isAlive))).every((alive) => !alive)
}

describe("dora", () => {
  test("says its version and its commands, and a bare `dora` is a mistake", async () => {
    expect((await dora(["--version"])).stdout).toStartWith(`dora-bun ${manifest.version} `)
    const help = await dora(["--help"])
    expect([help.code, help.stdout.includes("validate")]).toEqual([0, true])
    expect(help.stdout).not.toContain("\x1b[")
    expect((await dora(["run", "--help"])).stdout).toContain("--stop-after=<duration>")
    const bare = await dora([])
    expect([bare.code, bare.stdout, bare.stderr.includes("USAGE")]).toEqual([2, "", true])
  })

  const node = Bun.which("node")
  needs("node", node !== null)("an older Bun, or Node, is told what to install", async () => {
    // Node plays both; the file is plain JavaScript, which it reads under another name.
    using dir = folder({
      "main.mjs": await Bun.file(MAIN).text(),
      "old.mjs": `globalThis.Bun = { version: "1.3.9", semver: { satisfies: () => false } }`,
    })
    for (const [args, found] of [
      [["main.mjs"], "this is Node v"],
      [["--import", "./old.mjs", "main.mjs"], "this is Bun 1.3.9"],
    ] as const) {
      await using run = start([node!, ...args], { cwd: dir.path })
      const { code, stderr } = await run.finished
      expect(code).toBe(1)
      expect(stderr).toContain(`dora needs Bun 1.4.0 or newer, and ${found}`)
      expect(stderr).toContain("npm install -g bun@")
    }
  })

  test("a misspelt command or flag is told which one was meant, with exit code 2", async () => {
    const command = await dora(["rnu", "flow.yml"])
    expect([command.code, command.stderr.includes("did you mean run?")]).toEqual([2, true])
    const flag = await dora(["run", "flow.yml", "--stop-afer", "1s"])
    expect([flag.code, flag.stderr.includes("did you mean --stop-after?")]).toEqual([2, true])
    const value = await dora(["run", "flow.yml", "--stop-after", "soon"])
    expect([value.code, value.stderr.includes("not a duration")]).toEqual([2, true])
  })

  test("all problems of a file are shown with their places, and nothing is started", async () => {
    using dir = folder({
      "flow.yml": flow(
        "  - { id: a, path: a.ts, ouputs: [x] }",
        "  - { id: b, path: b.ts, inputs: { i: nobody/x, j: a/y } }",
      ),
      "a.ts": "await Bun.write('started', '')",
      "b.ts": "await Bun.write('started', '')",
    })
    for (const command of ["run", "validate"]) {
      const { code, stdout, stderr } = await dora([command, "flow.yml"], { cwd: dir.path })
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toContain("flow.yml:2:26")
      expect(stderr).toContain("did you mean `outputs`?")
      expect(stderr).toMatch(/flow\.yml:3:\d+.*nobody/)
      expect(stderr).toMatch(/^\s*\| +\^+$/m)
      expect(stderr).toContain("3 problems, nothing was started")
      expect(stderr).not.toContain("    at ")
    }
    expect(existsSync(join(dir.path, "started"))).toBe(false)
    expect(existsSync(join(dir.path, "out"))).toBe(false)
  })

  test("a valid file is called valid", async () => {
    const { code, stdout, stderr } = await dora(["validate", "examples/hello/flow.yml"])
    expect([code, stderr]).toEqual([0, ""])
    expect(stdout).toEndWith("examples/hello/flow.yml: valid, 3 nodes, 4 inputs\n")
  })

  test("a file with modules is printed without them, and that file is valid too", async () => {
    const modular = "examples/modules/flow.yml"
    const [expanded, valid] = [await dora(["expand", modular]), await dora(["validate", modular])]
    expect([expanded.code, expanded.stderr, valid.code]).toEqual([0, "", 0])
    expect(expanded.stdout).toContain("  - id: strong.average\n    path: lib/average.ts\n")
    expect(expanded.stdout).not.toContain("module")
    using dir = folder({ "flow.yml": expanded.stdout })
    const flat = await dora(["validate", "flow.yml"], { cwd: dir.path })
    expect(flat.stdout).toContain(valid.stdout.split(": ")[1]!)
  })
})

describe("dora run", () => {
  test(
    "shows lines as they come and a table at the end, in plain text where nobody looks",
    async () => {
      using dir = ticking()
      const run = await dora(["run", "flow.yml", "--stop-after", "500ms"], { cwd: dir.path })
      expect(run.code).toBe(0)
      expect(run.stdout).toMatch(/^\d\d:\d\d:\d\d STDOUT t: tick$/m)
      expect(run.stdout).toMatch(/^\d\d:\d\d:\d\d STDOUT t: bye$/m)
      expect(run.stdout).toMatch(/^edge +messages +rate +bytes +dropped +p50 +p99$/m)
      expect(run.stdout).toMatch(/^dora\/timer\/millis\/20 → t\/tick +\d+ /m)
      expect(run.stderr).toContain("while waiting for: node t (timer input tick)")
      expect(run.stdout + run.stderr).not.toContain("\x1b[")
      const colored = await dora(["run", "flow.yml", "--stop-after", "300ms"], {
        cwd: dir.path,
        env: { FORCE_COLOR: "1" },
      })
      expect(colored.stdout).toContain("\x1b[36mt:\x1b[0m tick")
    },
    LIMIT_MS,
  )

  test(
    "--log-format json prints one object a line, and --log-level leaves lines out",
    async () => {
      using dir = ticking()
      const json = ["run", "flow.yml", "--stop-after", "300ms", "--log-format=json"]
      const all = await dora(json, { cwd: dir.path })
      const lines = all.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
      expect(lines.at(-1)).toMatchObject({ type: "summary", ok: true })
      expect(lines.some((line) => line.node === "t" && line.msg === "tick")).toBe(true)
      const few = await dora([...json, "--log-level", "error"], { cwd: dir.path })
      expect(few.stdout.trimEnd().split("\n").length).toBe(1)
    },
    LIMIT_MS,
  )

  test(
    "--env reaches every node",
    async () => {
      using dir = folder({
        "flow.yml": flow("  - { id: a, path: a.ts }"),
        "a.ts": `import { Node } from "dora-bun"
using node = await Node.init()
console.log(process.env.GREETING)`,
      })
      const run = await dora(["run", "flow.yml", "--env", "GREETING=good=day"], { cwd: dir.path })
      expect(run.stdout).toContain("a: good=day")
      expect(run.code).toBe(0)
    },
    LIMIT_MS,
  )

  test(
    "names the node that failed first, with its command, exit code and last words",
    async () => {
      using dir = folder({
        "flow.yml": flow(
          tick("camera", "failing.ts"),
          "  - { id: plot, path: listening.ts, inputs: { image: camera/out } }",
        ),
        "failing.ts": FAILING,
        "listening.ts": LISTENING,
      })
      const run = await dora(["run", "flow.yml"], { cwd: dir.path })
      expect(run.code).toBe(1)
      expect(run.stderr).toContain("error: node camera failed: exited with code 3")
      expect(run.stderr).toMatch(/command: \S*bun\S* .*failing\.ts/)
      expect(run.stderr).toContain("    no camera found")
      expect(run.stdout).toContain("plot: INPUT_CLOSED")
    },
    LIMIT_MS,
  )

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(
      `${signal} stops the nodes in order, and says what was waited for`,
      async () => {
        using dir = ticking()
        await using run = startDora(["run", "flow.yml"], { cwd: dir.path })
        await run.until("t: tick")
        run.signal(signal)
        const { code, stdout, stderr } = await run.finished
        expect(stderr).toContain(`${signal}: stopping, waiting for: node t (timer input tick)`)
        expect(stdout).toContain("t: bye")
        expect(code).toBe(0)
        expect(await allGone(pidsIn(stdout))).toBe(true)
      },
      LIMIT_MS,
    )
  }

  test(
    "a second signal kills at once what does not heed the first",
    async () => {
      using dir = folder({
        "flow.yml": flow(tick("rock", "stubborn.ts")),
        "stubborn.ts": STUBBORN,
      })
      await using run = startDora(["run", "flow.yml"], { cwd: dir.path })
      await run.until(/pid \d+/)
      run.signal("SIGINT")
      await run.until("stopping")
      const before = performance.now()
      run.signal("SIGINT")
      const { code, stdout } = await run.finished
      expect(performance.now() - before).toBeLessThan(3000)
      expect(code).toBe(1)
      expect(await allGone(pidsIn(stdout))).toBe(true)
    },
    LIMIT_MS,
  )

  test(
    "a signal during the start gives the start up",
    async () => {
      using dir = folder({
        "flow.yml": flow(tick("slow", "slow.ts")),
        "slow.ts": `console.log("pid " + process.pid); setInterval(() => {}, 1000)`,
      })
      await using run = startDora(["run", "flow.yml"], { cwd: dir.path })
      await run.until(/pid \d+/)
      run.signal("SIGINT")
      const { code, stdout } = await run.finished
      expect(code).toBe(1)
      await eventually("the node is gone", () => allGone(pidsIn(stdout)))
    },
    LIMIT_MS,
  )

  test(
    "a reader that leaves early, as `head` does, ends the run and leaves nothing behind",
    async () => {
      using dir = ticking()
      const script = `"$0" "$1" run flow.yml 2>&1 | head -n 3`
      await using run = start(["sh", "-c", script, process.execPath, MAIN], { cwd: dir.path })
      const { stdout, stderr } = await run.finished
      expect(stdout.split("\n").length).toBe(4)
      expect(stderr).not.toContain("unexpected")
      expect(pidsIn(stdout).length).toBe(1)
      await eventually("the node is gone", () => allGone(pidsIn(stdout)))
    },
    LIMIT_MS,
  )
})

describe("dora run on a terminal", () => {
  test(
    "tells on w what it waits for, stops on q, and gives the terminal back",
    async () => {
      using dir = ticking()
      // The shell shows afterwards that echo and line mode are back.
      const script = `"$0" "$1" run flow.yml; echo "code $?"; stty -a`
      await using person = atTerminal(["sh", "-c", script, process.execPath, MAIN], dir.path)
      await person.sees("t: tick")
      person.types("w")
      await person.sees("waiting for: node t (timer input tick)")
      person.types("q")
      await person.sees("key q: stopping")
      await person.sees("code 0")
      await person.sees("echoke")
      expect(person.screen()).toMatch(/\sicanon/)
      expect(person.screen()).toMatch(/\secho\s/)
    },
    LIMIT_MS,
  )

  test(
    "a window that is closed stops the dataflow in order",
    async () => {
      using dir = ticking()
      await using person = atTerminal([process.execPath, MAIN, "run", "flow.yml"], dir.path)
      await person.sees("t: tick")
      person.leaves()
      expect(await person.exited).toBe(0)
      await eventually("the node is gone", () => allGone(pidsIn(person.screen())))
    },
    LIMIT_MS,
  )

  test(
    "Ctrl-C in raw mode stops once and kills the second time",
    async () => {
      using dir = folder({
        "flow.yml": flow(tick("rock", "stubborn.ts")),
        "stubborn.ts": STUBBORN,
      })
      const command = [process.execPath, MAIN, "run", "flow.yml"]
      await using person = atTerminal(command, dir.path)
      await person.sees("pid ")
      person.types("\x03")
      await person.sees("Ctrl-C: stopping")
      person.types("\x03")
      expect(await person.exited).toBe(1)
      await eventually("the node is gone", () => allGone(pidsIn(person.screen())))
    },
    LIMIT_MS,
  )
})
