// Nodes whose programs come from a git repository or from an address. Nothing leaves this machine.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dora, folder, startDora } from "../support/dora.ts"
import { needs } from "../support/toolchain.ts"

const LIMIT_MS = 30_000
const withGit = needs("git", Bun.which("git") !== null)
/** Says where it runs and with which version. */
const program = (version: string) => `
import { Node } from "dora-bun"
using node = await Node.init()
console.log("${version} in " + process.cwd())
`

let upstream = ""
const commits: Record<string, string> = {}

function git(...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
  const done = Bun.spawnSync(["git", "-C", upstream, ...identity, ...args], { stderr: "pipe" })
  if (!done.success) throw new Error(done.stderr.toString())
  return done.stdout.toString().trim()
}

function commit(version: string): void {
  writeFileSync(join(upstream, "node.ts"), program(version))
  git("add", ".")
  git("commit", "--quiet", "-m", version)
  commits[version] = git("rev-parse", "HEAD")
}

beforeAll(() => {
  if (!Bun.which("git")) return
  upstream = mkdtempSync(join(tmpdir(), "dora-upstream-"))
  git("init", "--quiet", "--initial-branch=trunk")
  commit("one")
  git("tag", "-a", "v1", "-m", "first")
  git("checkout", "--quiet", "-b", "side")
  commit("two")
  git("checkout", "--quiet", "trunk")
  commit("three")
})
afterAll(() => rmSync(upstream || "/nonexistent", { recursive: true, force: true }))

async function run(cwd: string, fields: object) {
  writeFileSync(join(cwd, "flow.yml"), JSON.stringify({ nodes: [{ id: "a", ...fields }] }))
  return await dora(["run", "flow.yml"], { cwd, limitMs: LIMIT_MS })
}

describe("a node from a git repository", () => {
  withGit(
    "runs in a clone of its commit, which the next run finds again",
    async () => {
      using place = folder({})
      const clones = join(place.path, "git/localhost", upstream)
      const url = `file://${upstream}`
      for (const [pin, version] of [
        [{}, "three"],
        [{ branch: "side" }, "two"],
        [{ tag: "v1" }, "one"],
        [{ rev: commits.two! }, "two"],
        [{ rev: commits.one!.slice(0, 10) }, "one"],
      ] as const) {
        const { code, stdout, stderr } = await run(place.path, {
          path: "node.ts",
          git: url,
          ...pin,
        })
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
        expect(stdout).toContain(`a: ${version} in ${join(clones, commits[version]!)}\n`)
      }
      const left = readdirSync(clones).filter((name) => !name.startsWith("."))
      expect(left.sort()).toEqual(Object.values(commits).sort())
      // A commit by its full name needs nobody once it is there.
      const gone = join(place.path, "upstream-is-gone")
      const again = await run(place.path, {
        path: "node.ts",
        git: `file://${upstream}`,
        rev: commits.one,
        build: `sh -c 'echo built > ${gone}'`,
      })
      expect([again.code, existsSync(gone)]).toEqual([0, true])
    },
    LIMIT_MS,
  )

  withGit(
    "goes on with what was there last when nobody can be asked",
    async () => {
      using place = folder({})
      const moved = `${upstream}-moved`
      cpSync(upstream, moved, { recursive: true })
      const fields = { git: `file://${moved}`, branch: "side", path: "node.ts" }
      expect((await run(place.path, fields)).code).toBe(0)
      Bun.spawnSync(["git", "-C", moved, "branch", "-D", "side"])
      expect((await run(place.path, fields)).stderr).toContain("it has no branch `side`")
      rmSync(moved, { recursive: true })
      const { code, stdout } = await run(place.path, fields)
      expect([code, stdout.includes("a: two in ")]).toEqual([0, true])
      expect(stdout).toContain(`can't be asked: goes on with the clone of ${commits.two}`)
      const other = await run(place.path, { ...fields, branch: "trunk" })
      expect(other.code).toBe(1)
    },
    LIMIT_MS,
  )

  withGit(
    "is built in its clone",
    async () => {
      using place = folder({})
      const fields = { git: `file://${upstream}`, path: "made.ts", build: "cp node.ts made.ts" }
      const { code, stdout } = await run(place.path, fields)
      expect([code, stdout.includes("a: three in ")]).toEqual([0, true])
    },
    LIMIT_MS,
  )

  withGit(
    "that can't be had is told with its place, and nothing is left half made",
    async () => {
      using place = folder({})
      const missing = await run(place.path, { path: "node.ts", git: "file:///no/such/repository" })
      expect(missing.code).toBe(1)
      expect(missing.stderr).toMatch(
        /flow\.yml:1:\d+: node a: can't get its program from file:\/\/\/no\/such\/repository/,
      )
      const branch = await run(place.path, {
        path: "n.ts",
        git: `file://${upstream}`,
        branch: "no",
      })
      expect(branch.stderr).toContain("it has no branch `no`")
      const rev = await run(place.path, {
        path: "n.ts",
        git: `file://${upstream}`,
        rev: "0".repeat(40),
      })
      expect(rev.code).toBe(1)
      const left = readdirSync(join(place.path, "git/localhost", upstream))
      expect(left.filter((name) => name.startsWith(".partial"))).toEqual([])
    },
    LIMIT_MS,
  )
})

describe("a node from an address", () => {
  test(
    "is downloaded, and held to its checksum",
    async () => {
      using place = folder({})
      const text = program("served")
      const sha = new Bun.CryptoHasher("sha256").update(text).digest("hex")
      let asked = 0
      await using server = serve(() => {
        asked++
        return new Response(text, {
          headers: { "content-disposition": 'attachment; filename="../n.ts"' },
        })
      })
      const path = `${server.url}program?id=3`
      const free = await run(place.path, { path })
      expect(free.stdout).toContain(`a: its SHA-256 is ${sha}`)
      expect(free.stdout).toContain(`a: served in ${place.path}\n`)
      expect(readdirSync(join(place.path, "build"))).toEqual(["n.ts"])
      for (let i = 0; i < 2; i++) {
        const pinned = await run(place.path, { path, path_sha256: sha })
        expect([pinned.code, pinned.stdout.includes("a: served in ")]).toEqual([0, true])
      }
      // What has the right checksum is not asked for again.
      expect(asked).toBe(2)
      const wrong = await run(place.path, { path, path_sha256: "0".repeat(64) })
      expect(wrong.code).toBe(1)
      expect(wrong.stderr).toContain(`SHA-256 mismatch: expected ${"0".repeat(64)}, got ${sha}`)
      expect(readdirSync(join(place.path, "build", "0".repeat(64)))).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    "that is not there, or never comes, is told; Ctrl-C gives it up",
    async () => {
      using place = folder({})
      await using server = serve((request) =>
        request.url.endsWith("/gone") ? new Response("", { status: 404 }) : new Promise(() => {}),
      )
      const gone = await run(place.path, { path: `${server.url}gone` })
      expect(gone.stderr).toContain("the server answered 404")
      const refused = await run(place.path, { path: "http://127.0.0.1:9/x" })
      expect([refused.code, refused.stderr.includes("can't get its program")]).toEqual([1, true])
      const nodes = [{ id: "a", path: `${server.url}never` }]
      writeFileSync(join(place.path, "flow.yml"), JSON.stringify({ nodes }))
      await using command = startDora(["run", "flow.yml"], { cwd: place.path, limitMs: LIMIT_MS })
      await command.until("downloading")
      command.signal("SIGINT")
      expect((await command.finished).code).not.toBe(0)
      expect(readdirSync(join(place.path, "build"))).toEqual([])
    },
    LIMIT_MS,
  )
})

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer, idleTimeout: 0 })
  return { url: server.url.href, [Symbol.asyncDispose]: () => server.stop(true) }
}
