// Python with packages from PyPI, in a virtual environment that is made once for each set of packages and kept outside the
// tree: `${XDG_CACHE_HOME:-~/.cache}/dora-bun/python/`.
import { mkdirSync, renameSync, rmSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

const LOCK_TIMEOUT_MS = 600_000
const LOCK_POLL_MS = 100

/** The interpreter to start from, or null when there is none. */
export const python = Bun.which("python3")

const made = new Map<string, Promise<string>>()

/**
 * An interpreter that can import `packages`; the first call for a set of them installs it. Other processes may call at
 * the same time.
 *
 * @param packages  as pip takes them: "pyarrow", "numpy==2.1.0"
 * @returns the interpreter's path
 * @throws Error  no python3, or pip failed; with its output
 * @example const interpreter = await pythonWith(["pyarrow", "numpy"])
 */
export function pythonWith(packages: readonly string[]): Promise<string> {
  const key = [...packages].sort().join("\n")
  const known = made.get(key)
  if (known) return known
  const promise = make(key, packages)
  made.set(key, promise)
  return promise
}

async function make(key: string, packages: readonly string[]): Promise<string> {
  if (!python) throw new Error("there is no python3 on PATH")
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "dora-bun", "python")
  mkdirSync(root, { recursive: true })
  const version = await run([python, "--version"])
  const home = join(root, Bun.hash(`${version}\n${key}`).toString(16))
  const interpreter = join(home, "bin", "python")
  const lock = `${home}.lock`
  // Complete when marked: a killed installation leaves no mark, and is made again.
  const mark = join(home, "complete")
  while (!(await Bun.file(mark).exists())) {
    if (!takeLock(lock)) {
      await Bun.sleep(LOCK_POLL_MS)
      continue
    }
    try {
      if (await Bun.file(mark).exists()) break
      rmSync(home, { recursive: true, force: true })
      await run([python, "-m", "venv", home])
      const pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
      await run([...pip, ...packages])
      await Bun.write(`${mark}.new`, `${packages.join("\n")}\n`)
      renameSync(`${mark}.new`, mark)
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
  return interpreter
}

/** A folder is made by one only. One that is too old was left by a process that died. */
function takeLock(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
  if (Date.now() - since > LOCK_TIMEOUT_MS) rmSync(path, { recursive: true, force: true })
  return false
}

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" })
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`${command.join(" ")} failed with ${code}:\n${out}${error}`)
  return out
}
