// C of ours, built on first use: by the machine's C compiler into the user's cache, otherwise by Bun's own in memory. Where neither
// can, what was built when the package was made: docs/adr/0010-operator-shim.md.
import { CFunction, cc, dlopen, type FFIFunction } from "bun:ffi"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const FOLDER = fileURLToPath(new URL("../../ffi/", import.meta.url))
const PREBUILT = join(FOLDER, "prebuilt")
const COMPILERS = ["cc", "gcc", "clang"]
const FLAGS = ["-O3", "-fPIC", "-shared", "-w"]
const COMPILE_LIMIT_MS = 60_000

/** What a file of C offers. */
export type Symbols = Record<string, FFIFunction>
/** Its functions. */
export type Functions<S extends Symbols> = ReturnType<typeof dlopen<S>>["symbols"]

// Memory of code goes with the last reference to it.
const kept: unknown[] = []

/**
 * Builds a file of `ffi/` that includes no headers of the system, and loads it.
 *
 * @param name     `operator_shim.c`
 * @param headers  names of all that it includes
 * @param only     `bun` keeps the machine's compiler out of it
 * @throws Error   nobody can compile it here
 */
export function loadC<S extends Symbols>(
  name: string,
  headers: readonly string[],
  symbols: S,
  only?: string,
): Functions<S> {
  const compiled = only === "bun" ? null : fromCompiler(name, headers, symbols)
  if (compiled) return compiled
  try {
    return fromBun(join(FOLDER, name), symbols)
  } catch (error) {
    const file = join(PREBUILT, fileName(name, headers))
    if (!existsSync(file)) throw error
    return dlopen(file, symbols).symbols
  }
}

/**
 * Builds a file of `ffi/` for the package, for machines that can't.
 *
 * @throws Error  there is no C compiler, or it fails
 */
export function prebuildC(name: string, headers: readonly string[]): void {
  const file = join(PREBUILT, fileName(name, headers))
  if (!build(join(FOLDER, name), file)) throw new Error(`no C compiler could build ffi/${name}`)
}

/** Another source, another name: what was built of an older one is not taken for this one. */
function fileName(name: string, headers: readonly string[]): string {
  const text = Buffer.concat([name, ...headers].map((part) => readFileSync(join(FOLDER, part))))
  const stem = name.replace(".c", "").replaceAll("_", "-")
  return `${stem}-${Bun.hash(text).toString(16)}-${process.arch}.so`
}

function fromCompiler<S extends Symbols>(
  name: string,
  headers: readonly string[],
  symbols: S,
): Functions<S> | null {
  const file = join(cacheFolder(), fileName(name, headers))
  if (!isOurs(file) && !build(join(FOLDER, name), file)) return null
  try {
    return dlopen(file, symbols).symbols
  } catch {
    // A damaged file, or one of another C library: the next process builds it anew.
    rmSync(file, { force: true })
    return null
  }
}

function cacheFolder(): string {
  const root = process.env.XDG_CACHE_HOME || join(homedir(), ".cache")
  return join(root, "dora-bun", "shim")
}

/** Is it there, and can nobody else have put it there? */
function isOurs(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false })
  return found !== undefined && found.uid === process.getuid?.() && (found.mode & 0o022) === 0
}

/** Builds beside the place and moves it there, so that threads and processes that do so at once don't meet halves. */
function build(source: string, file: string): boolean {
  const compiler = COMPILERS.find((name) => Bun.which(name) !== null)
  if (!compiler) return false
  const draft = `${file}.${crypto.randomUUID()}`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const command = [compiler, ...FLAGS, "-o", draft, source]
    const run = Bun.spawnSync(command, {
      timeout: COMPILE_LIMIT_MS,
      stdout: "ignore",
      stderr: "ignore",
    })
    if (!run.success) return false
    chmodSync(draft, 0o700)
    renameSync(draft, file)
    return isOurs(file)
  } catch {
    return false
  } finally {
    rmSync(draft, { force: true })
  }
}

function fromBun<S extends Symbols>(source: string, symbols: S): Functions<S> {
  const library = cc({ source, symbols })
  kept.push(library)
  // Called by their addresses they cost half.
  const functions: Record<string, unknown> = {}
  for (const [name, { args, returns }] of Object.entries(symbols)) {
    const { ptr } = library.symbols[name as keyof typeof library.symbols] as unknown as {
      ptr: number
    }
    functions[name] = CFunction({ args, returns, ptr } as unknown as Parameters<
      typeof CFunction
    >[0])
  }
  return functions as Functions<S>
}
