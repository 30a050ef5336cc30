// `bun run test`: installs what is needed, runs every check and every test, and closes with one line of figures.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CHECKS, runCheck } from "./check.ts"
import { install, ROOT } from "./support/install.ts"
import { type Counts, readReport } from "./support/junit.ts"

/** A group of test files shares a process; a crash takes its group down and no other. */
const GROUP_LIMIT_MS = 20 * 60_000

install()
const total: Counts = { passed: 0, failed: [], skipped: [] }
for (const [name, command] of Object.entries(CHECKS)) {
  if (name === "tidy") continue // comes with the tests below
  if (runCheck(name, command)) total.passed++
  else total.failed.push(name)
}
for (const [name, files] of groups()) {
  console.log(`\n== ${name}`)
  const counts = runGroup(files)
  total.passed += counts.passed
  total.failed.push(...counts.failed)
  total.skipped.push(...counts.skipped)
}
list("skipped", total.skipped)
list("failed", total.failed)
console.log(`\n${total.passed} passed, ${total.failed.length} failed`)
process.exit(total.failed.length > 0 ? 1 : 0)

function list(what: string, names: readonly string[]): void {
  if (names.length === 0) return
  console.log(`\n${names.length} ${what}:`)
  for (const name of names) console.log(`  ${name}`)
}

/** Test files by the room they are in: `src/shm`, `test/e2e`. */
function groups(): Map<string, string[]> {
  const found = [...new Bun.Glob("{src,ffi,bench,examples,test}/**/*.test.ts").scanSync(ROOT)]
  return Map.groupBy(found.sort(), (file) => file.split("/").slice(0, -1).slice(0, 2).join("/"))
}

function runGroup(files: readonly string[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), "dora-bun-test-"))
  const report = join(folder, "report.xml")
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`]
  const paths = files.map((file) => `./${file}`)
  try {
    const run = Bun.spawnSync([process.execPath, "test", ...reporter, ...paths], {
      cwd: ROOT,
      stdout: "inherit",
      stderr: "inherit",
      timeout: GROUP_LIMIT_MS,
      killSignal: "SIGKILL",
    })
    const counts = readReport(readIfThere(report))
    // A crash, a time-out or a file that doesn't load leaves no failed test behind, but it is a failure.
    if (!run.success && counts.failed.length === 0) {
      counts.failed.push(
        `${paths.join(" ")}: bun test ended with ${run.signalCode ?? run.exitCode}`,
      )
    }
    return counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
