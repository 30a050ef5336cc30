// `dora bench flow.yml`: real dataflows whose figures are known beforehand.
import { describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseResult, type Row } from "../../bench/result.ts"
import { dora, startDora } from "../support/dora.ts"

const LIMIT_MS = 60_000
const NODES = join(import.meta.dir, "nodes")

/** A dataflow file in a folder of its own. */
class Place implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "dora-bench-flow-"))
  readonly results = join(this.folder, "results")

  constructor(nodes: Record<string, Record<string, unknown>>) {
    const list = Object.entries(nodes).map(([id, { run, ...node }]) => {
      return { id, path: join(NODES, `${run}.ts`), ...node }
    })
    writeFileSync(join(this.folder, "flow.yml"), JSON.stringify({ nodes: list }))
  }

  get args(): string[] {
    return ["bench", join(this.folder, "flow.yml"), "--out", this.results]
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function rowsOf(text: string): Map<string, Row> {
  return new Map(parseResult(text, "stdout").rows.map((row) => [row.name, row]))
}

const steady = (env: Record<string, unknown> = {}, outputs = ["out"]) => {
  return { run: "steady", outputs, env }
}

describe("a dataflow that is measured", () => {
  test(
    "shows for each edge its rate, what it dropped, how long its queue was, and what was copied",
    async () => {
      using place = new Place({
        source: steady({ RATE: 200, SIZE: 10_000 }, ["copied", "lent", "pressed"]),
        quick: {
          run: "receive",
          inputs: {
            copied: { source: "source/copied", queue_size: 500 },
            lent: { source: "source/lent", queue_size: 500 },
            tick: "dora/timer/millis/20",
          },
        },
        slow: {
          run: "receive",
          env: { THINK_MS: 50 },
          inputs: { pressed: { source: "source/pressed", queue_size: 2 } },
        },
      })
      const args = [...place.args, "--duration", "2s", "--warm-up", "500ms", "--json"]
      const { code, stdout } = await dora(args)
      expect(code).toBe(0)
      const rows = rowsOf(stdout)
      const rate = (edge: string) => rows.get(`${edge}: rate`)!
      for (const output of ["copied", "lent"]) {
        const { value, rounds, figures } = rate(`source/${output} → quick/${output}`)
        expect(Math.abs(value - 200)).toBeLessThan(40)
        expect([rounds.length, figures.dropped]).toEqual([10, 0])
        expect(figures["bytes/s"]! / 10_000 / 200).toBeCloseTo(1, 0)
        expect(figures["copied bytes"]).toBe(output === "lent" ? 0 : figures.bytes!)
      }
      const pressed = rate("source/pressed → slow/pressed").figures
      expect(pressed["queue high-water"]).toBe(2)
      // It takes 50 ms for each, so at most 20 a second of 200.
      expect(pressed["dropped%"]).toBeGreaterThan(80)
      expect(pressed.taken! + pressed.dropped!).toBeLessThanOrEqual(pressed.sent! + 2)
      const ticks = rate("dora/timer/millis/20 → quick/tick")
      expect(Math.abs(ticks.value - 50)).toBeLessThan(10)
      const latency = rows.get("source/pressed → slow/pressed: latency")!.figures
      // The message that is taken was sent while the one before was thought about.
      expect(latency.p50).toBeGreaterThan(1e6)
      expect(latency.p50).toBeLessThanOrEqual(latency.max!)
      expect(rows.get("source/copied → quick/copied: latency")!.cdf!.at(-1)![0]).toBe(1)
    },
    LIMIT_MS,
  )

  test(
    "has a table that no node's output comes into",
    async () => {
      using place = new Place({
        source: steady({ RATE: 100 }),
        sink: { run: "receive", inputs: { in: "source/out" } },
      })
      const { code, stdout } = await dora([...place.args, "--duration", "400ms", "--warm-up", "0"])
      expect(code).toBe(0)
      const lines = stdout.trimEnd().split("\n")
      expect(lines[0]).toMatch(/^edge +rate +bytes +p50 +p90 +p99 +p99\.9 +max +dropped +queue/)
      expect(lines[1]).toMatch(/^source\/out → sink\/in +[\d.]+\/s +[\d.]+ kB\/s +[\d.]+ (µs|ms)/)
      expect(lines.slice(2).map((line) => line.split(" ")[0]!)).toEqual([
        ...["", "measured", "latency:", "queue:"],
      ])
      expect(lines[3]).toContain("from its start")
    },
    LIMIT_MS,
  )

  test(
    "may be interrupted, and shows what there is",
    async () => {
      using place = new Place({
        source: steady({ RATE: 100 }),
        sink: { run: "receive", inputs: { in: "source/out" } },
      })
      await using run = startDora([...place.args, "--duration", "1h", "--warm-up", "100ms"])
      await run.until("measuring for 3600 s")
      await Bun.sleep(300)
      run.signal("SIGINT")
      const { code, stdout } = await run.finished
      expect([code, stdout]).toEqual([0, expect.stringMatching(/source\/out → sink\/in +\d/)])
      expect(stdout).toContain("ended early because it was asked to")
      expect(readdirSync(place.results)).toHaveLength(1)
    },
    LIMIT_MS,
  )

  test(
    "may end by itself, and is reported on all that it did",
    async () => {
      using place = new Place({
        source: steady({ RATE: 500, COUNT: 300 }),
        sink: { run: "receive", inputs: { in: { source: "source/out", queue_size: 300 } } },
      })
      const { code, stdout } = await dora([...place.args, "--warm-up", "40s", "--json"])
      expect(code).toBe(0)
      const { sent, taken, dropped } = rowsOf(stdout).get("source/out → sink/in: rate")!.figures
      expect({ sent, taken, dropped }).toEqual({ sent: 300, taken: 300, dropped: 0 })
      expect(JSON.parse(stdout).method).toMatchObject({ end: "by itself", warmUpSeconds: 0 })
    },
    LIMIT_MS,
  )

  test(
    "that fails is reported like any other, and leaves no result",
    async () => {
      using place = new Place({
        source: steady({ FAIL_AFTER: 20 }),
        sink: { run: "receive", inputs: { in: "source/out" } },
      })
      const { code, stdout, stderr } = await dora([...place.args, "--json"])
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toContain("node source failed: exited with code 1")
      expect(stderr).toContain("as it was told")
      expect(readdirSync(place.results)).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    "is compared with itself of another day",
    async () => {
      using place = new Place({
        source: steady({ RATE: 200 }),
        sink: { run: "receive", inputs: { in: { source: "source/out", queue_size: 100 } } },
      })
      for (let run = 0; run < 2; run++) {
        expect((await dora([...place.args, "--duration", "1s", "--warm-up", "300ms"])).code).toBe(0)
        // Results are named by the second.
        if (run === 0) await Bun.sleep(1000)
      }
      const files = readdirSync(place.results).map((name) => join(place.results, name))
      expect(files).toHaveLength(2)
      const { stdout } = await dora(["bench", "--compare", ...files, "--json"])
      const names = JSON.parse(stdout).map((row: { name: string }) => row.name)
      expect(names).toContain("source/out → sink/in: rate")
      expect(names).toContain("source/out → sink/in: latency")
      const rate = JSON.parse(stdout)[0]
      expect(rate.change.value).toBeGreaterThan(0.5)
      expect(rate.change.value).toBeLessThan(2)
    },
    LIMIT_MS,
  )
})

test("flags of the suite and of dataflows are told apart", async () => {
  const said = async (...args: string[]) => {
    const { code, stderr } = await dora(["bench", ...args])
    expect(code).toBe(2)
    return stderr
  }
  expect(await said("flow.yml", "--rounds", "3")).toContain("--rounds does not go with a dataflow")
  expect(await said("--duration", "3s")).toContain("--duration goes with a dataflow")
  expect(await said("a.json")).toContain("two results are compared with --compare")
  expect(await said("flow.yml", "other.yml")).toContain("unexpected argument other.yml")
  expect(await said("flow.yml", "--duration", "0s")).toContain("nothing to measure in no time")
  const missing = await dora(["bench", "no-such-flow.yml"])
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("no-such-flow.yml")])
})
