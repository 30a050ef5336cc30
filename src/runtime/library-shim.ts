// The C between the runtime and operator libraries: ffi/operator_shim.c, built on first use. Which way, and why:
// docs/adr/0010-operator-shim.md.
import { type Functions, loadC, prebuildC, type Symbols } from "../core/c-library.ts"
import { DoraError } from "../core/errors.ts"

const SOURCE = "operator_shim.c"
const HEADERS = ["dora_writer.h", "dora_layout.h"]

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
  sh_init: { args: ["ptr"], returns: "i32" },
  sh_drop: { args: ["ptr"], returns: "i32" },
  sh_text: { args: ["ptr", "i32", "buffer", "i32"], returns: "i32" },
  sh_count: { args: ["ptr", "i32"], returns: "f64" },
  sh_form: { args: ["ptr", "buffer", "i32", "buffer", "i32", "buffer"], returns: "ptr" },
  sh_form_free: { args: ["ptr"], returns: "void" },
  sh_figures: { args: ["ptr", "buffer", "i32", "i32", "i32"], returns: "void" },
  sh_context: { args: ["ptr", "buffer", "i32"], returns: "void" },
  sh_input_at: { args: ["ptr", "ptr"], returns: "i32" },
  sh_input: { args: ["ptr", "buffer", "i32"], returns: "i32" },
  sh_body: { args: ["ptr", "buffer"], returns: "i32" },
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
} as const satisfies Symbols

/** The functions of ffi/operator_shim.c. */
export type Shim = Functions<typeof SYMBOLS>

/** Neither a C compiler nor Bun's own could build the shim, and the package has none. */
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

/** Builds the shim for the package. @throws Error  it can't be built here */
export function prebuildShim(): void {
  prebuildC(SOURCE, HEADERS)
}

let loaded: Shim | null = null

/**
 * The shim, built on first use. `DORA_BUN_OPERATOR_SHIM=bun` keeps the machine's compiler out of it.
 *
 * @throws OperatorShimError
 */
export function operatorShim(): Shim {
  if (loaded) return loaded
  const shim = build()
  if (shim.sh_layout() !== 1)
    throw new OperatorShimError("the C compiler lays structs out differently")
  loaded = shim
  return shim
}

function build(): Shim {
  try {
    return loadC(SOURCE, HEADERS, SYMBOLS, process.env.DORA_BUN_OPERATOR_SHIM)
  } catch (cause) {
    throw new OperatorShimError((cause as Error).message, cause)
  }
}
