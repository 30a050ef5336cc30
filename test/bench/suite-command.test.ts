// `dora bench` as a person types it.
import { describe, expect, test } from "bun:test"
import { chmodSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { parseResult } from "../../bench/result.ts"
import { dora, folder, startDora } from "../support/dora.ts"
import { resultOf, rowOf } from "./suite-results.ts"

const LIMIT_MS = 120_000
const QUICK = ["bench", "--quick", "--rounds", "1", "--part", "floor,latency"]

describe("a glance", () => {
  test(
    "measures, prints a table, and writes the result, the page and dora's own rows",
    async () => {
      using place = folder({})
      const run = await dora([...QUICK, "--html", "--csv"], {
        cwd: place.path,
        limitMs: LIMIT_MS,
      })
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining("written: ")])
      expect(run.stdout).toMatch(/^latency +p50 +p99 +p99\.9 +beside +ratio/m)
      expect(run.stdout).toMatch(/^64 B copied, recv\(\) .* ≤ 2\.00 ×/m)
      const files = readdirSync(join(place.path, "bench-results"))
      expect(files.map((name) => name.replace(/^[\dT-]+/, "")).sort()).toEqual(
        [".bench.csv", ".html", ".json", ".timer.csv"].sort(),
      )
      const name = files.find((file) => file.endsWith(".json"))!
      const text = await Bun.file(join(place.path, "bench-results", name)).text()
      const row = parseResult(text, name).rows.find((one) => one.name === "64 B copied, recv()")!
      expect(row.rounds.length).toBe(1)
      const { p50, p99, max, count } = row.figures
      expect(row.value).toBe(p50!)
      expect([p50! > 50, p99! >= p50!, max! >= p99!, count! >= 3]).toEqual([true, true, true, true])
      const shares = row.cdf!.map(([share]) => share)
      expect(shares).toEqual(shares.toSorted((a, b) => a - b))
      expect(shares.length).toBeLessThanOrEqual(64)
    },
    LIMIT_MS,
  )

  test(
    "may be interrupted, and keeps what was measured",
    async () => {
      using place = folder({})
      const args = ["bench", "--part", "latency,copy", "--rounds", "50"]
      await using run = startDora(args, { cwd: place.path, limitMs: LIMIT_MS })
      await run.until("latency")
      run.signal("SIGINT")
      const { code, stdout, stderr } = await run.finished
      expect([code, stderr]).toEqual([0, expect.stringContaining("ends after this take")])
      expect(stdout).toContain("It was ended early")
      const folderOf = join(place.path, "bench-results")
      const [name] = readdirSync(folderOf)
      const { rows } = parseResult(await Bun.file(join(folderOf, name!)).text(), name!)
      expect(rows.map((row) => [row.part, row.rounds.length])).toEqual([["latency", 1]])
    },
    LIMIT_MS,
  )

  test(
    "keeps what the other parts came to when one fails, and fails",
    async () => {
      using place = folder({
        cc: '#!/bin/sh\ncase "$*" in *operator-caller*) echo "no such luck" >&2; exit 1 ;; esac\nexec cc "$@"\n',
      })
      const CC = join(place.path, "cc")
      chmodSync(CC, 0o755)
      const args = ["bench", "--quick", "--rounds", "1", "--part", "arrow,libraries"]
      const run = await dora(args, { cwd: place.path, env: { CC }, limitMs: LIMIT_MS })
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("no such luck")])
      expect(run.stdout).toContain("`libraries` is missing, because it failed")
      const folderOf = join(place.path, "bench-results")
      const [name] = readdirSync(folderOf)
      const { rows } = parseResult(await Bun.file(join(folderOf, name!)).text(), name!)
      expect(new Set(rows.map((row) => row.part))).toEqual(new Set(["arrow"]))
    },
    LIMIT_MS,
  )

  test(
    "without a C compiler takes its floor with Atomics, and says so",
    async () => {
      using place = folder({})
      const run = await dora([...QUICK, "--json"], {
        cwd: place.path,
        env: { CC: "no-such-compiler" },
        limitMs: LIMIT_MS,
      })
      const result = parseResult(run.stdout, "stdout")
      expect(result.method.floor).toContain("because there is no C compiler")
      const floors = result.rows.filter((row) => row.part === "floor")
      expect(floors.map((row) => row.name)).toEqual(["Atomics: one cache line each way"])
      expect(result.rows.find((row) => row.part === "latency")!.floor!.name).toBe("Atomics")
    },
    LIMIT_MS,
  )

  test(
    "with a C compiler that fails does the same",
    async () => {
      using place = folder({})
      const run = await dora(["bench", "--quick", "--rounds", "1", "--part", "floor", "--json"], {
        cwd: place.path,
        env: { CC: "false" },
      })
      const { method, rows } = parseResult(run.stdout, "stdout")
      expect(method.floor).toMatch(/because .*false can't compile bench\/floor.c/)
      expect(rows.map((row) => row.name)).toEqual(["Atomics: one cache line each way"])
    },
    LIMIT_MS,
  )
})

describe("a comparison", () => {
  const steady = [240, 241, 239, 240, 242]
  const fast = JSON.stringify(resultOf(rowOf(steady)))
  const slow = JSON.stringify(resultOf(rowOf(steady.map((value) => value * 1.5))))

  test("ends with 3 when a row is slower, and with 0 otherwise", async () => {
    using place = folder({ "fast.json": fast, "slow.json": slow })
    const compare = (...args: string[]) =>
      dora(["bench", "--compare", ...args], { cwd: place.path })
    const worse = await compare("fast.json", "slow.json")
    expect([worse.code, worse.stdout]).toEqual([3, expect.stringMatching(/1\.50 × .* slower/)])
    const better = await compare("slow.json", "fast.json")
    expect([better.code, better.stdout]).toEqual([0, expect.stringContaining("1 faster")])
    const patient = await compare("fast.json", "slow.json", "--threshold", "100")
    expect([patient.code, patient.stdout]).toEqual([0, expect.stringContaining("1 same")])
    const json = await compare("fast.json", "slow.json", "--json")
    expect(JSON.parse(json.stdout)[0]).toMatchObject({ verdict: "slower", before: 240, after: 360 })
  })

  test("of anything but results ends with 1 and a way out", async () => {
    using place = folder({ "fast.json": fast, "other.json": '{"name":"x"}' })
    for (const other of ["other.json", "missing.json"]) {
      const run = await dora(["bench", "--compare", "fast.json", other], { cwd: place.path })
      expect([run.code, run.stderr]).toEqual([
        1,
        expect.stringContaining(`${other} is not a result of dora bench`),
      ])
    }
  })
})

describe("a wrong command line ends with 2 and a way out:", () => {
  const wrong: [string[], string][] = [
    [["--part", "latencie"], "did you mean latency?"],
    [["--part", "nothing"], "the parts are: floor, latency"],
    [["--rounds", "0"], "1 to 1000"],
    [["--rounds", "many"], "not a number of rounds"],
    [["--quick", "--full"], "exclude each other"],
    [["--compare", "a.json"], "dora bench --compare a.json b.json"],
    [["--compare", "a.json", "b.json", "--threshold", "x"], "not a percentage"],
    [["--threshold", "5"], "goes with --compare"],
    [["--ful"], "did you mean --full?"],
  ]
  for (const [args, hint] of wrong) {
    test(args.join(" "), async () => {
      const run = await dora(["bench", ...args])
      expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(hint)])
    })
  }
})

test("a folder that can't be written to is told before anything is measured", async () => {
  using place = folder({ file: "" })
  chmodSync(join(place.path, "file"), 0o400)
  const run = await dora([...QUICK, "--out", "file/results"], { cwd: place.path })
  expect([run.code, run.stderr]).toEqual([
    1,
    expect.stringContaining("cannot write to file/results"),
  ])
  expect(run.stderr).toContain("dora bench --out")
  expect(run.stderr).not.toContain("floor")
})
