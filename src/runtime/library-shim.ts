// The C between the runtime and operator libraries: ffi/operator_shim.c, built on first use. Which way, and why:
// docs/adr/0010-operator-shim.md.
import { CFunction, cc, dlopen, type FFIFunction } from "bun:ffi"
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { DoraError } from "../core/errors.ts"

const FOLDER = fileURLToPath(new URL("../../ffi/", import.meta.url))
const SOURCE = join(FOLDER, "operator_shim.c")
/** All that it consists of. */
const SOURCES = [SOURCE, join(FOLDER, "dora_writer.h"), join(FOLDER, "dora_layout.h")]
const COMPILERS = ["cc", "gcc", "clang"]
const FLAGS = ["-O3", "-fPIC", "-shared", "-w"]
const COMPILE_LIMIT_MS = 60_000

const SYMBOLS = {
  sh_layout: { args: [], returns: "i32" },
  sh_open: { args: ["buffer", "buffer", "i32"], returns: "ptr" },
  sh_has: { args: ["ptr", "buffer"], returns: "i32" },
  sh_probe: { args: ["ptr"], returns: "i32" },
  sh_new: { args: ["ptr", "buffer", "ptr", "ptr"], returns: "ptr" },
  sh_port: { args: ["ptr", "buffer", "i32"], returns: "void" },
  sh_key: { args: ["ptr", "i32", "buffer", "i32"], returns: "i32" },
  sh_plan: { args: ["ptr", "i32", "buffer", "i32"], returns: "void" },
  sh_refuse: { args: ["ptr", "buffer", "i32"], returns: "void" },
  sh_direct: { args: ["ptr", "i32"], returns: "void" },
  sh_init: { args: ["ptr"], returns: "i32" },
  sh_drop: { args: ["ptr"], returns: "i32" },
  sh_text: { args: ["ptr", "i32", "buffer", "i32"], returns: "i32" },
  sh_count: { args: ["ptr", "i32"], returns: "f64" },
  sh_form: { args: ["ptr", "buffer", "i32", "buffer", "i32", "buffer"], returns: "ptr" },
  sh_form_free: { args: ["ptr"], returns: "void" },
  sh_figures: { args: ["ptr", "buffer", "i32", "i32"], returns: "void" },
  sh_context: { args: ["ptr", "buffer", "i32"], returns: "void" },
  sh_input_at: { args: ["ptr", "ptr"], returns: "i32" },
  sh_input: { args: ["ptr", "buffer", "i32"], returns: "i32" },
  sh_input_closed: { args: ["ptr", "buffer", "i32"], returns: "i32" },
  sh_error_event: { args: ["ptr", "buffer", "i32"], returns: "i32" },
  sh_stop: { args: ["ptr"], returns: "i32" },
  sh_late: { args: ["ptr"], returns: "i32" },
  sh_finish: { args: ["ptr"], returns: "i32" },
  sh_name_kept: { args: ["ptr", "i32"], returns: "void" },
  sh_released: { args: ["ptr"], returns: "i32" },
  sh_figures_of: { args: ["ptr", "i32", "buffer"], returns: "void" },
  sh_context_of: { args: ["ptr", "i32", "buffer", "i32"], returns: "i32" },
  sh_header: { args: ["ptr", "i32", "buffer", "i32", "f64", "buffer", "i32"], returns: "void" },
  sh_writer: { args: ["ptr", "i32", "buffer", "buffer", "i32"], returns: "void" },
  sh_publishes: { args: ["ptr", "i32", "i32"], returns: "void" },
  sh_learn: { args: ["ptr", "i32", "i32"], returns: "void" },
  sh_write: { args: ["ptr", "i32", "buffer", "f64", "i32"], returns: "void" },
} as const satisfies Record<string, FFIFunction>

/** The functions of ffi/operator_shim.c. */
export type Shim = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"]

/** Neither a C compiler nor Bun's own could build the shim. */
export class OperatorShimError extends DoraError {
  constructor(why: string, cause?: unknown) {
    super("OPERATOR_SHIM", {
      what: "shared-library operators can't run here",
      why,
      fix: "install a C compiler (`cc`), or start Bun without `--no-addons` and `--no-ffi-cc`",
      cause,
    })
  }
}

let loaded: Shim | null = null
// Its memory goes with the last reference.
const kept: unknown[] = []

/**
 * The shim, built on first use: by the machine's C compiler into the user's cache, otherwise by Bun's own in memory.
 *
 * @throws OperatorShimError
 */
export function operatorShim(): Shim {
  if (loaded) return loaded
  const shim = fromCompiler() ?? fromBun()
  if (shim.sh_layout() !== 1)
    throw new OperatorShimError("the C compiler lays structs out differently")
  loaded = shim
  return shim
}

/** `DORA_BUN_OPERATOR_SHIM=bun` keeps the machine's compiler out of it. */
function fromCompiler(): Shim | null {
  if (process.env.DORA_BUN_OPERATOR_SHIM === "bun") return null
  const source = SOURCES.map((path) => readFileSync(path, "utf8"))
  const name = `operator-shim-${Bun.hash(source.join()).toString(16)}-${process.arch}.so`
  const file = join(cacheFolder(), name)
  if (!isOurs(file) && !build(file)) return null
  try {
    return dlopen(file, SYMBOLS).symbols
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

/** Builds beside the place and moves it there, so that processes that do so at once don't meet halves. */
function build(file: string): boolean {
  const compiler = COMPILERS.find((name) => Bun.which(name) !== null)
  if (!compiler) return false
  const draft = `${file}.${process.pid}`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const command = [compiler, ...FLAGS, "-o", draft, SOURCE]
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

function fromBun(): Shim {
  try {
    const library = cc({ source: SOURCE, symbols: SYMBOLS })
    kept.push(library)
    // Called by their addresses they cost half.
    const symbols: Record<string, unknown> = {}
    for (const [name, { args, returns }] of Object.entries(SYMBOLS)) {
      const { ptr } = library.symbols[name as keyof typeof SYMBOLS] as unknown as { ptr: number }
      symbols[name] = CFunction({ args, returns, ptr } as unknown as Parameters<
        typeof CFunction
      >[0])
    }
    return symbols as Shim
  } catch (cause) {
    throw new OperatorShimError((cause as Error).message, cause)
  }
}
