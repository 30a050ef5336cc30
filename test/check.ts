// `bun run check`: types, format, lint and the style that test/tidy.test.ts keeps. All of it runs, then it fails.
import { install, ROOT } from "./support/install.ts"

const bun = process.execPath

/** What is checked, by name. */
export const CHECKS: Record<string, readonly string[]> = {
  types: [bun, "check", "--no-script"],
  format: [bun, "fmt", "--no-script", "--check"],
  lint: [bun, "node_modules/@biomejs/biome/bin/biome", "lint", "--error-on-warnings"],
  tidy: [bun, "test", "./test/tidy.test.ts"],
}

/**
 * Runs one check with its output on the terminal; says whether it passed.
 *
 * @example runCheck("types", CHECKS.types)
 */
export function runCheck(name: string, command: readonly string[]): boolean {
  const run = Bun.spawnSync([...command], { cwd: ROOT, stdout: "inherit", stderr: "inherit" })
  console.log(`${run.success ? "pass" : "FAIL"}  ${name}`)
  return run.success
}

if (import.meta.main) {
  install()
  // `bun check FILE` ends up here too, because a script of that name comes first.
  const files = process.argv.slice(2)
  const checks = files.length > 0 ? { types: [...CHECKS.types!, ...files] } : CHECKS
  const failed = Object.entries(checks).filter(([name, command]) => !runCheck(name, command))
  process.exit(failed.length > 0 ? 1 : 0)
}
